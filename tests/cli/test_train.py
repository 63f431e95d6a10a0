from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from burble.cli.commands.train import default_folder
from burble.config import PRESETS
from burble.run_toml import from_toml
from tests.cli.command import assert_refused, burble, burble_json, in_terminal, said, succeed
from tests.training.runs import made_up_text, write_text

SMALL = ("--hidden-size", "16", "--steps", "30", "--seq-len", "12", "--batch-size", "4")


def test_json_is_one_object_with_the_keys_that_stay(tmp_path: Path) -> None:
    found = burble_json("train", write_text(tmp_path), "-o", tmp_path / "m", *SMALL)
    keys = "model val_bits_per_char val_nats_per_char steps chars_seen seconds parameters seed"
    keys += " rescues diagnosis test_bits_per_char test_nats_per_char"
    assert list(found) == keys.split()
    assert Path(found["model"]) == tmp_path / "m" / "model.safetensors"
    assert found["steps"] == 30
    assert found["chars_seen"] == 30 * 12 * 4


def test_piped_it_tells_plain_lines_on_standard_error(tmp_path: Path) -> None:
    result = burble("train", write_text(tmp_path), "-o", tmp_path / "m", *SMALL)
    told = said(result)
    assert result.stdout == b""
    assert "\x1b" not in told
    assert len(re.findall(r"held-out \d\.\d+ bits per character", told)) > 10
    assert "It writes:" in told
    assert f"burble generate {tmp_path / 'm'}" in told


def test_on_a_terminal_it_is_a_live_view(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    shown = in_terminal("train", text, "-o", tmp_path / "m", *SMALL, COLUMNS="80")
    assert "\x1b[" in shown
    assert "characters/s · accuracy" in shown  # on one line
    assert "bits per character" in shown
    assert "steps it writes" in shown


def test_the_folder_is_named_after_the_source() -> None:
    sources = ["a/b/my-text.txt", "notes.txt.gz", "alice", "-", "https://x.org/book.txt", "t/*.txt"]
    names = [default_folder([source]) for source in sources]
    assert names == ["my-text", "notes", "alice", "standard-input", "book", "burble-run"]


def test_several_sources_and_standard_input(tmp_path: Path) -> None:
    first = write_text(tmp_path)
    succeed("train", first, "-", "-o", tmp_path / "m", *SMALL, stdin=made_up_text(20, 1).encode())
    found = json.loads((tmp_path / "m" / "data" / "data.json").read_text())
    assert found["facts"]["num_documents"] == 2
    total = len(first.read_text()) + len(made_up_text(20, 1))
    assert found["facts"]["num_characters"] == total


def test_a_run_from_standard_input_resumes_without_it(tmp_path: Path) -> None:
    text = made_up_text(100).encode()
    assert burble("train", "-", "-o", tmp_path / "m", *SMALL, stdin=text).returncode == 0
    assert burble_json("train", "--resume", tmp_path / "m", "--steps", "40")["steps"] == 40


def test_flags_win_over_a_configuration_file(tmp_path: Path) -> None:
    burble("train", write_text(tmp_path), "-o", tmp_path / "one", "--lowercase", *SMALL)
    config = tmp_path / "one" / "run.toml"
    succeed(*("train", "--config", config, "-o", tmp_path / "two"), "--seed", "5", "--no-lowercase")
    before = from_toml(config.read_text(), "")
    after = from_toml((tmp_path / "two" / "run.toml").read_text(), "")
    assert after == before.with_options({"seed": 5, "lowercase": False})


def test_flags_win_over_a_preset(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    args = ("--preset", "tutorial", "--steps", "2", "--hidden-size", "8", "--sample-length", "30")
    succeed("train", text, "-o", tmp_path / "m", *args)
    saved = from_toml((tmp_path / "m" / "run.toml").read_text(), "")
    changes = {"sources": [str(text)], "steps": 2, "hidden_size": 8, "sample_length": 30}
    changes |= {"learner": saved.training.learner, "device": saved.training.device}
    assert saved == PRESETS["tutorial"].with_options(changes)


def test_the_tutorial_prints_its_counts_and_its_seed_text(alice: Path, tmp_path: Path) -> None:
    args = ("--preset", "tutorial", "--steps", "1", "--hidden-size", "8", "--sample-length", "30")
    result = burble("train", alice, "-o", tmp_path / "m", *args)
    told = said(result)
    assert "144,434 characters, 47 distinct" in told
    assert "144,334 patterns of 100 characters before any split" in told
    seed_text = told.split('Seed text:\n"')[1].split('"\nIt writes:\n')[0]
    assert len(seed_text) == 100
    assert seed_text in alice.read_text().lower()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["nothing-here.txt"], 3, ["no file or folder 'nothing-here.txt'", "python-docs"]),
        (["--hidden-size", "0"], 2, ["--hidden-size must be between 1"]),
        (["--dropout", "1"], 2, ["--dropout must be at least 0 and below 1"]),
        (["--steps", "ten"], 2, ["--steps must be a whole number; found 'ten'"]),
        (["--preset", "tutorial", "--config", "x.toml"], 2, ["do not go together"]),
        (["--config", "x.toml"], 2, ["x.toml cannot be read"]),
        (["--resume", "nowhere"], 2, ["no run in nowhere"]),
        (["--resume", ""], 2, ["--resume must not be empty."]),
        (["-o", ""], 2, ["--out must not be empty."]),
        ([""], 2, ["SOURCE must not be empty."]),
        (["--resume", "m", "-o", "n"], 2, ["--resume and --out do not go together"]),
        (["--resume", "m", "--overwrite"], 2, ["--resume and --overwrite do not go together"]),
        (["--device", "cuda:99"], 2, ["'cuda:99' cannot be used"]),
    ],
)
def test_a_mistake_is_one_message(
    tmp_path: Path, args: list[str], code: int, words: list[str]
) -> None:
    assert_refused(burble("train", *args, cwd=tmp_path), code, *words)


def test_an_empty_and_a_foreign_text_are_exit_code_3(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert_refused(burble("train", empty, "-o", tmp_path / "m"), 3, "found 0 characters")
    foreign = tmp_path / "latin.txt"
    foreign.write_bytes("déjà vu, où ça ? Élève à l'école.\n".encode("cp1252") * 40)
    assert_refused(burble("train", foreign, "-o", tmp_path / "m"), 3, "offset 1", "--encoding")
    assert not (tmp_path / "m").exists()


def test_curves_for_tensorboard_are_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is an extra")
    text = write_text(tmp_path)
    succeed("train", text, "-o", tmp_path / "m", "--tensorboard", *SMALL)
    assert list((tmp_path / "m" / "tensorboard").glob("events.out.tfevents.*"))
