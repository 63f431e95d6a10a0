"""Draw learning curves: bits per character against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burble.errors import UsageError
from burble.plots.figure import (
    COLOURS,
    SIZE,
    THICK,
    THIN,
    figure_bytes,
    replace_undrawable,
    use_style,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from burble.run_folder.metrics import Metrics

Curve = list[tuple[float, float]]  # seconds, and bits per character

# The steep fall of the first steps, from log2 of the vocabulary, would flatten the rest.
_SHOWN_FROM = 0.1


def learning_figure(runs: Mapping[str, Metrics], kind: str) -> bytes:
    """Draw the learning curves of runs, by name, and return the file's bytes.

    kind: one of `KINDS`. Raises `UsageError` for an empty run, and `MissingExtraError`.
    """
    curves = {name: (held_out(metrics), training(metrics)) for name, metrics in runs.items()}
    for name, (on_held_out, on_training) in curves.items():
        if not on_held_out and not on_training:
            raise UsageError(
                f"The run {name} has logged nothing yet: there is nothing to draw. Let it learn "
                "first."
            )
    with use_style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=SIZE)
        axes = figure.subplots()
        for number, (on_held_out, on_training) in enumerate(curves.values()):
            colour = COLOURS[number % len(COLOURS)]
            axes.plot(*_columns(on_training), color=colour, linewidth=THIN, alpha=0.45)
            axes.plot(*_columns(on_held_out), color=colour, linewidth=THICK, marker="o", ms=3)
        _name_runs(axes, curves)
        _finish(axes, [curve for pair in curves.values() for curve in pair if curve])
        return figure_bytes(figure, kind)


def held_out(metrics: Metrics) -> Curve:
    return [
        (reading.seconds, reading.val_bits_per_char)
        for reading in metrics.validations
        if reading.val_bits_per_char is not None
    ]


def training(metrics: Metrics) -> Curve:
    return [(step.seconds, step.train_bits_per_char) for step in metrics.steps]


def _columns(curve: Curve) -> tuple[list[float], list[float]]:
    return [seconds for seconds, _ in curve], [bits for _, bits in curve]


def _name_runs(axes: Axes, curves: Mapping[str, tuple[Curve, Curve]]) -> None:
    thick = axes.get_lines()[1::2]
    numbers = [str(number) for number in range(len(thick))]
    title = "held out (thick), training (thin)"
    legend = axes.legend(thick, numbers, title=title, alignment="left")
    # Set the texts afterwards, because matplotlib leaves out labels that begin with an underscore.
    for text, (name, (on_held_out, _)) in zip(legend.get_texts(), curves.items(), strict=True):
        best = f": {min(bits for _, bits in on_held_out):.3f} at best" if on_held_out else ""
        text.set_text(replace_undrawable(name) + best)


def _finish(axes: Axes, curves: list[Curve]) -> None:
    lowest = min(bits for curve in curves for _, bits in curve)
    highest = max(
        bits for curve in curves for seconds, bits in curve if seconds >= _SHOWN_FROM * curve[-1][0]
    )
    margin = 0.05 * (highest - lowest) or 0.1
    axes.set_ylim(lowest - margin, highest + margin)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds of training")
    axes.set_ylabel("bits per character")
    axes.grid(axis="y")
