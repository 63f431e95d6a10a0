from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from burble.errors import UsageError
from burble.plots.figure import check_drawable
from burble.plots.gradients import Curve, gradients_figure

if TYPE_CHECKING:
    from pathlib import Path

CURVES = [
    Curve("rnn hidden", [0.5**back for back in range(201)], is_fresh=False),
    Curve("rnn hidden", [0.9**back for back in range(201)], is_fresh=True),
    Curve("lstm cell", [0.0] * 201, is_fresh=False),
]


def test_a_png_is_drawn() -> None:
    data = gradients_figure(CURVES, "how it fades", "png")
    width, height = struct.unpack(">II", data[16:24])
    assert width > height > 400


def test_an_svg_names_each_curve_once() -> None:
    drawn = gradients_figure(CURVES, "how it fades", "svg").decode()
    for label in ("rnn hidden, trained", "rnn hidden, fresh", "lstm cell, trained"):
        assert drawn.count(f"<!-- {label} -->") == 1


@pytest.mark.parametrize("name", ["flow", "flow.gif", "nowhere/flow.png"])
def test_what_cannot_be_written_is_told_before(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="figure"):
        check_drawable(str(tmp_path / name))
