"""Draw a trace: the surprisal, one unit if chosen, and all units of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.errors import UsageError
from burble.plots.figure import (
    LINE,
    LITTLE,
    MUCH,
    colour_map,
    figure_bytes,
    replace_undrawable,
    use_style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from burble.arithmetic import Float32

# A wider figure would fit no page and no slide.
MAX_CHARACTERS = 200

_INCHES_PER_CHARACTER = 0.14
_TICK_SIZE = 7


@dataclass(frozen=True)
class TracePicture:
    labels: Sequence[str]  # the characters
    surprisal: np.ndarray[Any, np.dtype[np.float64]]  # bits, (time,); NaN if not predicted
    values: Float32  # of one gate or state in one layer, (time, units)
    name: str  # of that gate or state
    layer: int
    is_signed: bool  # whether values can be negative; if not, they are from 0 to 1
    is_bounded: bool  # whether values stay within ±1; if not, the heat map shows their tanh
    unit: int | None = None  # a unit to draw in a strip of its own

    def __post_init__(self) -> None:
        if len(self.labels) > MAX_CHARACTERS:
            raise UsageError(
                f"A figure has room for {MAX_CHARACTERS} characters; found {len(self.labels):,}.",
                "Give a shorter text; a page takes more.",
                "Give a shorter text, or make a page with --html, which takes more.",
            )


def trace_figure(picture: TracePicture, kind: str) -> bytes:
    """Draw a trace, and return the bytes of a file of this kind."""
    with use_style():
        from matplotlib.figure import Figure

        strips = 1 if picture.unit is None else 2
        width = max(5.0, 1.6 + _INCHES_PER_CHARACTER * len(picture.labels))
        figure = Figure(figsize=(width, 1.2 * strips + 3.2))
        axes = figure.subplots(strips + 1, sharex=True, height_ratios=[1] * strips + [3])
        surprisal = np.nan_to_num(picture.surprisal)
        axes[0].bar(range(len(surprisal)), surprisal, color=MUCH, width=0.8)
        axes[0].set_ylabel("surprisal\n(bits)")
        if picture.unit is not None:
            _draw_unit(axes[1], picture, picture.unit)
        _draw_units(axes[-1], picture)
        for each in axes:
            each.tick_params(axis="x", length=0)
        return figure_bytes(figure, kind)


def _draw_unit(axes: Axes, picture: TracePicture, unit: int) -> None:
    values = picture.values[:, unit]
    colours = [MUCH if value >= 0 else LITTLE for value in values]
    axes.bar(range(len(values)), values, color=colours, width=0.8)
    axes.axhline(0, color=LINE, linewidth=0.6)
    axes.set_ylabel(f"{picture.name},\nunit {unit}")


def _draw_units(axes: Axes, picture: TracePicture) -> None:
    shown = picture.values if picture.is_bounded else np.tanh(picture.values)
    order = order_by_similarity(shown)
    image = axes.imshow(
        shown.T[order],
        aspect="auto",
        interpolation="nearest",
        cmap=colour_map(is_signed=picture.is_signed),
        vmin=-1 if picture.is_signed else 0,
        vmax=1,
    )
    count = len(order)
    axes.set_yticks([0, count - 1], ["1", f"{count:,}"])
    axes.set_ylabel(f"units of layer {picture.layer},\nsimilar ones side by side")
    axes.set_xticks(
        range(len(picture.labels)),
        [replace_undrawable(label) for label in picture.labels],
        fontsize=_TICK_SIZE,
    )
    for tick in axes.get_xticklabels():
        # The label of a code point or a byte is wider than its column.
        tick.set_rotation(90 if len(tick.get_text()) > 2 else 0)
    axes.set_xlabel("characters of the text")
    label = picture.name if picture.is_bounded else f"tanh of {picture.name}"
    axes.figure.colorbar(image, ax=axes, label=label, aspect=30, pad=0.01)


def order_by_similarity(values: Float32) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return an order of units, (units,), that puts similar ones side by side.

    values: (time, units). Units are sorted by their angle in the plane of the first two principal
    components.
    """
    if len(values) < 3:
        return np.argsort(values[-1], kind="stable")
    moves = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2]
    return np.argsort(np.arctan2(moves[1], moves[0]), kind="stable")
