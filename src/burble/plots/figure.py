"""How every figure looks, and how it becomes a file."""

from __future__ import annotations

import importlib.util
import io
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, cast

from burble.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Each kind, with what would make two files of one figure differ.
KINDS: dict[str, dict[str, None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}

# Okabe and Ito's palette, without its yellow, which is not seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MUCH, LITTLE, DARK = "#E07B1A", "#2F7FC1", "#5A2A00"
INK, LINE, GRID = "#333333", "#777777", "#E5E5E5"

SIZE = (6, 3.8)
THIN, THICK = 0.8, 1.6

STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # The same figure is the same file.
    "svg.hashsalt": "burble",
}


def figure_kind(name: str) -> str:
    kind = PurePath(name).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"A figure's name must end in .png, .svg or .pdf; found {name!r}.")
    return kind


def check_drawable(name: str) -> None:
    """Raise `MissingExtraError` or `UsageError` where no figure could be drawn into this file."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtraError("A figure", "plots")
    figure_kind(name)
    folder = Path(name).parent
    if not folder.is_dir():
        raise UsageError(
            f"The figure cannot go into {folder}: there is no such folder. Make it first, or name "
            "another."
        )


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
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=200, metadata=KINDS[kind])
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
