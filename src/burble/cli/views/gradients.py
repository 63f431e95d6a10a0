"""The report of `burble gradients`: its figures, and conclusions that follow from them."""

import sys
from dataclasses import dataclass
from typing import Any

from burble.cells import CellKind
from burble.model_file import ModelFile
from burble.plots.gradients import Curve

KINDS: tuple[CellKind, ...] = ("rnn", "lstm")

_BACK = (1, 5, 10, 20, 50, 100, 200)

# The conclusion compares the gradients this many characters back. A tenth of the newest gradient
# still teaches; a hundredth hardly does.
_FAR = 100
_KEPT, _GONE = 0.1, 0.01


@dataclass(frozen=True)
class Measured:
    """A network and how the gradient fades in it, before and after training.

    The lists have the gradient's norm by distance in characters, as a multiple of the newest, for
    each tensor of the state.
    """

    file: ModelFile
    before: dict[str, list[float]]
    after: dict[str, list[float]]

    def curves(self) -> list[Curve]:
        return [
            Curve(f"{self.file.network.cell} {name}", values, is_fresh)
            for name in self.after
            for values, is_fresh in ((self.before[name], True), (self.after[name], False))
        ]

    def best(self) -> Curve:
        """Return the trained curve with the largest gradient far back."""
        trained = [curve for curve in self.curves() if not curve.is_fresh]
        return max(trained, key=lambda curve: curve.values[_FAR])


def first_below(values: list[float], share: float) -> int | None:
    """Return the distance from which on the gradient stays below this share; None if nowhere."""
    reaching = max(place for place, value in enumerate(values) if place == 0 or value >= share)
    return reaching + 1 if reaching + 1 < len(values) else None


@dataclass(frozen=True)
class Report:
    rnn: Measured
    lstm: Measured

    def curves(self) -> list[Curve]:
        return [*self.rnn.curves(), *self.lstm.curves()]

    def title(self) -> str:
        network = self.lstm.file.network
        rnn, lstm = (measured.file.num_weights for measured in (self.rnn, self.lstm))
        return (
            f"the gradient going back: {network.num_layers}×{network.hidden_size} units, rnn with "
            f"{rnn:,} weights, lstm with {lstm:,}"
        )

    def weights(self) -> str:
        """Describe how many weights each has: equal units do not mean equal weights."""
        numbers = [measured.file.num_weights for measured in (self.rnn, self.lstm)]
        return (
            f"with {self.lstm.file.network.hidden_size:,} units in each layer the rnn has "
            f"{numbers[0]:,} weights and the lstm {numbers[1]:,}, {numbers[1] / numbers[0]:.1f} "
            "times as many"
        )

    def conclusion(self) -> str:
        """Describe how far each state reaches and what the comparison shows."""
        rnn, lstm = self.rnn.best(), self.lstm.best()
        return " ".join(
            [
                *(_reach(curve) for curve in self.curves() if not curve.is_fresh),
                f"{_FAR} characters back the rnn has {rnn.values[_FAR]:.1g} of it left and the "
                f"lstm {lstm.values[_FAR]:.1g}, {_times(lstm, rnn)}.",
                _verdict(rnn, lstm),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        network = self.lstm.file.network
        files = {"rnn": self.rnn.file, "lstm": self.lstm.file}
        return {
            "num_layers": network.num_layers,
            "hidden_size": network.hidden_size,
            "num_weights": {kind: file.num_weights for kind, file in files.items()},
            "val_bits_per_char": {
                kind: file.provenance.val_bits_per_char for kind, file in files.items()
            },
            "curves": [
                {
                    "state": curve.label,
                    "trained": not curve.is_fresh,
                    "half": first_below(curve.values, 0.5),
                    "hundredth": first_below(curve.values, 0.01),
                    "relative_norm": curve.values,
                }
                for curve in self.curves()
            ],
            "conclusion": self.conclusion(),
        }


def print_report(report: Report) -> None:
    lines = [
        "norm of the gradient with respect to the state so many characters back, as a multiple of "
        "the newest",
        f"{'':<20}" + "".join(f"{back:>8}" for back in _BACK),
        *map(_row, report.curves()),
        "",
        report.weights(),
        *(_held_out(measured) for measured in (report.rnn, report.lstm)),
        report.conclusion(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _row(curve: Curve) -> str:
    name = f"{curve.label}, {'fresh' if curve.is_fresh else 'trained'}"
    return f"{name:<20}" + "".join(f"{curve.values[back]:>8.1g}" for back in _BACK)


def _held_out(measured: Measured) -> str:
    bits = measured.file.provenance.val_bits_per_char
    shown = "not measured" if bits is None else f"{bits:.3f} bits per character"
    return f"{measured.file.network.cell} on held-out text: {shown}"


def _reach(curve: Curve) -> str:
    half, hundredth = (first_below(curve.values, share) for share in (0.5, 0.01))
    return (
        f"In the trained {curve.label} state half of the gradient is gone {_after(half)}, "
        f"99% {_after(hundredth)}."
    )


def _after(back: int | None) -> str:
    if back is None:
        return "nowhere in reach"
    return f"after {back} character{'s' if back > 1 else ''}"


def _times(more: Curve, less: Curve) -> str:
    if less.values[_FAR] == 0:
        return "infinitely more"
    ratio = more.values[_FAR] / less.values[_FAR]
    if ratio >= 1e6:
        return "more than a million times as much"
    return f"{ratio:,.0f} times as much" if ratio >= 10 else f"{ratio:.2g} times as much"


def _verdict(rnn: Curve, lstm: Curve) -> str:
    claim = "That it vanishes in the one and is kept in the other"
    far_rnn, far_lstm = rnn.values[_FAR], lstm.values[_FAR]
    if max(rnn.values) > 1 / _GONE:
        return f"In the rnn it explodes: at its peak it is {max(rnn.values):.1g} times the newest."
    if far_rnn >= _GONE:
        return f"{claim} does not show here: the rnn has not lost it."
    if far_lstm >= _KEPT:
        return f"{claim} is what these networks show."
    if far_lstm >= _GONE:
        return f"{claim} is nearly what these networks show: the lstm keeps a small part."
    if far_lstm > 10 * far_rnn:
        return f"{claim} is only half true here: it vanishes in both, in the lstm more slowly."
    return f"{claim} is not what these networks show: it vanishes in both."
