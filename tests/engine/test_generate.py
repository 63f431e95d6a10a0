"""From a request to its text: exact length, clean stops, one text for one request."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import SamplingConfig
from burble.engine import generate
from burble.engine.generate import (
    Generation,
    GenerationRequest,
    prompt_ids,
    stream_text,
    write_texts,
)
from burble.engine.stream import CHUNK
from burble.errors import TextError, UsageError
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer
from tests.engine.engines import every_engine, open_engine
from tests.engine.script import Measuring, Script
from tests.models import random_model

if TYPE_CHECKING:
    from burble.cells import CellKind
    from burble.engine.step_model import StepModel
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Tokenizer

quick = settings(deadline=None, max_examples=150, derandomize=True)

GREEDY = SamplingConfig(temperature=0.0)

# Logits far apart, so that a model has a will of its own.
clear = {"scale": 1.5, "head_scale": 4.0}


def request_of(length: int = 40, **options: Any) -> GenerationRequest:
    return GenerationRequest(**{"prompt": "a", "max_characters": length, **options})


def text_of(model: ModelFile, kernel: str = "numpy", **options: Any) -> str:
    engine = open_engine(kernel, model)
    return "".join(stream_text(engine, model.tokenizer, request_of(**options)))


def pieces_of(
    engine: StepModel, tokenizer: Tokenizer, request: GenerationRequest, count: int
) -> list[str]:
    """What comes when `count` tokens are written in each call."""
    generation = Generation(engine, tokenizer, request)
    pieces = []
    while not generation.done:
        engine.write([generation.next_stream(count)])
        pieces.append(generation.collect())
    return [piece for piece in pieces if piece]


def pieces_of_script(
    text: str | bytes, count: int = 1, length: int | None = None, **options: Any
) -> list[str]:
    """What comes when the model would write this, again and again."""
    tokenizer: Tokenizer = ByteTokenizer()
    if isinstance(text, str):
        tokenizer = CharTokenizer.from_characters(set(text))
        ids = tokenizer.encode(text)
    else:
        ids = np.frombuffer(text, np.uint8)
    length = len(ids) if length is None else length
    request = request_of(length, **{"prompt": "", "sampling": GREEDY, **options})
    return pieces_of(Script(ids, tokenizer.vocab_size), tokenizer, request, count)


def script(text: str | bytes, **options: Any) -> str:
    """The text, the same however many tokens are written in each call."""
    texts = {"".join(pieces_of_script(text, count, **options)) for count in (1, 3, CHUNK)}
    assert len(texts) == 1
    return texts.pop()


# One request, one text.


@every_engine
@pytest.mark.parametrize(("cell", "rows"), [("lstm", 1), ("gru", 3), ("rnn", 64)])
def test_texts_written_side_by_side_are_as_if_alone(kernel: str, cell: CellKind, rows: int) -> None:
    model = random_model(cell=cell, num_layers=2)
    engine = open_engine(kernel, model)
    requests = [
        request_of(
            prompt="abcdefgh"[place % 3 : place % 7 + 1],
            length=(place * 37) % 90,
            seed=place // 2,
            stream=place,
            stop=((), ("hh", "ab"), ("a",))[place % 3],
            window=(None, None, 4)[place % 3],
            sampling=SamplingConfig(temperature=place % 5 / 2, top_k=place % 4 or None),
        )
        for place in range(40)
    ]
    alone = ["".join(stream_text(engine, model.tokenizer, request)) for request in requests]
    assert write_texts(engine, model.tokenizer, requests, rows) == alone
    assert len(set(alone)) > 20


@every_engine
@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_a_text_is_the_same_however_much_is_written_at_once(kernel: str, count: int) -> None:
    model = random_model(vocabulary=None)
    engine, request = open_engine(kernel, model), request_of(length=300, stop=("xyz",))
    whole = "".join(pieces_of(engine, model.tokenizer, request, CHUNK))
    assert "".join(pieces_of(engine, model.tokenizer, request, count)) == whole


def test_seeds_and_streams_have_texts_of_their_own() -> None:
    model = random_model()
    texts = {text_of(model, seed=seed, stream=stream) for seed in range(4) for stream in range(4)}
    assert len(texts) == 16


def test_a_longer_text_begins_with_the_shorter() -> None:
    model = random_model()
    assert text_of(model, length=60, seed=1).startswith(text_of(model, length=20, seed=1))


def test_greedy_needs_no_seed() -> None:
    model = random_model()
    texts = {text_of(model, seed=seed, stream=seed, sampling=GREEDY) for seed in range(5)}
    assert len(texts) == 1


@every_engine
def test_greedy_tokens_are_the_likeliest_of_a_plain_loop(kernel: str) -> None:
    model = random_model(**clear)
    engine = open_engine(kernel, model)
    ids = model.tokenizer.encode("cab").tolist()
    for _ in range(20):
        logits, _ = engine.prefill(np.array(ids))
        ids.append(int(logits[0].argmax()))
    text = text_of(model, kernel, prompt="cab", length=20, sampling=GREEDY)
    assert "cab" + text == model.tokenizer.decode(np.array(ids))


# Length.


@every_engine
@pytest.mark.parametrize("vocabulary", ["\n abcé—\U0001f600", None], ids=["char", "byte"])
def test_the_length_is_exact(kernel: str, vocabulary: str | None) -> None:
    model = random_model(vocabulary=vocabulary)
    for length in (0, 1, 2, 7, 100, CHUNK, CHUNK + 1, 600):
        assert len(text_of(model, kernel, length=length)) == length


@pytest.mark.parametrize("length", range(1, 7))
def test_characters_of_several_bytes_count_once(length: int) -> None:
    text = "é—\U0001f600aé"
    assert script(text.encode(), length=length) == (text + "é")[:length]


def test_every_character_comes_as_soon_as_its_bytes_are_there() -> None:
    assert pieces_of_script("a—b".encode(), length=3) == ["a", "—", "b"]


@pytest.mark.parametrize(
    "data",
    [b"\xe2\x80a", b"\xf0\x9f\x98", b"\xff", b"\x80\x80a", b"\xc3\xc3\xa9", b"\xf0\x9fab\xe2"],
)
def test_bytes_that_are_no_text_show_as_such_and_keep_the_length(data: bytes) -> None:
    whole = (data * 30).decode("utf-8", "replace")
    for length in range(1, 9):
        assert script(data, length=length) == whole[:length]


def test_text_goes_on_for_as_long_as_it_is_asked_for() -> None:
    assert script("abc", length=10) == "abcabcabca"
    assert script("abcdefg", length=3000) == ("abcdefg" * 500)[:3000]


def test_no_more_tokens_are_written_than_characters_are_left() -> None:
    engine = Script(np.array([0, 1]), 2)
    generation = Generation(engine, CharTokenizer("ab"), request_of(length=CHUNK + 5))
    while not generation.done:
        engine.write([generation.next_stream()])
        generation.collect()
    assert engine.allowed == [CHUNK, 5]


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, ""), (1, "a"), (3, "a\ufffd"), (4, "a—"), (5, "a—b"), (7, "a—ba\ufffd")],
)
def test_a_length_in_tokens_ends_within_a_character(most: int, expected: str) -> None:
    assert script("a—b".encode(), length=9, max_tokens=most) == expected
    assert script("a—b".encode(), length=2, max_tokens=most) == expected[:2]


# Stops.


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("one. two. three", {"stop": (". t",)}, "one"),
        ("one. two. three", {"stop": ("three",)}, "one. two. "),
        # The first to be whole counts.
        ("one two three", {"stop": ("three", "two", "zero")}, "one "),
        ("abcd", {"stop": ("bcd", "c")}, "ab"),
        ("abcd", {"stop": ("bc", "c")}, "a"),
        ("stop it", {"stop": ("stop",)}, ""),
        ("abcabc", {"stop": ()}, "abcabc"),
        # What only began a stop is not lost, and one is found after a false start.
        ("abcabd", {"stop": ("abde", "x")}, "abcabd"),
        ("aaaa", {"stop": ("aaab",)}, "aaaa"),
        ("aabaabaac", {"stop": ("aabaac",)}, "aab"),
        # The length cuts it, the prompt has it, or it is longer than the text.
        ("abcde", {"length": 3, "stop": ("cd",)}, "abc"),
        ("cab", {"prompt": "ab", "stop": ("ab",)}, "c"),
        ("bca", {"prompt": "a", "length": 3, "stop": ("ab",)}, "bca"),
        ("ab", {"stop": ("ab" * 1000,)}, "ab"),
        # The model cannot write it. Without what it cannot write, the last would be "ab".
        ("abc", {"stop": ("ax", "ω")}, "abc"),
        ("abc", {"stop": ("aωb",)}, "abc"),
        # Across the bytes of a character, and two at once within one piece.
        ("é—a—é".encode(), {"stop": ("—é",), "length": 5}, "é—a"),
        (b"\xf0\x9fab", {"stop": ("\ufffda",), "length": 4}, ""),
        (b"a\xf0\x9fa", {"stop": ("a\ufffda", "\ufffd"), "length": 3}, "a"),
    ],
)
def test_the_text_ends_before_the_stop(
    text: str | bytes, options: dict[str, Any], expected: str
) -> None:
    assert script(text, **options) == expected


@pytest.mark.parametrize("place", [0, 1, CHUNK - 4, CHUNK - 1, CHUNK, 2 * CHUNK - 2, 900])
def test_a_stop_is_found_anywhere(place: int) -> None:
    assert script("-" * place + "stop" + "-" * 100, stop=("stop",)) == "-" * place


@pytest.mark.parametrize("size", [60, 70, CHUNK, 700])
def test_a_long_stop_is_found(size: int) -> None:
    stop = "ab" * (size // 2) + "c"
    assert script("x" + "b" + stop + "ab", stop=(stop,)) == "xb"


@every_engine
def test_a_model_stops_as_soon_as_a_stop_is_whole(kernel: str) -> None:
    model = random_model(hidden_size=4)
    engine, tokenizer = open_engine(kernel, model), model.tokenizer
    whole = text_of(model, length=200)
    stop = whole[101:104]
    generation = Generation(engine, tokenizer, request_of(length=200, stop=("~~~", stop)))
    text, written = "", 0
    while not generation.done:
        stream = generation.next_stream()
        before = stream.end
        engine.write([stream])
        written += stream.end - before
        text += generation.collect()
    assert text == whole[: whole.index(stop)]
    assert written == len(text + stop)


def test_a_stop_that_the_model_cannot_write_does_not_hold_it_up() -> None:
    engine, tokenizer = Script(np.array([0, 1]), 2), CharTokenizer("ab")
    request = request_of(length=50, stop=("ω", "aωb"))
    assert "".join(pieces_of(engine, tokenizer, request, CHUNK)) == "ab" * 25
    assert engine.allowed == [50]


def test_pieces_come_as_soon_as_no_stop_can_begin_in_them() -> None:
    assert pieces_of_script("abcab", stop=("bd",)) == ["a", "bc", "a", "b"]
    assert pieces_of_script("abcab", stop=()) == ["a", "b", "c", "a", "b"]
    assert pieces_of_script("abcab", count=2, stop=("bd",)) == ["a", "bca", "b"]


def ended_by(text: str, stops: list[str]) -> str:
    """Letter by letter: the text before the stop that is whole first, the longest of several."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)]
    return text


