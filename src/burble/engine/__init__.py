"""A model that runs: NumPy only, never torch."""
