"""The README's pictures, made from what burble shows: `make pictures`."""
