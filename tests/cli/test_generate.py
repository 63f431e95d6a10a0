from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from burble.model_file import ModelFile
from burble.tokenizers.char import CharTokenizer
from tests.cli.command import assert_refused, burble, burble_json, burble_process, in_terminal, said
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_seed_writes_the_same_bytes(trained: Path) -> None:
    one, same, other = (
        burble("generate", trained / "run", "Ba", "--seed", seed) for seed in ("7", "7", "8")
    )
    assert one.returncode == 0
    assert one.stdout == same.stdout != other.stdout
    assert len(one.stdout.decode()) == len("Ba") + 300 + len("\n")


def test_a_kernel_that_cannot_run_here_is_told(trained: Path) -> None:
    result = burble_process("generate", trained / "run", "Ba", **{KERNEL_VARIABLE: "abacus"})
    assert_refused(result, 2, KERNEL_VARIABLE, "'abacus'", "numpy")


def test_json_is_one_object_with_the_keys_that_stay(trained: Path) -> None:
    found = burble_json("generate", trained / "run", "Ba", "--seed", "3", "--length", "9")
    assert list(found) == ["prompt", "text", "seed", "seconds", "chars_per_second"]
    assert (found["prompt"], found["seed"], len(found["text"])) == ("Ba", 3, 9)


def test_several_samples_differ_and_the_first_is_that_of_one(trained: Path) -> None:
    args = ("generate", trained / "run", "Ba", "--seed", "3")
    samples = burble_json(*args, "-n", "3")["samples"]
    texts = [sample["text"] for sample in samples]
    assert len(set(texts)) == 3
    assert burble_json(*args)["text"] == texts[0]
    shown = burble(*args, "-n", "3").stdout.decode()
    assert shown == "\n---\n".join("Ba" + text for text in texts) + "\n"


def test_a_seed_that_was_drawn_is_told_and_repeats(trained: Path) -> None:
    first = burble("generate", trained / "run", "Ba")
    seed = said(first).strip().removeprefix("(seed ").removesuffix(")")
    assert burble("generate", trained / "run", "Ba", "--seed", seed).stdout == first.stdout


def test_the_prompt_comes_from_an_argument_a_file_or_standard_input(
    trained: Path, tmp_path: Path
) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("Ba")
    seed = ("--seed", "1")
    results = [
        burble("generate", trained / "run", "Ba", *seed),
        burble("generate", trained / "run", "--prompt-file", file, *seed),
        burble("generate", trained / "run", "-", *seed, stdin=b"Ba\n"),
    ]
    assert len({result.stdout for result in results}) == 1


def test_a_random_prompt_comes_from_the_held_out_text(trained: Path) -> None:
    args = ("generate", trained / "run", "--random-prompt", "--seed", "1", "--length", "0")
    prompt = burble_json(*args)["prompt"]
    text = (trained / "text.txt").read_text()
    assert len(prompt) == 100
    assert prompt in text[int(0.9 * len(text)) :]


def test_a_random_prompt_needs_the_run(trained: Path) -> None:
    model = trained / "run" / "model.safetensors"
    assert_refused(
        burble("generate", model, "--random-prompt"), 3, "only the folder of a run has it"
    )


def test_stops_end_the_text(trained: Path) -> None:
    args = ("generate", trained / "run", "Ba", "--seed", "2", "--length", "400")
    whole = burble_json(*args)["text"]
    stopped = burble_json(*args, "--stop", "~", "--stop", r".\n")["text"]
    assert stopped == whole[: whole.index(".\n")]


