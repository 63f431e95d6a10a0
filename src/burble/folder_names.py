"""What the files of a run are called, in its folder."""

from __future__ import annotations

MODEL_NAME = "model.safetensors"
"""The best model so far."""

CONFIG_NAME = "run.toml"
"""The resolved configuration."""

METRICS_NAME = "metrics.jsonl"
"""Its figures, one JSON object a line."""

SAMPLES_NAME = "samples.txt"
"""What it wrote while it learned."""

DATA_FOLDER = "data"
"""The prepared text."""

LAST_FOLDER = "last"
"""The state that a run is resumed from."""

MANIFEST = "manifest.json"
"""In that folder: what says that the state is whole, and which file holds it."""

LOCK_NAME = ".burble-lock"
"""While somebody trains: who."""

ASIDE = ".burble-new"
"""A new run that has not taken the place of the old one yet."""

READY = ".burble-ready"
"""A new run that is about to."""

TENSORBOARD = "tensorboard"
"""Curves for TensorBoard."""
