"""The figure of how the gradient fades on its way back."""

from __future__ import annotations

import importlib.util
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from burble.durable import write_durably
from burble.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_KINDS = (".png", ".svg", ".pdf")

# Okabe and Ito 2008: told apart by every eye. One for each tensor of a state.
_COLOURS = ("#d55e00", "#0072b2", "#009e73")

# Beyond this many times smaller, lines differ in ways that no learning can tell.
_LOWEST = 1e-10


@dataclass(frozen=True)
class Curve:
    """A gradient's norm 0, 1, … characters back, as a multiple of the first."""

    label: str
    values: list[float]
    is_fresh: bool
    """Of a network that has learned nothing yet: drawn dashed."""


def check_drawable(path: Path) -> None:
    """Raise `MissingExtraError` or `UsageError` where no figure could be drawn into this file."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("Drawing", "plots")
    if path.suffix not in _KINDS:
        raise UsageError(f"A figure's name must end in {', '.join(_KINDS)}; found {path.name!r}.")
    if not path.parent.is_dir():
        raise UsageError(f"The figure cannot go into {path.parent}: there is no such folder.")


def draw_gradients(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Draw the curves into a file that `check_drawable` has passed."""
    import matplotlib as mpl

    with mpl.rc_context():
        # Not those of a matplotlibrc, which is read from the working folder, too.
        mpl.rcdefaults()
        _draw(curves, title, path)


def _draw(curves: Sequence[Curve], title: str, path: Path) -> None:
    from matplotlib.figure import Figure

    labels = list(dict.fromkeys(curve.label for curve in curves))
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for curve in curves:
        axes.plot(
            curve.values,
            color=_COLOURS[labels.index(curve.label) % len(_COLOURS)],
            linestyle="--" if curve.is_fresh else "-",
            linewidth=1.2 if curve.is_fresh else 2,
            label=f"{curve.label}, {'fresh' if curve.is_fresh else 'trained'}",
        )
    axes.set(
        title=title,
        xlabel="characters back",
        ylabel="norm of the gradient, as a multiple of the newest",
        yscale="log",
        ylim=(_LOWEST, 2 * max(max(curve.values) for curve in curves)),
        xlim=(0, max(len(curve.values) for curve in curves) - 1),
    )
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.removeprefix("."), dpi=100)
    write_durably(path, content.getvalue())