@quick
@given(
    st.text("ab", min_size=1, max_size=30),
    st.lists(st.text("ab", min_size=1, max_size=5), max_size=3),
)
def test_any_stops_end_any_text_where_they_should(text: str, stops: list[str]) -> None:
    assert script(text, stop=tuple(stops)) == ended_by(text, stops)


@quick
@given(
    st.binary(min_size=1, max_size=20).map(
        lambda data: bytes(b"\xf0\x9f\xc3a"[b % 4] for b in data)
    ),
    st.lists(st.text("a\ufffd", min_size=1, max_size=4), max_size=3),
)
def test_stops_do_not_depend_on_how_the_text_comes(data: bytes, stops: list[str]) -> None:
    # Broken bytes come as two characters at once.
    text = script(data)
    assert script(data, stop=tuple(stops)) == ended_by(text, stops)


@functools.cache
def tiny_engine(kernel: str) -> StepModel:
    return open_engine(kernel, random_model(vocabulary="abc", hidden_size=4))


@every_engine
@settings(quick, max_examples=50)
@given(
    st.text("abc", min_size=1, max_size=12),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
)
def test_a_stopped_text_of_a_model_is_the_start_of_the_unstopped(
    kernel: str, text: str, stops: list[str]
) -> None:
    engine, tokenizer = tiny_engine(kernel), CharTokenizer("abc")
    whole = "".join(stream_text(engine, tokenizer, request_of(prompt=text, length=30)))
    request = request_of(prompt=text, length=30, stop=tuple(stops))
    assert "".join(stream_text(engine, tokenizer, request)) == ended_by(whole, stops)


