"""How fast burble learns, writes and serves, beside others: `python -m benchmarks.NAME`."""
