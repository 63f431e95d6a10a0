"""The reference in NumPy: it computes the same as the C learner, in the same order."""
