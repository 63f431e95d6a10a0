"""What the files of a run are called, in its folder."""

MODEL_NAME = "model.safetensors"  # the best model so far
CONFIG_NAME = "run.toml"  # the resolved configuration
METRICS_NAME = "metrics.jsonl"  # its figures, one JSON object a line
SAMPLES_NAME = "samples.txt"  # what it wrote while it learned
DATA_FOLDER = "data"  # the prepared text
LAST_FOLDER = "last"  # the state that a run is resumed from
MANIFEST = "manifest.json"  # in that folder: that the state is whole, and which file holds it
LOCK_NAME = ".burble-lock"  # while somebody trains: who
ASIDE = ".burble-new"  # a new run that has not taken the place of the old one yet
READY = ".burble-ready"  # a new run that is about to
TENSORBOARD = "tensorboard"  # curves for TensorBoard
