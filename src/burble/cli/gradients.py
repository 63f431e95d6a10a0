"""`burble gradients`."""
