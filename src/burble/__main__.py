"""`python -m burble` is `burble`."""

from burble.isolation import leave_working_folder

leave_working_folder()

from burble.cli.main import main  # noqa: E402 - not before the working folder is left

if __name__ == "__main__":
    main()
