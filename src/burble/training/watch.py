"""The clock and the stop signals of a run, the same in every process of a team."""

from burble.training.budget import Clock
from burble.training.signals import StopSignals
from burble.training.team import Team


class Watch:
    def __init__(self, clock: Clock, signals: StopSignals, team: Team) -> None:
        self.clock = clock
        self.signals = signals
        self._team = team
        self.sync()

    def sync(self) -> None:
        self.seconds, self.signal = self._team.sync(self.clock.seconds(), self.signals.requested)
