"""The prepared text: ids on disk, and the ways to cut them into batches."""