def test_a_window_is_re_read_for_each_character(trained: Path) -> None:
    args = ("generate", trained / "run", "Ba", "--seed", "1", "--length", "40")
    whole, window, wide = (
        burble(*args, *extra).stdout for extra in ((), ("--window", "1"), ("--window", "100"))
    )
    assert whole == wide != window


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["Ω"], 3, ["'Ω' (U+03A9)", "--unknown nearest", "--unknown skip"]),
        (["B", "--length", "-1"], 2, ["--length must be at least 0"]),
        (["B", "--temperature", "-1"], 2, ["--temperature must be between 0 and 100; found -1"]),
        (["B", "--temperature", "nan"], 2, ["--temperature must be between"]),
        (["B", "--top-p", "0"], 2, ["--top-p must be above 0 and at most 1; found 0"]),
        (["B", "--seed", "-1"], 2, ["--seed must be between 0 and 2⁶³-1"]),
        (["B", "-n", "0"], 2, ["--samples must be at least 1"]),
        (["B", "--random-prompt"], 2, ["Give one prompt"]),
        (["--prompt-file", "/nonexistent"], 3, ["/nonexistent cannot be read"]),
    ],
)
def test_a_mistake_is_one_message(
    trained: Path, args: list[str], code: int, words: list[str]
) -> None:
    assert_refused(burble("generate", trained / "run", *args), code, *words)


def test_a_prompt_that_is_not_utf8_names_the_byte(trained: Path) -> None:
    result = burble("generate", trained / "run", "-", stdin=b"Ba\xff")
    assert_refused(result, 3, "0xff at offset 2")


def test_a_missing_and_a_broken_model_are_exit_code_4(tmp_path: Path) -> None:
    assert_refused(burble("generate", tmp_path / "none", "x"), 4, "no model at")
    (tmp_path / "bad.safetensors").write_bytes(b"not a model")
    assert_refused(burble("generate", tmp_path / "bad.safetensors", "x"), 4, "not a usable model")


def test_unseen_characters_can_be_skipped_or_replaced(trained: Path) -> None:
    args = ("generate", trained / "run", "BÀΩ", "--seed", "1", "--unknown")
    assert burble_json(*args, "skip")["prompt"] == "B"
    assert_refused(burble(*args, "nearest"), 3, "'Ω'")
    args = ("generate", trained / "run", "Bá", "--seed", "1", "--unknown")
    assert burble_json(*args, "nearest")["prompt"] == "Ba"


def test_a_reader_that_leaves_early_is_no_error(trained: Path) -> None:
    command = [sys.executable, "-m", "burble", "generate", str(trained / "run"), "Ba"]
    process = subprocess.Popen(
        [*command, "--length", "200000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(100)
    process.stdout.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in told
    assert "Error" not in told


def test_control_characters_are_not_sent_to_a_terminal(trained: Path, tmp_path: Path) -> None:
    model = ModelFile.load(trained / "run")
    size = model.tokenizer.vocab_size
    points = [0x07, 0x1B, 0x9B, 0x202E, *range(0x400, 0x3FC + size)]
    hostile = CharTokenizer.from_characters(set(map(chr, points)))
    assert hostile.vocab_size == size
    dataclasses.replace(model, tokenizer=hostile).save(tmp_path / "hostile.safetensors")
    args = ("generate", str(tmp_path / "hostile.safetensors"), "Є\u0402", "--seed", "1")
    # Temperature 100: every character comes, the hostile ones among them.
    args = (*args, "--temperature", "100", "--length", "400", "--unknown", "skip")
    piped = burble(*args).stdout.decode()
    assert all(character in piped for character in "\x07\x1b\x9b\u202e")
    shown = in_terminal(*args)
    assert not any(character in shown for character in "\x07\x1b\x9b\u202e")
    assert "␛" in shown


def test_text_streams_to_a_terminal_as_it_is_made(trained: Path) -> None:
    shown = in_terminal("generate", trained / "run", "Ba", "--seed", "1", "--length", "50")
    piped = burble("generate", trained / "run", "Ba", "--seed", "1", "--length", "50")
    assert shown.replace("\r\n", "\n") == piped.stdout.decode()


def test_a_prompt_that_was_changed_is_told_on_standard_error(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    random_model().save(model)
    for unknown, words in (("skip", "left out"), ("nearest", "replaced by the nearest")):
        result = burble("generate", model, "aAb", "--unknown", unknown, "--seed", "1")
        assert result.returncode == 0
        assert f"1 of 3 (33.3%) character was {words}" in said(result)
    result = burble("generate", model, "ab", "--seed", "1")
    assert "never seen" not in said(result)