# Window.


@every_engine
@pytest.mark.parametrize(("cell", "window"), [("lstm", 43), ("gru", 64), ("rnn", 2000)])
def test_a_window_over_everything_changes_nothing(kernel: str, cell: CellKind, window: int) -> None:
    model = random_model(cell=cell, num_layers=2)
    carried = text_of(model, kernel, prompt="abc")
    assert text_of(model, kernel, prompt="abc", window=window) == carried


def test_a_window_of_one_knows_the_last_character_only() -> None:
    model = random_model(**clear)
    text = text_of(model, prompt="hgfedcba", sampling=GREEDY, window=1, length=60)
    assert text == text_of(model, prompt="a", sampling=GREEDY, window=1, length=60)
    followers: dict[str, set[str]] = {}
    for before, after in zip("a" + text, text, strict=False):
        followers.setdefault(before, set()).add(after)
    assert all(len(after) == 1 for after in followers.values())


@every_engine
@pytest.mark.parametrize("window", [1, 2, 5, 70])
def test_each_character_is_chosen_after_its_window_alone(kernel: str, window: int) -> None:
    model = random_model(**clear)
    engine = open_engine(kernel, model)
    text = "abcd" + text_of(model, kernel, prompt="abcd", sampling=GREEDY, window=window, length=90)
    for place in (4, 5, 6, 9, 10, 11, 73, 74, 75, 93):
        logits, _ = engine.prefill(model.tokenizer.encode(text[max(0, place - window) : place]))
        assert model.tokenizer.decode(logits.argmax(axis=1)) == text[place]


