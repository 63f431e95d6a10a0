"""`python -m burble` is `burble`."""

from burble.cli.main import main

if __name__ == "__main__":
    main()
