"""The record of an incident: the journal, what it means, what must not enter it, and how it is verified."""
