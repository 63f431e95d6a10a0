"""Measure how good a model is, and what that figure is worth."""
