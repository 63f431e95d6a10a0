"""From documents to ids on disk, against a naive computation."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import NormalizationConfig, RunConfig
from burble.data.prepare import (
    MANY_DOCUMENTS,
    Cuts,
    WholeText,
    cut_tail,
    encode_spooled,
    prepare_to_learn,
    spool_text,
)
from burble.data.prepared import FACTS_FILE, IDS_FILE, PreparedText
from burble.errors import ResourceError, TextError
from burble.text.normalization import normalize
from burble.text.sources import Document
from burble.tokenizers.char import CharTokenizer
from burble.tokenizers.registry import TOKENIZERS
from tests.disk import disk_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burble.config import TokenizerKind, UnknownPolicy

# Reads 30 MB and prints by how many bytes memory grew at its peak.
HUNGRY = """
import re, sys
from pathlib import Path
from burble.config import NormalizationConfig, RunConfig
from burble.data.prepare import prepare_to_learn
def peak():
    # Not getrusage: its peak is that of the process which started this one, too.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])
before = peak()
config = RunConfig((sys.argv[1],), normalization=NormalizationConfig(lowercase=True))
text = prepare_to_learn(config, Path(sys.argv[2]), print)
print(text.facts.num_characters, peak() - before)
"""

every_tokenizer = pytest.mark.parametrize("kind", TOKENIZERS)


def documents(texts: Sequence[str | bytes], encoding: str | None = None) -> list[Document]:
    datas = [text.encode() if isinstance(text, str) else text for text in texts]
    return [
        Document(f"{number}.txt", partial(io.BytesIO, data), encoding=encoding)
        for number, data in enumerate(datas)
    ]


def prepare_in(
    folder: Path,
    texts: Sequence[str | bytes],
    tokenizer: Any = "char",
    val_fraction: float = 0.1,
    normalization: NormalizationConfig = NormalizationConfig(),  # noqa: B008 - it is frozen
    *,
    encoding: str | None = None,
    unknown: UnknownPolicy = "error",
) -> PreparedText:
    with spool_text(documents(texts, encoding), normalization, folder, lambda _: None) as text:
        if isinstance(tokenizer, str):
            tokenizer = TOKENIZERS[tokenizer].from_characters(text.characters)
        return encode_spooled(text, tokenizer, cut_tail(text.whole, val_fraction), unknown)


def joined(texts: Sequence[str]) -> str:
    whole = ""
    for text in texts:
        whole += "\n" * (whole != "" and not whole.endswith("\n")) + text
    return whole


def whole_of(starts: Sequence[int], length: int) -> WholeText:
    return WholeText("", length, tuple(starts))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@every_tokenizer
@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    texts=st.lists(st.text(st.sampled_from("abÉΣ漢😀 \n")), min_size=1, max_size=5),
    val_fraction=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]),
    lowercase=st.booleans(),
)
def test_ids_and_cut_are_what_a_naive_computation_gives(
    kind: TokenizerKind,
    texts: list[str],
    val_fraction: float,
    lowercase: bool,  # noqa: FBT001
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    normalization = NormalizationConfig(lowercase=lowercase)
    expected = joined([normalize(text, normalization) for text in texts])
    if not expected:
        return
    folder = tmp_path_factory.mktemp("prepared")
    made = prepare_in(folder, texts, kind, val_fraction, normalization)
    cut = int((1 - val_fraction) * len(expected))
    assert made.tokenizer.decode(made.train_ids) == expected[:cut]
    assert made.tokenizer.decode(made.val_ids) == expected[cut:]
    assert made.facts.fingerprint == hashlib.sha256(expected.encode()).hexdigest()
    assert (made.facts.num_characters, made.facts.cut_characters) == (len(expected), cut)
    assert made.facts.num_documents == len(texts)
    assert made.facts.num_ids == len(made.ids)


@every_tokenizer
def test_a_text_longer_than_a_chunk_is_whole(kind: TokenizerKind, tmp_path: Path) -> None:
    text = "".join(f"{number} é漢😀\n" for number in range(230_000))
    made = prepare_in(tmp_path, [text], kind, val_fraction=0.3)
    assert len(text) > 2 << 20
    assert made.tokenizer.decode(made.train_ids) == text[: int(0.7 * len(text))]
    assert made.tokenizer.decode(made.ids) == text


def test_tinyshakespeare_is_split_where_everybody_splits_it(
    tinyshakespeare: Path, tmp_path: Path
) -> None:
    made = prepare_to_learn(RunConfig((str(tinyshakespeare),)), tmp_path, print)
    assert (len(made.train_ids), len(made.val_ids)) == (1_003_854, 111_540)
    assert made.tokenizer.vocab_size == 65
    assert made.tokenizer.decode(made.ids) == tinyshakespeare.read_text("utf-8")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "b"], "a\nb"),
        (["a\n", "b\n"], "a\nb\n"),
        (["a\n\n", "b"], "a\n\nb"),
        (["", "a", "", "b", ""], "a\nb\n"),
        (["a\r\n", "b\r", "c"], "a\nb\nc"),
        (["\ufeffa", "\ufeffb"], "a\nb"),
    ],
)
def test_two_documents_never_share_a_line(texts: list[str], expected: str, tmp_path: Path) -> None:
    made = prepare_in(tmp_path, texts)
    assert made.tokenizer.decode(made.ids) == expected


def test_with_many_documents_whole_ones_are_held_out(tmp_path: Path) -> None:
    texts = [f"document {number:02}\n" * (1 + number % 3) for number in range(20)]
    made = prepare_in(tmp_path, texts)
    held_out = made.tokenizer.decode(made.val_ids)
    assert held_out == "".join(texts[-2:])
    assert len(held_out) != int(0.1 * made.facts.num_characters)


@pytest.mark.parametrize(
    ("starts", "cut"),
    [
        (range(0, 1000, 100), 900),
        ([*range(0, 900, 100), 910], 910),
        ([*range(0, 800, 100), 880, 930], 880),
        ([*range(0, 800, 100), 850, 990], 850),
        ([*range(0, 800, 100), 849, 990], 900),
        ([*range(0, 800, 100), 840, 945], 945),
        ([*range(0, 800, 100), 840, 951], 900),
        ([*range(0, 900, 100), 1000], 900),
        ([0, 0, *range(5, 85, 10)], 900),
        # Few documents are cut anywhere.
        (range(0, 900, 100), 900),
        ([*range(0, 800, 100), 910], 900),
    ],
)
def test_the_cut_goes_to_the_nearest_start_within_half_the_share(
    starts: Sequence[int], cut: int
) -> None:
    assert (len(starts) < MANY_DOCUMENTS) == (len(starts) == 9)
    assert cut_tail(whole_of(starts, 1000), 0.1) == Cuts(cut, 1000)


def test_a_long_first_document_is_never_held_out_whole() -> None:
    assert cut_tail(whole_of([0, *range(500, 590, 10)], 1000), 0.9).held_out == 99


@pytest.mark.parametrize(
    ("starts", "cuts"),
    [
        ([0], Cuts(900, 950)),
        ([*range(0, 900, 100), 890, 940], Cuts(890, 940)),
        # The sealed part begins 20 sooner, and the held-out part with it, with its 50 characters.
        ([*range(0, 900, 100), 930], Cuts(880, 930)),
        ([*range(0, 900, 100), 976], Cuts(900, 950)),
        ([*range(0, 900, 100), 910, 960], Cuts(910, 960)),
    ],
)
def test_both_cuts_go_to_the_nearest_start_within_half_their_share(
    starts: Sequence[int], cuts: Cuts
) -> None:
    assert cut_tail(whole_of(starts, 1000), 0.05, 0.05) == cuts


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    starts=st.lists(st.integers(1, 999), min_size=MANY_DOCUMENTS, unique=True),
    val_fraction=st.floats(0, 0.4),
    test_fraction=st.floats(0, 0.5),
)
def test_the_parts_stand_in_their_order_and_none_is_far_from_its_share(
    starts: list[int], val_fraction: float, test_fraction: float
) -> None:
    cuts = cut_tail(whole_of([0, *sorted(starts)], 1000), val_fraction, test_fraction)
    assert 0 < cuts.held_out <= cuts.sealed <= 1000
    for found, share in (
        (cuts.sealed - cuts.held_out, val_fraction),
        (1000 - cuts.sealed, test_fraction),
    ):
        assert 500 * share - 2 <= found <= 1500 * share + 2


def learnable(folder: Path, text: str, **options: Any) -> PreparedText:
    (folder / "text.txt").write_text(text, "utf-8")
    config = RunConfig().with_options({"sources": (str(folder / "text.txt"),), **options})
    return prepare_to_learn(config, folder / "data", lambda _: None)


@every_tokenizer
def test_the_sealed_part_is_the_very_end(kind: TokenizerKind, tmp_path: Path) -> None:
    text = "".join(f"{number} é漢😀\n" for number in range(2000))
    asked = {"tokenizer": kind, "val_fraction": 0.05, "test_fraction": 0.05}
    made = learnable(tmp_path, text, **asked)
    parts = (made.train_ids, made.val_ids, made.test_ids)
    first, second = int(0.9 * len(text)), int(0.95 * len(text))
    expected = [text[:first], text[first:second], text[second:]]
    assert [made.tokenizer.decode(part) for part in parts] == expected
    assert made.facts.sealed_characters == len(text) - second
    # What is learned from is the same as where the whole last tenth is held out.
    other = learnable(tmp_path, text, tokenizer=kind)
    assert np.array_equal(other.train_ids, made.train_ids)
    assert len(other.test_ids) == other.facts.sealed_characters == 0


@pytest.mark.parametrize("length", [20, 3])
def test_a_text_too_short_to_seal_anything_is_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=rf"seal 0\.05 of it: of {length} .* larger part of it"):
        learnable(tmp_path, "ab\n" * (length // 3) + "a" * (length % 3), test_fraction=0.05)


@pytest.mark.parametrize(("distinct", "dtype"), [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_ids_are_kept_in_the_smallest_type(
    distinct: int, dtype: type[np.unsignedinteger[Any]], tmp_path: Path
) -> None:
    text = "".join(chr(0x4E00 + place) for place in range(distinct)) * 3
    made = prepare_in(tmp_path, [text])
    assert made.ids.dtype == dtype
    assert (tmp_path / IDS_FILE).stat().st_size == len(text) * np.dtype(dtype).itemsize
    assert made.tokenizer.decode(made.ids) == text


def test_a_tokenizer_that_is_there_already_is_kept(tmp_path: Path) -> None:
    made = prepare_in(tmp_path, ["cab"], CharTokenizer("abcdef"))
    assert made.tokenizer.vocab_size == 6
    assert made.ids.tolist() == [2, 0, 1]


def test_what_a_given_tokenizer_lacks_is_refused_or_treated_as_asked(tmp_path: Path) -> None:
    known = CharTokenizer("\nabc")
    with pytest.raises(TextError, match=r"never seen 'X' \(U\+0058\), 'Á'"):
        prepare_in(tmp_path, ["aXÁ"], known, val_fraction=0.0)
    made = prepare_in(tmp_path, ["aXÁ", "Xb"], known, val_fraction=0.5, unknown="skip")
    assert made.tokenizer.decode(made.ids) == "a\nb"
    assert made.tokenizer.decode(made.train_ids) == "a"
    assert (made.facts.num_characters, made.facts.cut_characters) == (6, 3)
    made = prepare_in(tmp_path, ["aÁB"], known, unknown="nearest")
    assert made.tokenizer.decode(made.ids) == "aab"


def test_a_text_of_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="never seen any character of this text"):
        prepare_in(tmp_path, ["XYZ"], CharTokenizer("abc"), unknown="skip")


@pytest.mark.parametrize("texts", [[""], ["", ""], ["\ufeff"]])
def test_an_empty_text_is_refused_by_name(texts: list[str], tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"no text in 0\.txt.*: found 0 characters"):
        prepare_in(tmp_path, texts)


def test_only_the_ids_and_the_facts_stay(tmp_path: Path) -> None:
    prepare_in(tmp_path, ["some text"])
    assert names_in(tmp_path) == sorted([FACTS_FILE, IDS_FILE])


@pytest.mark.parametrize("bad", [b"", b"ab\xff", b"\x1f\x8b broken", b"a\0b"])
def test_after_a_mistake_no_spool_stays_and_nothing_can_be_loaded(
    bad: bytes, tmp_path: Path
) -> None:
    # What an earlier text left must not be taken for this one either.
    prepare_in(tmp_path, ["an earlier text"])
    with pytest.raises(TextError):
        prepare_in(tmp_path, [bad] if not bad else ["good\n", bad], CharTokenizer("dgo\n"))
    assert "text.tmp" not in names_in(tmp_path)
    with pytest.raises(TextError):
        PreparedText.load(tmp_path)


def test_a_full_disk_is_told_and_no_spool_stays(tmp_path: Path) -> None:
    with disk_of("256k", tmp_path / "disk") as disk:
        with pytest.raises(ResourceError, match=r"text\.tmp cannot be written: .*disk is full"):
            prepare_in(disk / "data", ["many words\n" * 50_000])
        assert "text.tmp" not in names_in(disk / "data")
        # Where the spool fits and the ids do not.
        with pytest.raises(ResourceError):
            prepare_in(disk / "data", ["many words\n" * 16_000])
        assert FACTS_FILE not in names_in(disk / "data")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc to tell the peak")
def test_a_long_text_is_read_in_little_memory(tmp_path: Path) -> None:
    line = "A Line of made-up words, blibber and blobber, é and 😀 among them.\n"
    (tmp_path / "long.txt").write_text(line * (30_000_000 // len(line.encode())), "utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", HUNGRY, str(tmp_path / "long.txt"), str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=True,
    )
    characters, grown = map(int, ended.stdout.split())
    assert characters > 28_000_000
    assert grown < 150_000_000


def test_half_a_surrogate_pair_from_a_lax_codec_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"half a character \(a lone surrogate\) at place 2"):
        prepare_in(tmp_path, [b"ab+2AA-"], encoding="utf-7")
