"""Train a network, natively or with torch. Only `learners/torch` imports torch."""
