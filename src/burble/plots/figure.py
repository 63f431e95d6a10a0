"""The style of all figures, and the way they become files."""

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

# Each kind of file, with the metadata to leave out: it would make two files of a figure differ.
KINDS: dict[str, dict[str, None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}

# Okabe and Ito's palette, without its yellow, which is hard to see on white.
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
    # So that the same figure gives the same file.
    "svg.hashsalt": "burble",
}


def figure_kind(name: str) -> str:
    """Return the kind of a figure, by the ending of its file name. Raises `UsageError`."""
    kind = PurePath(name).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"A figure's name must end in .png, .svg or .pdf; found {name!r}.")
    return kind


def check_drawable(name: str) -> None:
    """Check that a figure can be drawn into a file, before the work begins.

    Raises `MissingExtraError` or `UsageError`.
    """
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
def use_style() -> Iterator[None]:
    """Set matplotlib to burble's style inside the block. Raises `MissingExtraError`."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise MissingExtraError("A figure", "plots") from error
    with mpl.rc_context():
        # Ignore matplotlibrc files: matplotlib reads one from the working folder, too.
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", STYLE))
        yield


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as the bytes of a file of this kind."""
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=200, metadata=KINDS[kind])
    return content.getvalue()


def colour_map(*, is_signed: bool) -> Colormap:
    """Return the colour map of a heat map.

    Signed values go from blue through white to orange, shares from white to dark orange.
    """
    from matplotlib.colors import LinearSegmentedColormap

    colours = [LITTLE, "#FFFFFF", MUCH] if is_signed else ["#FFFFFF", MUCH, DARK]
    return LinearSegmentedColormap.from_list("burble", colours)


def replace_undrawable(text: str) -> str:
    """Return `text` with a box in place of each character that the figures' font lacks."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return "".join(c if font.get_char_index(ord(c)) else "□" for c in text)
