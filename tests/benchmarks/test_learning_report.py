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

NAMES = ["burble", "loop", "counts"]
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
        run("burble", 2.0), run("loop", 1.9), run("burble", 1.5, 60), run("loop", 1.6, 60)
    )
    assert rows(runs_of(made), tail_bits) == [
        ["", "10 s", "60 s"],
        ["burble", "2.000", "**1.500**"],
        ["loop", "**1.900**", "1.600"],
    ]
    shown = "\n".join(readme_lines(made))
    assert "| burble | 2.00 · 2.10 | **1.50** · **1.60** |" in shown
    assert "| loop | **1.90** · **2.00** | 1.60 · 1.70 |" in shown
    assert "Better than burble there: loop on Alice at 10 s." in shown


def test_medians_decide_and_the_spread_is_shown() -> None:
    seeds = [run("burble", bits, seed=seed) for seed, bits in enumerate((1.0, 3.0, 2.0))]
    made = rows(runs_of(report_of(*seeds, run("loop", 2.5))), tail_bits)
    assert made[1:] == [["burble", "**2.000 (1.000 – 3.000)**"], ["loop", "2.500"]]


def test_either_figure_is_enough_to_be_called_better() -> None:
    made = report_of(run("burble", 2.0, sealed_bits=2.2), run("loop", 2.1, sealed_bits=2.1))
    shown = "\n".join(readme_lines(made))
    assert "| burble | **2.00** · 2.20 |" in shown
    assert "| loop | 2.10 · **2.10** |" in shown
    assert "Better than burble there: loop on Alice at 10 s." in shown


def test_where_burble_is_best_the_sentence_says_so() -> None:
    shown = "\n".join(readme_lines(report_of(run("burble", 1.8), run("loop", 1.9))))
    assert "No other is better than burble in any column." in shown
    assert "seeds: 1 for burble, loop" in shown


def test_what_learns_nothing_is_in_every_column_that_it_fits() -> None:
    counts = run("counts", 1.7, budget=0, seconds=12.0)
    made = report_of(run("burble", 2.0), run("burble", 1.6, 60), counts)
    assert rows(runs_of(made), sealed_bits)[-1] == ["counts", "", "1.800"]
    shown = "\n".join(readme_lines(made))
    assert "| counts |  | 1.70 · 1.80 |" in shown
    assert "No other is better than burble in any column." in shown


def test_machines_are_never_compared() -> None:
    made = report_of(run("burble", 2.0), run("loop", 1.5, machine="Other"))
    shown = "\n".join(readme_lines(made))
    assert shown.index("**Abacus**") < shown.index("**Other**")
    assert "Better than burble" not in shown
    assert "burble was not measured there." in shown
    page = markdown(made)
    assert "## Abacus" in page
    assert "## Other" in page


def test_a_measurement_takes_the_place_of_the_same_one_alone() -> None:
    made = report_of(
        run("loop", 2.0), run("burble", 2.1), run("loop", 1.9), run("loop", 1.8, seed=1)
    )
    assert [(one.contestant, one.seed, one.bits) for one in runs_of(made)] == [
        ("burble", 0, 2.1),
        ("loop", 0, 1.9),
        ("loop", 1, 1.8),
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


def test_the_readmes_table_of_writing_is_that_of_the_results() -> None:
    report = json.loads((RESULTS / "generation.json").read_text("utf-8"))
    lines = generation_report.readme_lines(
        report, [generation_report.Result(**result) for result in report["results"]]
    )
    assert "\n".join(lines) in README.read_text("utf-8")
