"""The learner of processors: its C kernels, and the same in NumPy."""
