"""Tables and sentences say who is best, whoever that is, and keep machines and protocols apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import generation_report
from benchmarks.generation import README, RESULTS
from benchmarks.learning_readme import readme_lines
from benchmarks.learning_report import (
    Run,
    empty_report,
    load_report,
    markdown,
    put,
    rows,
    runs_of,
    sealed_bits,
    tail_bits,
    write_data,
)
from benchmarks.tables import write_between

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["burble", "burble-torch", "torch-lstm", "counts"]
MACHINE = {
    "processor": "Abacus",
    "cores": 2,
    "instructions": ["AVX2"],
    "held_to": None,
    "system": "Linux",
    "python": "3.11",
    "versions": {},
    "load_before": 0.1,
}


def run(contestant: str, bits: float, budget: float = 10, **changed: Any) -> Run:
    facts: dict[str, Any] = {
        "sealed_bits": bits + 0.1,
        "windows_bits": None,
        "window": None,
        "seconds": budget or 1.5,
        "updates": 10,
        "targets": 100,
        "parameters": 7,
        "detail": "as it is",
        "machine": "Abacus",
        "text": "alice",
        "label": contestant,
        "date": "2026-11-27",
        "seed": 0,
    }
    return Run(bits=bits, contestant=contestant, budget=budget, **facts | changed)


def report_of(*runs: Run) -> dict[str, Any]:
    report = empty_report()
    report["machines"] = dict.fromkeys(dict.fromkeys(one.machine for one in runs), MACHINE)
    report["texts"] = {
        name: {"title": name.title(), "note": "a book", "sha256": "0"}
        for name in dict.fromkeys(one.text for one in runs)
    }
    for one in runs:
        put(report, one, NAMES)
    return report


def test_the_best_of_a_column_is_bold_whoever_it_is() -> None:
    made = report_of(
        run("burble", 2.0),
        run("torch-lstm", 1.9),
        run("burble", 1.5, 60),
        run("torch-lstm", 1.6, 60),
    )
    assert rows(runs_of(made), tail_bits) == [
        ["", "10 s", "60 s"],
        ["burble", "2.000", "**1.500**"],
        ["torch-lstm", "**1.900**", "1.600"],
    ]
    assert readme_lines(made)[:6] == [
        "|  | burble | torch-lstm |",
        "|---|---:|---:|",
        "| Alice, 10 s | 2.10 | **2.00** |",
        "| Alice, 60 s | **1.60** | 1.70 |",
        "",
        "**Where burble loses:** to torch-lstm on Alice (10 s).",
    ]


def test_medians_decide_and_the_spread_is_shown() -> None:
    seeds = [run("burble", bits, seed=seed) for seed, bits in enumerate((1.0, 3.0, 2.0))]
    made = rows(runs_of(report_of(*seeds, run("torch-lstm", 2.5))), tail_bits)
    assert made[1:] == [["burble", "**2.000 (1.000 – 3.000)**"], ["torch-lstm", "2.500"]]


def test_the_readme_judges_by_the_sealed_figure_alone() -> None:
    made = report_of(run("burble", 2.0, sealed_bits=2.2), run("torch-lstm", 2.1, sealed_bits=2.1))
    shown = readme_lines(made)
    assert "| Alice, 10 s | 2.20 | **2.10** |" in shown
    assert "**Where burble loses:** to torch-lstm on Alice (10 s)." in shown


def test_every_loss_is_named_and_none_is_made_up() -> None:
    made = report_of(
        run("burble", 2.0),
        run("burble", 1.8, 60),
        run("burble", 2.0, text="psalms"),
        run("burble", 2.0, text="shakespeare"),
        run("torch-lstm", 1.9),
        run("torch-lstm", 1.9, 60),
        run("torch-lstm", 1.9, text="psalms"),
        run("torch-lstm", 2.0, text="shakespeare"),
        run("counts", 1.7, budget=0),
    )
    assert (
        "**Where burble loses:** to torch-lstm on Alice (10 s), Psalms (10 s); to counts on Alice "
        "(10 s and 60 s)."
    ) in readme_lines(made)
    shown = "\n".join(readme_lines(report_of(run("burble", 1.8), run("torch-lstm", 1.9))))
    assert "burble loses in no row." in shown
    assert "seeds: 1 for burble, torch-lstm." in shown


def test_what_learns_nothing_is_in_every_row_that_it_fits() -> None:
    counts = run("counts", 1.7, budget=0, seconds=12.0)
    made = report_of(run("burble", 2.0), run("burble", 1.6, 60), counts)
    assert rows(runs_of(made), sealed_bits)[-1] == ["counts", "", "1.800"]
    shown = "\n".join(readme_lines(made))
    assert "| Alice, 10 s | **2.10** |  |" in shown
    assert "| Alice, 60 s | **1.70** | 1.80 |" in shown
    assert "burble loses in no row." in shown


def test_the_readme_leaves_out_contestants_and_texts_that_do_not_belong() -> None:
    made = report_of(
        run("burble", 2.0), run("burble-torch", 1.0), run("counts", 1.0, budget=0, text="psalms")
    )
    assert readme_lines(made)[:3] == ["|  | burble |", "|---|---:|", "| Alice, 10 s | **2.10** |"]


def test_machines_are_never_compared() -> None:
    made = report_of(run("burble", 2.0), run("torch-lstm", 1.5, machine="Other"))
    shown = "\n".join(readme_lines(made))
    assert "torch-lstm" not in shown
    assert "on Abacus;" in shown
    page = markdown(made)
    assert "## Abacus" in page
    assert "## Other" in page


def test_the_readme_shows_the_machine_of_burbles_newest_measurement() -> None:
    old = [run("burble", bits, seed=seed) for seed, bits in enumerate((2.0, 2.1))]
    new = run("burble", 1.5, machine="Other", date="2026-11-28")
    assert "on Other;" in readme_lines(report_of(*old, new))[-1]
    same_day = run("burble", 1.5, machine="Other")
    assert "on Abacus;" in readme_lines(report_of(same_day, *old))[-1]
    with pytest.raises(ValueError, match="measurement of burble"):
        readme_lines(report_of(run("torch-lstm", 1.5)))


def test_a_measurement_takes_the_place_of_the_same_one_alone() -> None:
    made = report_of(
        run("torch-lstm", 2.0),
        run("burble", 2.1),
        run("torch-lstm", 1.9),
        run("torch-lstm", 1.8, seed=1),
    )
    assert [(one.contestant, one.seed, one.bits) for one in runs_of(made)] == [
        ("burble", 0, 2.1),
        ("torch-lstm", 0, 1.9),
        ("torch-lstm", 1, 1.8),
    ]


def test_figures_of_another_protocol_are_not_loaded(tmp_path: Path) -> None:
    made = report_of(run("burble", 2.0))
    write_data(made, tmp_path)
    assert load_report(tmp_path) == made
    for old in (made | {"protocol": "the last tenth alone"}, {"machine": {}, "runs": []}):
        (tmp_path / "learning.json").write_text(json.dumps(old))
        assert load_report(tmp_path) is None
    assert load_report(tmp_path / "missing") is None


# Written into a page.

PAGE = "before\n<!-- learning -->\nold\n<!-- /learning -->\nafter\n"


def test_what_is_between_the_marks_is_replaced_and_no_more(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    write_between(page, "learning", ["new", "", "lines"])
    expected = "before\n<!-- learning -->\nnew\n\nlines\n<!-- /learning -->\nafter\n"
    assert page.read_text() == expected
    write_between(page, "learning", ["new", "", "lines"])
    assert page.read_text() == expected


@pytest.mark.parametrize(
    "text",
    [
        "no marks\n",
        PAGE.replace("<!-- /learning -->\n", ""),
        PAGE + PAGE,
        "<!-- /learning -->\n<!-- learning -->\n",
        PAGE.replace("learning", "generation"),
    ],
)
def test_a_page_without_its_marks_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="needs <!-- learning -->"):
        write_between(page, "learning", ["new"])
    assert page.read_text() == text


@pytest.mark.parametrize("name", ["learning", "generation"])
def test_the_readme_has_the_marks_of_each_table(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text("utf-8"), encoding="utf-8")
    write_between(copy, name, ["made"])
    assert f"<!-- {name} -->\nmade\n<!-- /{name} -->" in copy.read_text("utf-8")


def test_the_readmes_speed_of_writing_is_that_of_the_results() -> None:
    report = json.loads((RESULTS / "generation.json").read_text("utf-8"))
    results = [generation_report.Result(**result) for result in report["results"]]
    lines = generation_report.readme_lines(report, results)
    assert "\n".join(lines) in README.read_text("utf-8")


def test_the_readmes_table_of_learning_is_that_of_the_results() -> None:
    report = load_report(RESULTS)
    assert report is not None
    assert "\n".join(readme_lines(report)) in README.read_text("utf-8")


def test_each_package_is_represented_by_its_quickest_way_to_write() -> None:
    times = {"onnx-int8": 3.0, "burble": 1.0, "torch-cells": 9.0, "torch-onednn": 2.0}
    results = [
        generation_report.Result(
            "2x256", name, name, "", 3, 1e6 / time, 1e6 / time, 1e6 / time, time, time, None, time
        )
        for name, time in times.items()
    ]
    found = generation_report.quickest_of_each(results)
    assert [result.contestant for result in found] == ["torch-onednn", "onnx-int8"]
    report = {"machine": {"processor": "Abacus"}, "date": "2026-11-27"}
    (line,) = generation_report.readme_lines(report, results)
    assert "1,000,000 characters a second (LSTM 2×256, one core of Abacus, 2026-11-27)" in line
    assert line.endswith("torch-onednn ×2.00; onnx-int8 ×3.00.")
