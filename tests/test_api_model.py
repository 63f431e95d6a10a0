"""`burble.Model`, as Python programs use it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import burble
from burble.api import Model
from burble.config import NormalizationConfig, SamplingConfig
from burble.data.prepare import Cuts, encode_spooled, spool_text
from burble.engine.generate import GenerationRequest
from burble.errors import ModelFileError, TextError, UsageError
from burble.folder_names import DATA_FOLDER, MODEL_NAME
from burble.text.sources import find_documents
from tests.models import random_model, uniform_model

if TYPE_CHECKING:
    from pathlib import Path


def model(**options: Any) -> Model:
    return Model(random_model(**options))


LOWERED = NormalizationConfig(lowercase=True, unicode_form="NFC")


# Writing.


def test_the_same_seed_writes_the_same_text() -> None:
    one = model()
    assert one.generate("a", seed=1) == one.generate("a", seed=1)
    assert len({one.generate("a", seed=1), one.generate("a"), one.generate("a")}) == 3
    assert len(one.generate()) == 300
    assert len(one.generate("ab", length=17)) == 17


def test_a_stream_joined_is_the_text() -> None:
    one = model()
    pieces = list(one.stream("a", length=50, seed=4))
    assert len(pieces) > 1
    assert "".join(pieces) == one.generate("a", length=50, seed=4)


def test_options_are_those_of_the_request() -> None:
    one = model()
    sampling: dict[str, Any] = {"temperature": 1.5, "top_k": 5, "top_p": 0.9, "min_p": 0.01}
    sampling["repetition_penalty"] = 1.1
    options: dict[str, Any] = {"stop": ("hh",), "seed": 6, "window": 4}
    request = GenerationRequest("ab", 30, sampling=SamplingConfig(**sampling), **options)
    text = one.generate("ab", length=30, **sampling, **options)
    assert text == "".join(one.write(request))


def test_many_requests_are_answered_as_each_would_be() -> None:
    one = model()
    requests = [
        GenerationRequest(
            prompt="ab", max_characters=10 * seed, seed=seed, stop=("h",) * (seed % 2)
        )
        for seed in range(9)
    ]
    assert one.write_all(requests) == ["".join(one.write(request)) for request in requests]
    assert one.write_all([]) == []


def test_a_stop_may_be_one_text_or_several() -> None:
    one = model()
    whole = one.generate("a", seed=1)
    stop, other = whole[100:103], whole[200:203]
    assert one.generate("a", seed=1, stop=stop) == whole[: whole.index(stop)]
    first = min(whole.index(stop), whole.index(other))
    assert one.generate("a", seed=1, stop=[stop, other]) == whole[:first]
    assert one.generate("a", seed=1, stop=()) == whole


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": "hot"},
        {"length": -1},
        {"length": "5"},
        {"length": None},
        {"window": 0},
        {"seed": 1.5},
        {"stop": ""},
        {"stop": [3]},
        {"unknown": "sikp"},
    ],
    ids=repr,
)
def test_a_wrong_option_is_told_before_anything_is_written(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options)).split("_", maxsplit=1)[0]):
        model().stream("a", **options)


def test_numbers_may_be_those_of_numpy() -> None:
    one = model()
    numpys = {"length": np.int64(9), "seed": np.uint8(3), "top_k": np.int32(5)}
    wanted = one.generate("a", length=9, seed=3, top_k=5, temperature=0.5)
    assert one.generate("a", temperature=np.float32(0.5), **numpys) == wanted


# Prompts.


def test_a_prompt_is_read_as_the_text_was() -> None:
    one = model(vocabulary="\n abé", normalization=LOWERED)
    assert one.read_prompt("ABE\u0301") == "abé"
    assert one.generate("AB", seed=1) == one.generate("ab", seed=1)


def test_a_prompt_is_left_alone_where_the_text_was() -> None:
    one = model(vocabulary="\n aAe\u0301é")
    assert one.read_prompt("aA") == "aA"
    assert one.read_prompt("e\u0301é") == "e\u0301é"


def test_unknown_characters_are_told_skipped_or_replaced() -> None:
    one = model(vocabulary="\n 'ab")
    with pytest.raises(TextError, match="’"):
        one.read_prompt("a’b")
    with pytest.raises(TextError, match="’"):
        one.generate("a’b")
    assert one.read_prompt("a’b", "skip") == "ab"
    assert one.read_prompt("a’b", "nearest") == "a'b"
    assert one.generate("a’b", seed=1, unknown="nearest") == one.generate("a'b", seed=1)


def test_what_is_no_text_is_told() -> None:
    one = model()
    for read in (one.read_prompt, one.score, one.trace, one.generate):
        with pytest.raises(UsageError, match=r"must be .*; found None"):
            read(None)  # type: ignore[arg-type]


def test_an_empty_prompt_stays_empty() -> None:
    assert model().read_prompt("") == ""
    assert model(vocabulary="ab").read_prompt("zzz", "skip") == ""
    assert len(model(vocabulary="ab").generate("zzz", unknown="skip", length=5)) == 5


# Scoring.


def test_a_score_is_of_every_character_but_the_first() -> None:
    score = Model(uniform_model("abcd")).score("abcda")
    assert (score.num_tokens, score.num_characters) == (4, 4)
    assert score.bits_per_char == pytest.approx(2)


def test_a_text_is_normalised_before_it_is_scored() -> None:
    one = model(vocabulary="\n abé", normalization=LOWERED)
    assert one.score("ABE\u0301ba") == one.score("abéba")


def test_what_a_model_wrote_greedily_is_what_it_predicts() -> None:
    one = model(scale=1.5, head_scale=4.0)
    text = "a" + one.generate("a", length=40, temperature=0)
    score = one.score(text)
    assert score.accuracy == 1
    assert score.bits_per_char < one.score(text[::-1]).bits_per_char


@pytest.mark.parametrize("text", ["", "a"])
def test_a_text_too_short_to_score_is_told(text: str) -> None:
    with pytest.raises(TextError, match="At least 2"):
        model().score(text)


def test_unknown_characters_in_a_score_are_told_or_skipped() -> None:
    one = model(vocabulary="ab")
    with pytest.raises(TextError, match="'x'"):
        one.score("axb")
    skipped = one.score("axb", unknown="skip")
    assert skipped.num_unknown == 1
    assert replace(skipped, num_unknown=0) == one.score("ab")


# Saving and loading.


def test_a_saved_model_writes_the_same(tmp_path: Path) -> None:
    one = model(normalization=LOWERED)
    one.save(tmp_path / "mine.safetensors")
    again = burble.load(tmp_path / "mine.safetensors")
    assert again.folder is None
    assert again.file.normalization == LOWERED
    assert again.generate("a", seed=1) == one.generate("a", seed=1)
    assert again.score("abcab") == one.score("abcab")


def test_a_model_is_saved_as_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}: that is a folder"):
        model().save(tmp_path)


def test_a_model_runs_in_int8_and_on_request_in_float32(tmp_path: Path) -> None:
    one = model(hidden_size=40)
    one.save(tmp_path / MODEL_NAME)
    int8, exact = (
        burble.load(tmp_path, precision).score("abcab" * 20) for precision in ("int8", "float32")
    )
    assert one.score("abcab" * 20) == burble.load(tmp_path).score("abcab" * 20) == int8
    assert int8.nats != exact.nats
    assert int8.nats == pytest.approx(exact.nats, rel=0.01)


def test_names_may_be_texts(tmp_path: Path) -> None:
    one = model()
    one.save(str(tmp_path / MODEL_NAME))
    assert burble.load(str(tmp_path)).folder == tmp_path
    assert burble.load(str(tmp_path / MODEL_NAME)).folder is None


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        burble.load(tmp_path)
    with pytest.raises(ModelFileError):
        burble.load(str(tmp_path / "absent"))
    with pytest.raises(UsageError, match="precision must be int8 or float32; found 'int4'"):
        burble.load(tmp_path, precision="int4")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, 5, b"model", ["model"], ""], ids=repr)
def test_what_is_no_path_is_told(given: Any) -> None:
    with pytest.raises(UsageError, match="path must be a path; found"):
        burble.load(given)
    with pytest.raises(UsageError, match="path must be a path; found"):
        model().save(given)
    with pytest.raises(UsageError, match="path must be a path; found"):
        model().export("html", given)


# The text beside it.


def test_a_model_alone_has_no_random_prompt(tmp_path: Path) -> None:
    one = model()
    one.save(tmp_path / MODEL_NAME)
    for alone in (one, burble.load(tmp_path / MODEL_NAME), burble.load(tmp_path)):
        assert not alone.has_training_text()
        with pytest.raises(TextError, match="only the folder of a run has it"):
            alone.random_prompt(10, seed=0)


def run_folder(
    folder: Path, text: str, cut: int, sealed: int | None = None, *, in_bytes: bool = False
) -> Model:
    """A model with the text beside it, as training leaves it."""
    one = model(vocabulary=None if in_bytes else "".join(sorted(set(text))))
    one.save(folder / MODEL_NAME)
    (folder / "text.txt").write_text(text, "utf-8")
    found = find_documents([str(folder / "text.txt")])
    with spool_text(found, NormalizationConfig(), folder / DATA_FOLDER, lambda _: None) as spooled:
        cuts = Cuts(cut, sealed or spooled.whole.num_characters)
        encode_spooled(spooled, one.file.tokenizer, cuts)
    return burble.load(folder)


TEXT = "".join(np.random.default_rng(0).choice(list("abcdefgh "), 400))


@pytest.mark.parametrize(
    ("cut", "sealed", "stretch"),
    [
        (200, None, TEXT[200:]),
        (200, 260, TEXT[200:260]),
        # Where nothing is held out, it is of all; where less than was asked for, it is that.
        (400, None, TEXT),
        (390, None, TEXT[390:]),
    ],
)
def test_a_random_prompt_is_a_passage_of_the_held_out_text(
    tmp_path: Path, cut: int, sealed: int | None, stretch: str
) -> None:
    one = run_folder(tmp_path, TEXT, cut, sealed)
    prompts = {one.random_prompt(30, seed) for seed in range(60)}
    assert all(prompt in stretch and len(prompt) == min(30, len(stretch)) for prompt in prompts)
    assert len(prompts) > 10 or prompts == {stretch}
    assert one.random_prompt(30, seed=5) == one.random_prompt(30, seed=5)
    with pytest.raises(UsageError, match="seed must be between 0"):
        one.random_prompt(30, seed=-1)


def test_a_random_prompt_of_bytes_has_whole_characters(tmp_path: Path) -> None:
    text = "é—\U0001f600" * 50
    one = run_folder(tmp_path, text, cut=75, in_bytes=True)
    prompts = [one.random_prompt(5, seed) for seed in range(30)]
    assert all(prompt in text for prompt in prompts)
    assert all(3 <= len(prompt.encode()) <= 8 for prompt in prompts)


# Looking inside.


def test_a_trace_reads_the_text_as_the_model_does() -> None:
    one = model(normalization=LOWERED)
    assert one.file.tokenizer.decode(one.trace("BAD").ids) == "bad"
    assert one.file.tokenizer.decode(one.trace("bzd", unknown="skip").ids) == "bd"
    with pytest.raises(TextError, match="never seen 'z'"):
        one.trace("bzd")


def test_a_trace_of_nothing_is_refused() -> None:
    with pytest.raises(TextError, match="the text is empty"):
        model().trace("")


def test_a_trace_is_as_surprised_as_the_score() -> None:
    one = Model(random_model(), precision="float32")
    bits = one.trace("a bad hag").surprisal
    assert np.nanmean(bits) == pytest.approx(one.score("a bad hag").bits_per_char, rel=1e-6)


@pytest.mark.parametrize(("own", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_prompt_in_another_normal_form_is_read_as_the_model_writes(own: str, typed: str) -> None:
    text = unicodedata.normalize(own, "école, mañana")
    french = model(vocabulary=text)
    read = french.read_prompt(unicodedata.normalize(typed, "école"))
    assert read == unicodedata.normalize(own, "école")
    assert french.count_unknown(unicodedata.normalize(typed, text)) == 0
    with pytest.raises(TextError, match=r"never seen 'ß' \(U\+00DF\)\. "):
        french.read_prompt(unicodedata.normalize(typed, "éß"))
