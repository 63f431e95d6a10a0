"""The folder of a run: what is in it, and the logs that are written there."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING

from burble.config import CONFIG_NAME, from_toml, to_toml
from burble.data.prepared import DATA_FOLDER
from burble.durable import write_durably
from burble.errors import UsageError
from burble.metrics import METRICS_NAME, SAMPLES_NAME
from burble.model_file import MODEL_NAME
from burble.system_errors import guard_write
from burble.training.observer import Observer

if TYPE_CHECKING:
    from pathlib import Path

    from burble.config import RunConfig
    from burble.metrics import StepMetrics, ValidationMetrics


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where everything of one run lies."""

    path: Path

    @property
    def model(self) -> Path:
        """The best model so far."""
        return self.path / MODEL_NAME

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / CONFIG_NAME

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.path / METRICS_NAME

    @property
    def samples(self) -> Path:
        """What it wrote while it learned."""
        return self.path / SAMPLES_NAME

    @property
    def last(self) -> Path:
        """What resume needs."""
        return self.path / "last"

    @property
    def data(self) -> Path:
        """The prepared text."""
        return self.path / DATA_FOLDER

    @property
    def staging(self) -> Path:
        """Where a new text is prepared before anything old makes way for it."""
        return self.path / ".new-data"

    def check_free(self, *, overwrite: bool) -> None:
        """Refuse a folder that holds a run, but to overwrite it, or anything else."""
        if self._holds_run():
            if not overwrite:
                raise UsageError(
                    f"{self.path}/ already holds a run. Go on with it: burble train --resume "
                    f"{self.path}. Or name another folder with -o, or replace it with --overwrite."
                )
        elif self.path.exists() and not self._is_empty():
            raise UsageError(
                f"{self.path} is there already and is not a run of burble. Name another folder "
                "with -o."
            )

    def begin(self, config: RunConfig) -> None:
        """Replace what a former run left by the prepared text and the configuration of this one."""
        for file in (self.config, self.model, self.metrics, self.samples):
            file.unlink(missing_ok=True)
        for folder in (self.last, self.data):
            shutil.rmtree(folder, ignore_errors=True)
        self.staging.rename(self.data)
        self.write_config(config)

    def write_config(self, config: RunConfig) -> None:
        """Write `run.toml`."""
        write_durably(self.config, to_toml(config).encode())

    def read_config(self) -> RunConfig:
        """Read `run.toml`. Raises `UsageError` where there is none."""
        if not self.config.exists():
            raise UsageError(f"There is no run in {self.path}: {self.config} is missing.")
        return from_toml(self.config.read_text("utf-8"), str(self.config))

    def _is_empty(self) -> bool:
        return self.path.is_dir() and all(entry == self.staging for entry in self.path.iterdir())

    def _holds_run(self) -> bool:
        return self.config.exists() or self.model.exists()


class RunLog(Observer):
    """Writes `metrics.jsonl` and `samples.txt`, flushed line by line."""

    def __init__(self, folder: RunFolder) -> None:
        self._files = (folder.metrics, folder.samples)

    def sizes(self) -> tuple[int, int]:
        """Bytes in `metrics.jsonl` and in `samples.txt`; a checkpoint keeps them."""
        metrics, samples = (file.stat().st_size if file.exists() else 0 for file in self._files)
        return metrics, samples

    def cut(self, sizes: tuple[int, int]) -> None:
        """Forget what was logged after the checkpoint that is resumed from."""
        for file, size in zip(self._files, sizes, strict=True):
            if file.exists():
                with file.open("r+b") as log:
                    log.truncate(size)

    def stepped(self, metrics: StepMetrics) -> None:
        """One line of JSON."""
        self._append(self._files[0], json.dumps(dataclasses.asdict(metrics)) + "\n")

    def validated(self, metrics: ValidationMetrics) -> None:
        """One line of JSON."""
        self._append(self._files[0], json.dumps(dataclasses.asdict(metrics)) + "\n")

    def sampled(self, step: int, text: str) -> None:
        """The sample, under a line that says when."""
        self._append(self._files[1], f"--- step {step} ---\n{text}\n\n")

    def _append(self, path: Path, text: str) -> None:
        with guard_write(path), path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
