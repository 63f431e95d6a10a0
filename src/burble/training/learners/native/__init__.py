"""The learner for processors: its C kernels, and the same in NumPy."""
