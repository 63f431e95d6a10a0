"""The learners that `benchmarks/learning.py` compares, one in each file."""
