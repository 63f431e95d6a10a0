"""Inspect single units: which track a property, and what the model loses without one."""
