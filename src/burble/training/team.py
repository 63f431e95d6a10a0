"""A team of processes that train one model. The leader decides what depends on clock and disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from burble.data.batch import Batch
from burble.errors import DivergedError, TrainingInterruptedError, UsageError

T = TypeVar("T")


class Team:
    """The processes of a run. This class is for a single process."""

    rank = 0
    size = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files of the run and reports to the user."""
        return self.rank == 0

    def check_rows(self, rows: int) -> None:
        """Raise `UsageError` unless the processes can share `rows` equally."""
        if rows % self.size == 0:
            return
        advice = (
            f"that is a multiple of {self.size} (a short text has fewer rows than asked for), or "
            "start fewer processes."
        )
        error = UsageError(
            f"{self.size} processes cannot share batches of {rows} rows equally.",
            f"Use a batch size {advice}",
            f"Use a --batch-size {advice}",
        )
        raise error if self.leads else SystemExit(error.exit_code)

    def rows(self, all_rows: int) -> slice:
        """Return which of `all_rows` belong to this process."""
        count = all_rows // self.size
        return slice(self.rank * count, (self.rank + 1) * count)

    def shard(self, batch: Batch) -> Batch:
        """Return this process's rows of a batch."""
        return batch.part(self.rows(batch.inputs.shape[1]))

    def sync(self, seconds: float, signal: int | None) -> tuple[float, int | None]:
        """Return the leader's clock, and a signal that any of the processes received."""
        return seconds, signal

    def run_on_leader(self, task: Callable[[], T]) -> T:
        """Run a task on the leader and return its result in every process. If it fails, all end."""
        return task()

    @contextmanager
    def reporting_once(self) -> Iterator[None]:
        """Report an error that ends training in every process only once, by the leader."""
        try:
            yield
        except (DivergedError, TrainingInterruptedError) as error:
            if self.leads:
                raise
            raise SystemExit(error.exit_code) from error

    def finish(self) -> None:
        """End all processes except the leader, after training."""
        if not self.leads:
            raise SystemExit(0)