@pytest.mark.parametrize("window", [1, 3, 64, 65, 200, 700])
@pytest.mark.parametrize("prompt", [1, 3, 100])
def test_a_window_is_filled_and_then_stays_full(window: int, prompt: int) -> None:
    vocabulary = "".join(map(chr, range(1000)))
    request = GenerationRequest(prompt="a" * prompt, max_characters=800, window=window)
    text = "".join(stream_text(Measuring(1000), CharTokenizer(vocabulary), request))
    assert [ord(read) for read in text] == [min(prompt + place, window) for place in range(800)]


def test_the_penalty_looks_further_back_than_a_short_window() -> None:
    model = random_model(vocabulary="abcdefgh", hidden_size=4, **clear)
    sampling = SamplingConfig(temperature=0.0, repetition_penalty=100.0)
    assert len(set(text_of(model, length=7, sampling=sampling, window=1))) > 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_characters": -1}, "max_characters must be at least 0"),
        ({"max_tokens": -300}, "max_tokens must be at least 0"),
        *(({"stop": stop}, "stop") for stop in [("",), ("a", "")]),
        *(({"window": window}, "window") for window in [0, -1, 2**40]),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        GenerationRequest(**options)


# Penalty.


def test_the_repetition_penalty_keeps_a_text_from_circling() -> None:
    # One that says the same letter for ever, from the head's bias alone.
    model = random_model(vocabulary="abcdefgh", head_scale=0.0)
    model.weights["head.bias"][:] = [8, 7, 6, 5, 4, 3, 2, 1]
    assert text_of(model, sampling=GREEDY, length=5) == "aaaaa"
    penalty = SamplingConfig(temperature=0.0, repetition_penalty=10.0)
    assert text_of(model, prompt="a", sampling=penalty, length=7) == "bcdefgh"


