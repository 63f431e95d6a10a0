"""The clock and the stop signals of a run, the same in every process of a team."""

from burble.training.budget import Clock
from burble.training.signals import StopSignals
from burble.training.team import Team


class Watch:
    """The time that a run has taken, and the signal that asks it to stop."""

    def __init__(self, clock: Clock, signals: StopSignals, team: Team) -> None:
        self.clock = clock
        self.signals = signals
        self._team = team
        self.sync()

    def sync(self) -> None:
        """Update `seconds` and `signal` to the values that the whole team uses."""
        self.seconds, self.signal = self._team.sync(self.clock.seconds(), self.signals.requested)
