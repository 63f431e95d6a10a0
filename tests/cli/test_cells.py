from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import pytest

from burble.inspection.units.properties import PROPERTIES
from tests.cli.command import assert_refused, burble, burble_json, burble_process, said
from tests.models import random_model
from tests.training.runs import made_up_text

if TYPE_CHECKING:
    from pathlib import Path


looked = partial(burble_json, "cells")


def test_a_trained_model_has_units_that_track_words(trained: Path) -> None:
    found = looked(trained / "run", trained / "text.txt", "--whole", "--top", "2")
    assert list(found) == ["num_chars", "unknown_chars", "part", "properties", "ablation", "like"]
    assert list(found["properties"]) == list(PROPERTIES)
    tracked = found["properties"]["word-position"]
    assert len(tracked["units"]) == 2
    best = tracked["units"][0]
    assert list(best) == ["unit", "chosen", "held_out", "tracks"]
    assert best["tracks"]
    assert best["unit"]["reading"] in {"hidden", "cell", "tanh cell"}
    assert abs(best["held_out"]) > 0.5
    assert best["held_out"] == pytest.approx(best["chosen"], abs=0.15)
    assert found["properties"]["digit"]["units"] == []
    shown = "".join(piece for piece, _ in tracked["passage"])
    assert shown in (trained / "text.txt").read_text()


def test_of_the_training_text_only_the_held_out_end_is_read(trained: Path) -> None:
    text = (trained / "text.txt").read_text()
    found = looked(trained / "run", trained / "text.txt", "--property", "word")
    assert found["num_chars"] == len(text) - int(0.9 * len(text))
    assert found["part"] == "the held-out end of the training text"


