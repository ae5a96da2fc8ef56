"""The measured claims, each against its peer in the same run."""
