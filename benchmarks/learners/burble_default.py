"""Learn with `burble train TEXT --minutes M --seed S` and a sealed part, then `burble eval`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.command import burble
from benchmarks.learners.common import TEST_FRACTION, VAL_FRACTION, Learned, Task, read_text
from burble.evaluation.evaluate import WINDOW
from burble.run_folder.folder import RunFolder


def learn_text(task: Task, learner: str | None = None) -> Learned:
    """Train on the command line, as a user would, and score the last tenth as a separate text.

    learner: the value of --learner; None leaves the choice to burble.
    """
    with tempfile.TemporaryDirectory() as folder:
        run, tail = f"{folder}/run", Path(folder) / "tail.txt"
        text = read_text(task)
        tail.write_bytes(text.tokenizer.decode(text.tail).encode())
        options = ["--minutes", str(task.seconds / 60), "--seed", str(task.seed)]
        options += ["--val-fraction", str(VAL_FRACTION), "--test-fraction", str(TEST_FRACTION)]
        options += ["--lowercase"] if task.lowercase else []
        options += ["--learner", learner] if learner else []
        trained = burble("train", task.path, *options, "-o", run)
        stream, windows = (
            burble("eval", run, str(tail), "--protocol", protocol, "--no-baselines")
            for protocol in ("stream", "windows")
        )
        config = RunFolder(Path(run)).read_config()
    network, data, training = config.network, config.data, config.training
    return Learned(
        bits=stream["bits_per_char"],
        sealed_bits=trained["test_bits_per_char"],
        windows_bits=windows["bits_per_char"],
        window=WINDOW,
        seconds=trained["seconds"],
        updates=trained["steps"],
        targets=trained["chars_seen"],
        parameters=trained["parameters"],
        detail=f"{network.cell} {network.num_layers}×{network.hidden_size}, batches of "
        f"{data.batch_size}×{data.seq_len}, dropout {training.dropout:g}, {training.precision}, "
        f"learner {training.learner}",
    )
