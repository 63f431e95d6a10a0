"""The names of the files in a run folder."""

MODEL_NAME = "model.safetensors"  # the best model so far
CONFIG_NAME = "run.toml"  # the resolved configuration
METRICS_NAME = "metrics.jsonl"  # its figures, one JSON object a line
SAMPLES_NAME = "samples.txt"  # texts that the model wrote during training
DATA_FOLDER = "data"  # the prepared text
LAST_FOLDER = "last"  # the state that a run is resumed from
MANIFEST = "manifest.json"  # in LAST_FOLDER: marks the state as complete and names its file
LOCK_NAME = ".burble-lock"  # exists during training: the process and its command
ASIDE = ".burble-new"  # a new run that has not replaced the old one yet
READY = ".burble-ready"  # a new run that is replacing the old one
TENSORBOARD = "tensorboard"  # curves for TensorBoard
