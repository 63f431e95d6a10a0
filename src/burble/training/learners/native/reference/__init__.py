"""What the C learner computes, in NumPy: number for number, in the same orders."""
