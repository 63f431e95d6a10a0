"""Benchmarks of how fast burble learns, writes and serves: `python -m benchmarks.NAME`."""
