"""The C library: what it offers, its loader, and the checks of its file."""
