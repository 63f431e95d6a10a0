"""The C library: its interface, its loader, and the checks of its file."""
