"""Inspect a model: traces of a text, units that track a property, passages with similar states."""
