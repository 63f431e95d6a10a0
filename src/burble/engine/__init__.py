"""Run trained models, with NumPy and C, never torch."""
