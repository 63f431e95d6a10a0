"""Ids on disk, and the ways to make batches of them."""
