"""How every figure looks, and how it becomes a file."""

from __future__ import annotations

import io
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from burble.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

KINDS = ("png", "svg")

# Okabe and Ito's palette, without its yellow, which is not seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MUCH, LITTLE, DARK = "#E07B1A", "#2F7FC1", "#5A2A00"

STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#777777",
    "text.parse_math": False,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # The same figure is the same file.
    "svg.hashsalt": "burble",
}


def figure_kind(name: str) -> str:
    """The kind of file that a name asks for. Raises `UsageError` for others than .png and .svg."""
    kind = PurePath(name).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"A figure is a .png or an .svg; found {name!r}.")
    return kind


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib in burble's style. Raises `MissingExtraError` where it is not installed."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise MissingExtraError("A figure", "plots") from error
    with mpl.rc_context():
        # Not those of a matplotlibrc, which is read from the working folder, too.
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", STYLE))
        yield


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """The file's content."""
    content = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(content, format=kind, dpi=200, metadata=metadata)
    return content.getvalue()


def colour_map(*, is_signed: bool) -> Colormap:
    """Blue, white, orange for what lies on both sides of zero; white to dark orange for shares."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = [LITTLE, "#FFFFFF", MUCH] if is_signed else ["#FFFFFF", MUCH, DARK]
    return LinearSegmentedColormap.from_list("burble", colours)


def drawable(text: str) -> str:
    """`text`, with a box for each character that the figures' font has no shape for."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in text)
