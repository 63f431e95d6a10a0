"""Figures are drawn from real traces and logs; what is in them is read back from the SVG."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest

from burble.errors import UsageError
from burble.plots.curves import held_out, learning_figure, training
from burble.plots.figure import KINDS, STYLE, figure_kind, replace_undrawable
from burble.plots.traces import MAX_CHARACTERS, TracePicture, order_by_similarity, trace_figure
from burble.run_folder.metrics import Metrics, StepMetrics, ValidationMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

NUMBERS = np.random.default_rng(0)


def picture(labels: Sequence[str] = "abcd", **options: Any) -> TracePicture:
    count = len(labels)
    settings: dict[str, Any] = {
        "labels": labels,
        "surprisal": np.concatenate([[np.nan], NUMBERS.random(count - 1) * 8]),
        "values": NUMBERS.normal(size=(count, 30)).astype(np.float32),
        "name": "cell",
        "layer": 0,
        "is_signed": True,
        "is_bounded": False,
    }
    return TracePicture(**settings | options)


def metrics(*, level: float = 2.0, is_held_out: bool = True) -> Metrics:
    steps = [
        StepMetrics(n, float(n), n / 50, level + 4 / n, 0.5, 0.01, 1.0, 1000.0, 0.1)
        for n in range(1, 51)
    ]
    readings = [
        ValidationMetrics(
            n, float(n), n / 50, level + 5 / n if is_held_out else None, None, best=True
        )
        for n in range(1, 51, 7)
    ]
    return Metrics(steps, readings)


@pytest.fixture
def texts_stay_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters in an SVG are letters, so that a test can read them; else they are outlines."""
    monkeypatch.setitem(STYLE, "svg.fonttype", "none")


def texts(svg: bytes) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def size(png: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        return image.size


# Traces.


def test_a_trace_is_drawn_with_its_characters_and_units(texts_stay_texts: None) -> None:
    found = texts(trace_figure(picture("xyz"), "svg"))
    for label in ("x", "y", "z", "(bits)", "characters of the text", "tanh of cell"):
        assert label in found
    assert "units of layer 0," in found


def test_a_unit_has_a_strip_of_its_own(texts_stay_texts: None) -> None:
    assert "unit 7" not in texts(trace_figure(picture(), "svg"))
    found = texts(trace_figure(picture(unit=7, name="forget", is_bounded=True), "svg"))
    assert {"forget,", "unit 7", "forget"} <= set(found)


def test_characters_that_would_be_markup_or_have_no_shape_are_drawn(texts_stay_texts: None) -> None:
    labels = ["$", "_", "^", "\\", "<", "&", "\U0001f9ff", "日", "◌\u0301", "U+202E"]
    found = texts(trace_figure(picture(labels), "svg"))
    assert {"$", "_", "^", "\\", "&lt;", "&amp;", "U+202E"} <= set(found)
    assert replace_undrawable("a\U0001f9ff日") == "a□□"


def test_a_longer_text_is_a_wider_figure() -> None:
    short, long = (size(trace_figure(picture("a" * count), "png")) for count in (10, 60))
    assert long[1] == short[1]
    assert long[0] > 1.9 * short[0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_texts_are_drawn(count: int) -> None:
    assert trace_figure(picture("a" * count), "png").startswith(b"\x89PNG")


def test_a_text_too_long_for_a_figure_is_refused() -> None:
    with pytest.raises(UsageError, match="room for 200 characters; found 201"):
        picture("a" * (MAX_CHARACTERS + 1))


def test_units_that_move_alike_are_side_by_side() -> None:
    time = np.linspace(0, 12, 50)[:, None]
    phases = NUMBERS.permutation(np.repeat(np.arange(4), 5)) * np.pi / 2
    order = order_by_similarity(np.sin(time + phases).astype(np.float32))
    assert sorted(order) == list(range(20))
    jumps = np.count_nonzero(np.diff(phases[order]))
    assert jumps <= 4


# Learning curves.


def test_curves_are_the_figures_of_the_log() -> None:
    assert held_out(metrics())[1] == (8.0, 2 + 5 / 8)
    assert training(metrics())[-1] == (50.0, 2 + 4 / 50)
    assert held_out(metrics(is_held_out=False)) == []


def test_runs_are_named_with_their_best_figure(texts_stay_texts: None) -> None:
    runs = {"small": metrics(level=3.0), "_large $x$": metrics()}
    found = texts(learning_figure(runs, "svg"))
    assert "small: 3.100 at best" in found
    assert "_large $x$: 2.100 at best" in found
    assert {"seconds of training", "bits per character"} <= set(found)


def test_a_run_with_nothing_held_out_is_drawn(texts_stay_texts: None) -> None:
    found = texts(learning_figure({"run": metrics(is_held_out=False)}, "svg"))
    assert "run" in found


def test_a_run_that_has_logged_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="run empty has logged nothing"):
        learning_figure({"empty": Metrics([], [])}, "png")


# Files.


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_figure_is_the_same_file(kind: str) -> None:
    one = picture()
    assert trace_figure(one, kind) == trace_figure(one, kind)


def test_a_name_says_the_kind() -> None:
    assert [figure_kind(name) for name in ("a.png", "b/c.SVG")] == ["png", "svg"]
    for name in ("a.gif", "png", ""):
        with pytest.raises(UsageError, match=r"\.png, \.svg or \.pdf"):
            figure_kind(name)


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    before = dict(mpl.rcParams)
    learning_figure({"run": metrics()}, "png")
    assert dict(mpl.rcParams) == before
