"""Run `burble` as `python -m burble`."""

from burble.isolation import leave_working_folder

leave_working_folder()

from burble.cli.main import main  # noqa: E402 - the search path must be safe first

if __name__ == "__main__":
    main()
