"""Draw how the gradient fades on its way back through the text."""

from collections.abc import Sequence
from dataclasses import dataclass

from burble.plots.figure import COLOURS, SIZE, THICK, THIN, figure_bytes, use_style

# Gradients below this multiple of the newest one do not matter for learning.
_LOWEST = 1e-10


@dataclass(frozen=True)
class Curve:
    """The norm of a gradient 0, 1, … characters back, as a multiple of the first."""

    label: str
    values: list[float]
    is_fresh: bool  # whether the network is untrained; drawn dashed


def gradients_figure(curves: Sequence[Curve], title: str, kind: str) -> bytes:
    """Draw curves on a logarithmic axis, and return the bytes of a file of this kind."""
    with use_style():
        from matplotlib.figure import Figure

        labels = list(dict.fromkeys(curve.label for curve in curves))
        figure = Figure(figsize=SIZE)
        axes = figure.add_subplot()
        for curve in curves:
            axes.plot(
                curve.values,
                color=COLOURS[labels.index(curve.label) % len(COLOURS)],
                linestyle="--" if curve.is_fresh else "-",
                linewidth=THIN if curve.is_fresh else THICK,
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
        axes.grid(visible=True)
        axes.legend()
        return figure_bytes(figure, kind)
