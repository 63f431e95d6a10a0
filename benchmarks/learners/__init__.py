"""The learners that `benchmarks/learning.py` compares, one a file."""
