"""Bytes become characters strictly, whatever the pieces they come in."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burble.errors import TextError
from burble.text.decoding import CHUNK_BYTES

from .documents import document, read, trickling

quick = settings(deadline=None, max_examples=100, derandomize=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))

FRENCH = (
    "Les élèves étudiaient à l'école ; le garçon, très fatigué, préférait rêver près de la fenêtre "
    "où l'été brûlait déjà les prés. "
)
RUSSIAN = "Сегодня утром над рекой стоял густой туман, и рыбаки долго не выходили из своих домов. "


def refusal(data: bytes, encoding: str | None = None) -> str:
    with pytest.raises(TextError) as caught:
        read(data, encoding)
    assert "--" not in str(caught.value)  # Python has no flags
    return caught.value.command_line


@quick
@given(texts, st.integers(0, 1000))
@example("\ufeff\ufeffa", 0)
@example("", 0)
def test_utf8_with_line_feeds_survives_exactly(text: str, seed: int) -> None:
    found, said = read(trickling(b"\xef\xbb\xbf" + text.encode(), seed))
    assert found == text
    assert said == ["a.txt: dropped the byte order mark at its start."]


@quick
@given(texts.filter(lambda text: not text.startswith("\ufeff")))
@example("a\x0bb\x0cc\x85d\u2028e\u2029f")
@example("a\ufeffb")
@example("")
def test_a_text_without_foreign_things_is_not_talked_about(text: str) -> None:
    assert read(text.encode()) == (text, [])


@quick
@given(st.lists(st.sampled_from(["a", "é", "😀", "\r", "\n", "\r\n"])), st.integers(0, 1000))
def test_every_line_end_becomes_a_line_feed(pieces: list[str], seed: int) -> None:
    text = "".join(pieces)
    found, _ = read(trickling(text.encode(), seed))
    assert found == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\r\nb\r\n", "CRLF line ends"),
        ("a\rb\r", "CR line ends"),
        ("a\rb\r\nc", "CRLF and CR line ends"),
        ("a\nb\r\n", "CRLF line ends"),
        ("a\nb\rc\r\n", "CRLF and CR line ends"),
    ],
)
def test_foreign_line_ends_are_named(text: str, told: str) -> None:
    assert read(text.encode())[1] == [f"a.txt: turned {told} into LF."]


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n", "é", "😀", "\r\r\n"])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_nothing_breaks_at_the_edge_of_a_chunk(ending: str, before: int) -> None:
    text = "x" * (CHUNK_BYTES - before) + ending + "y"
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert read(text.encode())[0] == expected


@quick
@given(st.lists(texts.map(str.encode) | st.binary(max_size=3)), st.integers(0, 1000))
@example([b"a\xed\xa0\x80"], 0)  # half a surrogate pair
def test_bad_bytes_are_told_by_their_offset(parts: list[bytes], seed: int) -> None:
    data = b"".join(parts).replace(b"\0", b"").replace(b"\r", b"")
    try:
        expected = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bom = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        with pytest.raises(TextError) as caught:
            read(trickling(data, seed))
        start = error.start + bom
        assert f"byte {data[start]:#04x} at offset {start:,} does not fit" in str(caught.value)
    else:
        assert read(trickling(data, seed))[0] == expected


@pytest.mark.parametrize("where", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 7])
def test_a_bad_byte_is_found_on_both_sides_of_a_chunk(where: int) -> None:
    data = b"x" * where + b"\xff" + b"yz"
    assert f"a.txt is not UTF-8: byte 0xff at offset {where:,} does not fit" in refusal(data)


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_character_cut_off_by_the_end_is_a_bad_byte(missing: int) -> None:
    data = b"x" * (CHUNK_BYTES - 1) + "😀".encode()[:-missing]
    assert f"byte 0xf0 at offset {CHUNK_BYTES - 1:,}" in refusal(data)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(FRENCH, "cp1252"), (RUSSIAN, "cp1251"), (FRENCH, "utf-16"), (RUSSIAN, "utf-16")],
)
def test_another_encoding_is_guessed_and_the_advice_works(text: str, encoding: str) -> None:
    data = (text * 8).encode(encoding)
    assert f"try --encoding {encoding}, or convert the file to UTF-8." in refusal(data)
    assert read(data, encoding)[0] == text * 8


def test_where_two_encodings_are_as_likely_both_are_shown_at_work() -> None:
    told = refusal((FRENCH * 8).encode("cp1252"))
    assert "cp1252 (as in 'élèves') or cp" in told
    assert "'élčves'" in told


def test_english_with_curly_quotes_is_guessed_western() -> None:
    quoted = "“It’s late,” said the keeper, and nobody in the harbour answered him.\n" * 20
    assert "--encoding cp1252" in refusal(quoted.encode("cp1252"))


def test_an_encoding_far_into_the_file_is_guessed_from_what_stands_there() -> None:
    data = b"plain words and more. " * 100_000 + (RUSSIAN * 400).encode("cp1251")
    told = refusal(data)
    assert "byte 0xd1 at offset 2,200,000 " in told
    assert "--encoding cp1251" in told


def test_bytes_of_no_text_get_no_guess_but_a_way_out() -> None:
    told = refusal(b"\x89Odd\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4)
    assert "does not look like text: byte 0x00 at offset 8." in told
    assert "leave it out, or name its encoding with --encoding" in told


@pytest.mark.parametrize("seed", range(5))
def test_the_first_nul_byte_is_told_by_its_offset(seed: int) -> None:
    with pytest.raises(TextError, match="byte 0x00 at offset 23"):
        read(trickling(b"twenty-three characters" + b"\0\0", seed))


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-32", "cp1251", "shift_jis", "gb18030", "utf-8-sig"]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_named_encoding_is_read_in_any_pieces(encoding: str, seed: int) -> None:
    text = {"cp1251": RUSSIAN, "shift_jis": "日本語とabc。ｶﾅ\n"}.get(encoding, "aé漢😀\n") * 20
    text = text if encoding != "gb18030" else "aé漢😀\n" * 20
    assert read(trickling(text.encode(encoding), seed), encoding) == (text, [])


def test_the_byte_order_mark_of_a_named_encoding_is_dropped_too() -> None:
    assert read("\ufeffab".encode("utf-16-le"), "utf-16-le")[0] == "ab"
    assert read("\ufeffab".encode(), "utf-8")[0] == "ab"


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_are_not_in_the_named_encoding_are_told_by_their_offset(seed: int) -> None:
    for encoding, good, bad in (
        ("ascii", "plain ", b"\xe9"),
        ("shift_jis", "日本 ", b"\x81\x20"),
        ("cp1252", "é ", b"\x81"),
        ("utf-16-le", "ab", b"\x00\xdc"),
    ):
        start = good.encode(encoding)
        with pytest.raises(TextError, match=f"is not {encoding}: .* at offset {len(start)} "):
            read(trickling(start + bad + start, seed), encoding)


def test_an_unfinished_character_of_a_named_encoding_is_refused() -> None:
    assert "is not utf-16-le: byte 0x62 at offset 2 " in refusal(b"a\0b", "utf-16-le")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_missing_byte_order_mark_is_a_mistake_told(encoding: str) -> None:
    told = refusal((FRENCH * 8).encode(f"{encoding}-le"), encoding)
    assert f"a.txt is not {encoding}: " in told
    assert f". It may be {encoding}-le" in told
    assert f": try --encoding {encoding}-le, or" in told


@pytest.mark.parametrize("encoding", ["klingon", "hex", "zlib", "rot13", "ü"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    assert f"There is no encoding '{encoding}'. Try utf-8" in refusal(b"616263", encoding)


def test_the_document_is_closed_after_a_mistake() -> None:
    source = document(b"ab\xff")
    stream = source.open()
    with pytest.raises(TextError):
        read(type(source)("a.txt", lambda: stream))
    assert stream.closed


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_zeros_show_an_encoding_without_a_mark(encoding: str) -> None:
    told = refusal(("Bada bago.\n" * 50).encode(encoding))
    assert f"It may be {encoding}: try --encoding {encoding}" in told


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"%PDF-1.4\n\xff", "a PDF"),
        (b"\xff\xd8\xff\xe0\0", "a JPEG picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"PK\x03\x04\0\0word/document.xml", "a Word document (.docx)"),
        (b"PK\x03\x04\0\0one.txt", "a ZIP archive"),
        (b'\x10\0\0\0\0\0\0\0{"a": 1}', "a model"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(head: bytes, name: str) -> None:
    assert f"a.txt is {name}, not plain text. " in refusal(head)


def test_with_an_encoding_named_any_file_is_read() -> None:
    assert read(b"%PDF-1.4\n\xe9", "latin-1")[0] == "%PDF-1.4\né"


def test_a_damaged_byte_in_utf8_is_found_by_its_line() -> None:
    told = refusal((RUSSIAN + "\n").encode() + b"\xff" + RUSSIAN.encode())
    assert "does not fit, in line 2. The rest is UTF-8" in told


def test_two_files_in_different_encodings_are_seen_as_joined() -> None:
    told = refusal((FRENCH + "\n").encode() + FRENCH.encode("utf-16"))
    assert "UTF-16 begins there" in told


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("<!DOCTYPE html>\n<p>a", "HTML"),
        ("<?xml version='1.0'?>", "XML"),
        ("{\\rtf1 a}", "RTF"),
        ('[{"a": 1}]', "JSON"),
        ("{hello} said", None),
        ("[1] A note", None),
        ("<Bada> bago", None),
    ],
)
def test_markup_is_noted_and_learned_as_it_is(text: str, markup: str | None) -> None:
    found, notes = read(text.encode())
    assert found == text
    assert [f"looks like {markup}:" in note for note in notes] == [True] * bool(markup)