@every_engine
@pytest.mark.parametrize("window", [None, 1, 5])
def test_the_penalty_counts_the_prompt_and_forgets_after_64_tokens(
    kernel: str, window: int | None
) -> None:
    model = random_model(vocabulary="abc", head_scale=0.0)
    model.weights["head.bias"][:] = [3, 2, -50]
    penalty = SamplingConfig(temperature=0.0, repetition_penalty=2.0)
    options = {"sampling": penalty, "length": 1, "window": window}
    assert text_of(model, kernel, prompt="a" + "c" * 63, **options) == "b"
    assert text_of(model, kernel, prompt="a" + "c" * 64, **options) == "a"


@every_engine
def test_the_penalty_forgets_also_what_was_written_in_an_earlier_call(kernel: str) -> None:
    # The first letter is best, but comes again only when it was forgotten: every 65 tokens.
    letters = "".join(chr(0x4E00 + place) for place in range(200))
    model = random_model(vocabulary=letters, head_scale=0.0)
    model.weights["head.bias"][:] = np.linspace(200, 100, 200)
    penalty = SamplingConfig(temperature=0.0, repetition_penalty=100.0)
    text = text_of(model, kernel, prompt=letters[0], sampling=penalty, length=64 + 65 * 9)
    assert letters[0] + text == letters[:65] * 10


# Prompts.


def test_a_prompt_is_its_ids_and_an_empty_one_the_start_of_a_line() -> None:
    assert prompt_ids(CharTokenizer("abc"), "cab").tolist() == [2, 0, 1]
    assert prompt_ids(ByteTokenizer(), "é").tolist() == [0xC3, 0xA9]
    assert prompt_ids(CharTokenizer("\t\nab"), "").tolist() == [1]
    assert prompt_ids(ByteTokenizer(), "").tolist() == [10]
    # Where there are no lines, the first token stands for it.
    assert prompt_ids(CharTokenizer("abc"), "").tolist() == [0]


def test_an_empty_prompt_writes_as_a_new_line_does() -> None:
    model = random_model()
    assert text_of(model, prompt="", seed=2) == text_of(model, prompt="\n", seed=2)


def test_an_unknown_character_is_told_before_anything_is_written() -> None:
    model = random_model(vocabulary="abc")
    with pytest.raises(TextError, match="'x'"):
        stream_text(open_engine("numpy", model), model.tokenizer, request_of(prompt="x"))


def test_a_vocabulary_of_one_writes_it() -> None:
    model = random_model(vocabulary="z", hidden_size=1)
    assert text_of(model, prompt="", length=5) == "zzzzz"


# Pieces.


def allowed(monkeypatch: pytest.MonkeyPatch, seconds_each: float, length: int = 1000) -> list[int]:
    """How many tokens each call was for, where each takes so long."""

    class Slow(Script):
        now = 0.0  # no time passes but while it writes

        def write(self, streams: Any) -> None:
            super().write(streams)
            self.now += self.allowed[-1] * seconds_each

    engine = Slow(np.array([0, 1]), 2)
    monkeypatch.setattr(generate, "time", SimpleNamespace(perf_counter=lambda: engine.now))
    pieces = list(stream_text(engine, CharTokenizer("ab"), request_of(length=length)))
    assert "".join(pieces) == "ab" * (length // 2)
    assert [len(piece) for piece in pieces] == engine.allowed
    return engine.allowed


def test_a_fast_model_is_called_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    found = allowed(monkeypatch, 1e-6)
    assert found[:10] == [1, 2, 4, 8, 16, 32, 64, 128, CHUNK, CHUNK]


def test_a_slow_model_is_heard_at_every_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed(monkeypatch, 0.5, length=20) == [1] * 20


def test_pieces_come_every_few_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    found = allowed(monkeypatch, 0.001)
    assert max(found) <= 16
    assert min(found[4:-1]) >= 8
