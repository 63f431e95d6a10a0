"""`burble train TEXT --minutes M --seed S`, no other knob, then `burble eval`, twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

from burble.evaluation.evaluate import WINDOW
from burble.run_folder import RunFolder
from command import burble
from learners.common import Learned, Task


def learn_text(task: Task) -> Learned:
    """Through the command line, as anyone would."""
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        options = ["--minutes", str(task.seconds / 60), "--seed", str(task.seed)]
        options += ["--lowercase"] if task.lowercase else []
        trained = burble("train", task.path, *options, "-o", run)
        stream, windows = (
            burble("eval", run, task.path, "--protocol", protocol, "--no-baselines")
            for protocol in ("stream", "windows")
        )
        config = RunFolder(Path(run)).read_config()
    network, data, training = config.network, config.data, config.training
    return Learned(
        bits=stream["bits_per_char"],
        windows_bits=windows["bits_per_char"],
        window=WINDOW,
        last_bits=stream["bits_per_char"],
        seconds=trained["seconds"],
        updates=trained["steps"],
        targets=trained["chars_seen"],
        parameters=trained["parameters"],
        detail=f"{network.cell} {network.num_layers}×{network.hidden_size}, batches of "
        f"{data.batch_size}×{data.seq_len}, dropout {training.dropout:g}",
    )
