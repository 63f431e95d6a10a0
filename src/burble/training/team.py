"""Several processes that learn as one: the leader decides what depends on clock and disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from burble.data.batch import Batch
from burble.errors import DivergedError, TrainingInterruptedError, UsageError

T = TypeVar("T")


class Team:
    """The processes of a run. This class is a process alone, which has nobody to ask."""

    rank = 0
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the run's files and speaks to the user."""
        return self.rank == 0

    def check_rows(self, rows: int) -> None:
        """Raise `UsageError` where `rows` cannot be shared equally."""
        if rows % self.size == 0:
            return
        advice = (
            f"that is a multiple of {self.size} (a short text has fewer rows than asked for), or "
            "start fewer processes."
        )
        error = UsageError(
            f"{self.size} processes cannot share batches of {rows} rows equally.",
            f"Give a batch size {advice}",
            f"Give a --batch-size {advice}",
        )
        raise error if self.leads else SystemExit(error.exit_code)

    def rows(self, all_rows: int) -> slice:
        count = all_rows // self.size
        return slice(self.rank * count, (self.rank + 1) * count)

    def shard(self, batch: Batch) -> Batch:
        return batch.part(self.rows(batch.inputs.shape[1]))

    def sync(self, seconds: float, signal: int | None) -> tuple[float, int | None]:
        """Return the leader's clock, and a signal that any process was sent."""
        return seconds, signal

    def run_on_leader(self, task: Callable[[], T]) -> T:
        """Let the leader do it, and give all its result; where it fails, all end."""
        return task()

    @contextmanager
    def reporting_once(self) -> Iterator[None]:
        """Of an error that ends the loop in every process, let only the leader's be reported."""
        try:
            yield
        except (DivergedError, TrainingInterruptedError) as error:
            if self.leads:
                raise
            raise SystemExit(error.exit_code) from error

    def finish(self) -> None:
        """End all processes but the leader: the run is learned."""
        if not self.leads:
            raise SystemExit(0)
