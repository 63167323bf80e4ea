"""`python -m search` is `search`."""

from .cli import main

if __name__ == "__main__":
    main()
