"""What commands found, for people."""