def test_a_model_that_learned_nothing_has_no_unit_that_tracks_it(
    trained: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    draw = random.Random(3)  # noqa: S311 - not a secret
    # Numbers without any order: what comes after a b is as likely anywhere.
    text.write_text("".join(draw.choice("abdefg") for _ in range(6000)))
    asked = (trained / "run", text, "--regex", "(?<=abd).{40}")
    found = looked(*asked)["properties"]["/(?<=abd).{40}/"]
    assert len(found["units"]) == 5
    assert not any(unit["tracks"] for unit in found["units"])
    shown = burble("cells", *asked).stdout.decode()
    assert "found nothing that tracks it" in shown
    assert f"{found['least']:.2f} or more" in shown
    assert "chosen\n" not in shown


def test_characters_that_it_has_never_seen_are_counted(trained: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(made_up_text(100, seed=5) + "ééé")
    args = (trained / "run", text, "--property", "word", "--unknown", "skip")
    assert looked(*args)["unknown_chars"] == 3
    assert "characters were left out" in said(burble("cells", *args))


def test_a_pattern_of_ones_own_is_looked_for_alone(trained: Path) -> None:
    found = looked(trained / "run", trained / "text.txt", "--whole", "--regex", r"\.\n")
    assert list(found["properties"]) == [r"/\.\n/"]
    assert abs(found["properties"][r"/\.\n/"]["units"][0]["held_out"]) > 0.5


def test_holding_a_unit_costs_and_changes_the_sample(trained: Path) -> None:
    best = looked(trained / "run", trained / "text.txt", "--whole", "--regex", r"\.\n")
    unit = best["properties"][r"/\.\n/"]["units"][0]["unit"]
    held = looked(
        *(trained / "run", trained / "text.txt", "--whole"),
        *("--ablate", f"{unit['layer']}:{unit['unit']}", "--ablate", "0:0=0.5", "--seed", "4"),
    )
    assert held["properties"] == {}
    ablation = held["ablation"]
    assert ablation["holds"][1] == {"layer": 0, "unit": 0, "value": 0.5}
    assert -1 < ablation["holds"][0]["value"] < 1
    assert ablation["cost"]["held_bits"] > ablation["cost"]["free_bits"]
    assert ablation["cost"]["losses"][0]["extra_bits"] > 0
    assert ablation["free_sample"] != ablation["held_sample"]
    written = burble("generate", trained / "run", "--seed", "4", "--length", "300")
    assert written.stdout.decode() == ablation["free_sample"] + "\n"


def test_the_place_a_span_was_copied_from_is_the_most_like_it(trained: Path) -> None:
    lines = (trained / "text.txt").read_text().splitlines()
    before, span = "\n".join(lines[210:221]) + "\n", lines[221]
    found = looked(
        *(trained / "run", trained / "text.txt", "--top", "3"),
        *("--like", f"{before}{span[:4]}[[{span[4:12]}]]what comes after"),
    )
    first = found["like"][0]
    assert (first["line"], first["span"]) == (222, span[4:12])
    assert first["before"].endswith(span[:4])
    assert len(found["like"]) == 3


def test_for_people_there_are_tables_and_bars_under_the_text(trained: Path) -> None:
    command = ("cells", trained / "run", trained / "text.txt", "--whole", "--top", "1")
    shown = burble(*command, "--property", "capital", "--property", "digit").stdout.decode()
    assert "the first half chose the units, the second half scored them" in shown
    assert "capital: the character is a capital letter" in shown
    assert "no unit can track it" in shown
    lines = shown.splitlines()
    line = next(place for place, text in enumerate(lines) if text.endswith("↵"))
    assert len(lines[line + 1]) == len(lines[line])
    assert set(lines[line + 1]) <= set("▁▂▃▄▅▆▇█")
    held = burble(*command, "--ablate", "0:3=0", "--like", "a [[b]]").stdout.decode()
    assert "holding 0:3 at +0.000" in held
    assert "line " in held


def test_on_a_terminal_the_text_is_coloured(trained: Path) -> None:
    command = ("cells", trained / "run", trained / "text.txt", "--whole", "--property", "word")
    coloured = burble_process(*command, FORCE_COLOR="1", COLORTERM="truecolor", TERM="xterm").stdout
    assert b"\x1b[38;2;20;20;20;48;2;" in coloured
    plain = burble_process(*command, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm").stdout
    assert b"48;2;" not in plain


def test_a_model_of_bytes_is_searched_too(tmp_path: Path) -> None:
    random_model(vocabulary=None, cell="gru").save(tmp_path / "model.safetensors")
    (tmp_path / "text.txt").write_text(made_up_text(40).replace("a", "é"))
    found = looked(tmp_path / "model.safetensors", tmp_path / "text.txt", "--property", "capital")
    assert found["properties"]["capital"]["units"][0]["unit"]["reading"] == "hidden"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["--property", "speeker"], 2, "Did you mean speaker? Name one of line-position,"),
        (["--regex", "("], 2, "is not a regular expression"),
        (["--ablate", "0:24"], 2, "from 0 to 23"),
        (["--ablate", "1:0"], 2, "from 0 to 0"),
        (["--ablate", "0:1=2"], 2, "between -1 and 1"),
        (["--ablate", "0:1=nan"], 2, "between -1 and 1"),
        (["--ablate", "first"], 2, "found 'first'"),
        (["--like", "no span"], 2, "double brackets"),
        (["--like", "[[]]"], 2, "double brackets"),
        (["--like", "[[a]] [[b]]"], 2, "double brackets"),
        (["--like", "[[Ω]]"], 3, "'Ω' (U+03A9)"),
        (["--top", "0"], 2, "found 0"),
    ],
)
def test_a_mistake_is_one_message(trained: Path, args: list[str], code: int, words: str) -> None:
    assert_refused(burble("cells", trained / "run", trained / "text.txt", *args), code, words)


def test_texts_that_will_not_do_are_told(trained: Path, tmp_path: Path) -> None:
    short, odd = tmp_path / "short.txt", tmp_path / "odd.txt"
    short.write_text("Bada.\n")
    odd.write_text("Ω" * 2000)
    assert_refused(burble("cells", trained / "run", short), 3, "at least 1,000 characters; found 6")
    assert_refused(burble("cells", trained / "run", short, "--ablate", "0:0"), 3, "1,000")
    assert_refused(burble("cells", trained / "run", odd), 3, "'Ω' (U+03A9)")
    assert_refused(burble("cells", tmp_path / "none", short), 4, "no model")
