"""`python -m firstwatch` is the command."""

from firstwatch.cli import main

if __name__ == "__main__":
    main()
