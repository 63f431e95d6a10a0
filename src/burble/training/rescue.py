"""Go back to the last good state with half the learning rate when training diverges."""

from dataclasses import replace

from burble.errors import DivergedError
from burble.run_folder.observer import Observer
from burble.training.checkpoint import Checkpoint
from burble.training.position import MAX_RESCUES, Position
from burble.training.store import Store


class Rescue:
    """The last good state of a run, to go back to."""

    def __init__(self, observer: Observer, store: Store, good: Checkpoint | None) -> None:
        self._observer = observer
        self._store = store
        self.good = good

    def take_back(self, position: Position, reason: str) -> Checkpoint:
        """Return the last good state with half the learning rate.

        Raises `DivergedError` if there is none, or after too many rescues.
        """
        rescued = position.after_rescue()
        if self.good is None or rescued.rescues > MAX_RESCUES:
            raise DivergedError(
                f"Training diverged at step {position.step}: {reason}. It went back "
                f"{position.rescues} times, each time with half the learning rate.",
                self._store.describe_remains(),
                "Try a smaller learning rate.",
                "Try a smaller --learning-rate.",
            )
        good = self.good.position
        self._observer.message(
            f"At step {position.step} {reason}. Training goes back to step {good.step} with "
            f"{rescued.rate_scale:g} of the learning rate."
        )
        begun = replace(good, rate_scale=rescued.rate_scale, rescues=rescued.rescues)
        return Checkpoint(begun, self.good.tensors)
