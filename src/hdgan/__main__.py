"""`python -m hdgan`: the same as the command `hdgan`."""

from hdgan.cli import main

if __name__ == "__main__":
    main()
