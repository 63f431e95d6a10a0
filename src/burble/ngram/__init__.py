"""Counts of the n-grams of a text, and what they predict: modified Kneser-Ney, interpolated."""
