"""One file holds a whole model, and whatever is not one is a single clear error."""

from __future__ import annotations

import json
import math
import os
import random
import struct
import tracemalloc
from dataclasses import field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from unittest.mock import patch

import numpy as np
import pytest
from safetensors.numpy import save

from burble import model_file
from burble.cells import CellKind
from burble.config import InputKind, NetworkConfig, NormalizationConfig
from burble.errors import ModelFileError
from burble.folder_names import MODEL_NAME
from burble.mapping import to_mapping
from burble.model_file import MAX_WEIGHT, SECTIONS, ModelFile, Provenance, Section
from burble.saved_format import SavedFormat
from burble.tensor_file import TensorSpec
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from burble.model_file import Tensors

UNICODE = "\n\"'\\\x7f\u00a0é’\u2028\ufeff一\U0001f600"
NUM_FLIPS = 300

# What memory a small file may take to be refused; the work is a fraction of it.
BYTES = 1 << 20

PROVENANCE = Provenance(
    text_fingerprint="ab" * 32,
    num_characters=1000,
    cut_characters=900,
    sealed_characters=50,
    batching="windows",
    val_bits_per_char=2.5,
    test_bits_per_char=2.75,
    int8_cost_bits=-0.0001,
    steps=7,
    chars_seen=12_345,
    seconds=1.25,
    seed=2**63 - 1,
    burble_version="0.1",
)


def small() -> ModelFile:
    return random_model(hidden_size=3, embedding_size=2, vocabulary="abc")


def description(model: ModelFile) -> dict[str, Any]:
    header = header_of(model.to_bytes())
    described: dict[str, Any] = json.loads(header["__metadata__"]["burble"])
    return described


def header_of(data: bytes) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(data[8 : 8 + header_length(data)])
    return header


def header_length(data: bytes) -> int:
    return int(struct.unpack("<Q", data[:8])[0])


def with_header(data: bytes, header: object) -> bytes:
    """`data` with its header replaced: by JSON, or by these very bytes."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data[8 + header_length(data) :]


def described_by(described: object, weights: Mapping[str, Any] | None = None) -> bytes:
    """A safetensors file with this description: a text as it is, anything else as JSON."""
    text = described if isinstance(described, str) else json.dumps(described)
    return save(dict(small().weights if weights is None else weights), {"burble": text})


def with_entry(section: str, key: str, value: object) -> bytes:
    described = description(small())
    described[section][key] = value
    return described_by(described)


def with_tensor_entry(**changed: object) -> bytes:
    data = small().to_bytes()
    header = header_of(data)
    header["head.bias"] |= changed
    return with_header(data, header)


def written(data: bytes, folder: Path) -> Path:
    path = folder / MODEL_NAME
    path.write_bytes(data)
    return path


def refusal(path: Path) -> str:
    """The message of the one error; it fits a terminal, whatever is in the file."""
    with pytest.raises(ModelFileError) as caught:
        ModelFile.load(path)
    message = str(caught.value)
    assert caught.value.exit_code == 4
    assert str(path) in message
    assert message.isprintable()
    assert len(message) < 600 + 2 * len(str(path))
    return message


def assert_same_model(one: ModelFile, other: ModelFile) -> None:
    assert one.network == other.network
    assert one.tokenizer.to_json() == other.tokenizer.to_json()
    assert one.normalization == other.normalization
    assert one.provenance == other.provenance
    assert one.weights.keys() == other.weights.keys()
    for name, weight in one.weights.items():
        assert other.weights[name].dtype == np.float32
        assert np.array_equal(weight, other.weights[name])


@pytest.mark.parametrize("vocabulary", [UNICODE, None], ids=["char", "byte"])
@pytest.mark.parametrize("kind", get_args(InputKind))
@pytest.mark.parametrize("cell", get_args(CellKind))
def test_a_saved_model_comes_back_whole(
    cell: CellKind, kind: InputKind, vocabulary: str | None, tmp_path: Path
) -> None:
    model = random_model(
        cell=cell,
        input=kind,
        num_layers=2,
        residual=True,
        vocabulary=vocabulary,
        normalization=NormalizationConfig(lowercase=True, unicode_form="NFKC"),
        provenance=PROVENANCE,
    )
    path = tmp_path / "some name.bin"
    model.save(path)
    assert_same_model(ModelFile.load(path), model)


def test_every_character_that_a_text_can_hold_may_be_in_the_vocabulary(tmp_path: Path) -> None:
    points = [*range(0x3000), *range(0xD700, 0xD800), *range(0xE000, 0xE100), 0x1F600, 0x10FFFF]
    everything = "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)
    model = random_model(vocabulary=everything, hidden_size=1, embedding_size=1)
    model.save(tmp_path / MODEL_NAME)
    assert ModelFile.load(tmp_path).tokenizer.decode(np.arange(len(everything))) == everything


def test_the_same_model_gives_the_same_bytes() -> None:
    assert small().to_bytes() == small().to_bytes()


def test_a_model_is_found_by_its_file_its_folder_or_a_link_to_either(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    small().save(tmp_path / "run" / MODEL_NAME)
    (tmp_path / "to folder").symlink_to("run")
    (tmp_path / "to file").symlink_to(f"run/{MODEL_NAME}")
    for name in ("run", f"run/{MODEL_NAME}", "to folder", "to file"):
        assert_same_model(ModelFile.load(tmp_path / name), small())


def test_what_holds_in_memory_in_another_layout_is_saved_as_rows_of_float32(tmp_path: Path) -> None:
    model = small()
    turned = {
        name: np.asfortranarray(weight.astype(np.float64)) for name, weight in model.weights.items()
    }
    ModelFile(model.network, model.tokenizer, turned).save(tmp_path / MODEL_NAME)  # type: ignore[arg-type]
    assert_same_model(ModelFile.load(tmp_path), model)


def test_saving_replaces_the_old_model(tmp_path: Path) -> None:
    written(b"old", tmp_path)
    small().save(tmp_path / MODEL_NAME)
    assert_same_model(ModelFile.load(tmp_path), small())
    assert os.listdir(tmp_path) == [MODEL_NAME]  # noqa: PTH208 - hidden files too


# What is no file.


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "half \ud800"], ids=["long", "nul", "half"])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model"):
        ModelFile.load(tmp_path / name)


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: path, "There is no model at"),
    "a folder without a model": (Path.mkdir, "folder that `burble train`"),
    "a folder as the model": (lambda path: (path / MODEL_NAME).mkdir(parents=True), "regular file"),
    "a pipe": (os.mkfifo, "regular file"),
    "a pipe as the model": (lambda path: [path.mkdir(), os.mkfifo(path / MODEL_NAME)], "regular"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "regular file"),
    "a link in a circle": (lambda path: path.symlink_to(path), "symbolic links"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("make", "words"), NO_FILES.values(), ids=NO_FILES.keys())
def test_what_is_no_file_is_told_and_not_waited_for(
    make: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "named")
    assert words in refusal(tmp_path / "named")


# What is no safetensors file of burble's.

HEADERS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "seven bytes": lambda: b"\x02" + bytes(6),
    "length only": lambda: struct.pack("<Q", 0),
    "length of minus one": lambda: struct.pack("<q", -1) + b"{}",
    "length of the sign bit": lambda: struct.pack("<Q", 1 << 63) + b"{}",
    "length beyond the file": lambda: struct.pack("<Q", 3) + b"{}",
    "length of ten terabytes": lambda: struct.pack("<Q", 10 << 40) + b"{}",
    "empty header": lambda: with_header(small().to_bytes(), {}),
    "header of zeros": lambda: with_header(small().to_bytes(), bytes(40)),
    "header is text": lambda: with_header(small().to_bytes(), b"not JSON at all"),
    "header is not UTF-8": lambda: with_header(small().to_bytes(), b'{"\xff": 1}'),
    "header is a list": lambda: with_header(small().to_bytes(), [1, 2]),
    "header is a number": lambda: with_header(small().to_bytes(), 12),
    "header has a number without end": lambda: with_header(
        small().to_bytes(), b'{"a": ' + b"9" * 10_000 + b"}"
    ),
    "header nested deeply": lambda: with_header(small().to_bytes(), b"[" * 100_000),
    "header nested to the end": lambda: with_header(
        small().to_bytes(), b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    ),
    "python pickle": lambda: b"\x80\x04\x95" + bytes(100),
    "zip": lambda: b"PK\x03\x04" + bytes(100),
    "someone else's": lambda: save(small().weights),
    "someone else's with metadata": lambda: save(small().weights, {"format": "pt"}),
    "description is JSON of a list": lambda: described_by([1]),
    "description is no JSON": lambda: described_by("{"),
    "description is empty": lambda: described_by(""),
    "description is not Unicode": lambda: described_by(
        json.dumps(description(small())).replace('"stream"', r'"\ud800"')
    ),
    "description nested deeply": lambda: described_by('{"format_version":' + "[" * 100_000),
}


@pytest.mark.parametrize("make", HEADERS.values(), ids=HEADERS.keys())
def test_what_is_not_burbles_is_refused(make: Callable[[], bytes], tmp_path: Path) -> None:
    refusal(written(make(), tmp_path))


@pytest.mark.parametrize("metadata", [None, [], 1, "text", {}, {"burble": {}}, {"burble": 1}])
def test_metadata_that_is_no_text_is_refused(metadata: object, tmp_path: Path) -> None:
    data = small().to_bytes()
    path = written(with_header(data, header_of(data) | {"__metadata__": metadata}), tmp_path)
    assert "not one that burble made" in refusal(path)


@pytest.mark.parametrize("levels", [10, 600, 900, 950, 990, 995])
def test_a_nested_value_is_refused_at_any_depth(levels: int, tmp_path: Path) -> None:
    nested = "[" * levels + "]" * levels
    text = json.dumps(description(small()))
    for entry in ('"format_version": 2', '"hidden_size": 3', '"kind": "char"', '"seed": 0'):
        assert entry in text
        name = entry.split(":", maxsplit=1)[0]
        refusal(written(described_by(text.replace(entry, f"{name}: {nested}")), tmp_path))


@pytest.mark.parametrize("version", [0, 1, 3, -1, 2.0, "2", None, [], "\x1b[2J" * 1000, 10**30])
def test_another_format_is_named(version: object, tmp_path: Path) -> None:
    path = written(described_by(description(small()) | {"format_version": version}), tmp_path)
    message = refusal(path)
    assert "this burble reads format 2" in message
    assert ("newer" in message) == (type(version) is int and version > 2)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("model", "cell"),
        ("model", "input"),
        ("tokenizer", "kind"),
        ("normalization", "unicode_form"),
    ],
)
def test_a_choice_of_a_later_burble_calls_for_it(section: str, key: str, tmp_path: Path) -> None:
    message = refusal(written(with_entry(section, key, "later"), tmp_path))
    assert "found 'later'. Install a newer burble." in message
    assert "train again" in refusal(written(with_entry(section, key, 3), tmp_path))


PARTS = ["model", "tokenizer", "normalization", "provenance"]


@pytest.mark.parametrize("section", PARTS)
@pytest.mark.parametrize("value", [None, [], 1, "text", True])
def test_a_section_that_is_no_table_is_refused(section: str, value: object, tmp_path: Path) -> None:
    refusal(written(described_by(description(small()) | {section: value}), tmp_path))


@pytest.mark.parametrize(
    "path",
    [
        *("format_version", "model", "tokenizer", "provenance"),
        # What decides the numbers is never left to a default.
        *("model.cell", "model.hidden_size", "model.residual"),
        *("tokenizer.kind", "tokenizer.vocabulary", "normalization.lowercase"),
    ],
)
def test_what_a_model_needs_is_missed(path: str, tmp_path: Path) -> None:
    described = description(small())
    section, _, key = path.partition(".")
    del (described[section] if key else described)[key or section]
    refusal(written(described_by(described), tmp_path))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "9" * 5000])
def test_numbers_that_are_none_are_refused(value: str, tmp_path: Path) -> None:
    text = json.dumps(description(small()))
    for entry in (
        '"hidden_size": 3',
        '"val_bits_per_char": null',
        '"int8_cost_bits": null',
        '"seconds": 0.0',
    ):
        changed = text.replace(entry, f"{entry.split(':', maxsplit=1)[0]}: {value}")
        assert changed != text
        refusal(written(described_by(changed), tmp_path))


WRONG_SIZES = [True, None, "512", 1e30, 3.0, -1, 0, 4, 16_385, 10**30, [3], {}, "x" * 100_000]
WRONG_VOCABULARIES = [
    *("bac", "aab", "abb", "", "ab", "abcd", "ab\ud800", "\udc00\udfffz", ["a", "b", "c"], 3, None)
]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "cell", "transformer"),
        ("model", "cell", ["lstm"]),
        ("model", "input", None),
        ("model", "num_layers", 65),
        ("model", "num_layers", 10**12),
        ("model", "residual", 1),
        ("model", "embedding_size", 16_384),
        *(("model", "hidden_size", value) for value in WRONG_SIZES),
        ("tokenizer", "kind", "bpe"),
        ("tokenizer", "kind", "byte"),
        ("tokenizer", "kind", {}),
        *(("tokenizer", "vocabulary", value) for value in WRONG_VOCABULARIES),
        ("normalization", "lowercase", "yes"),
        ("normalization", "unicode_form", "NFX"),
        ("provenance", "steps", "many"),
        ("provenance", "seconds", "long"),
        ("provenance", "text_fingerprint", None),
        ("provenance", "val_bits_per_char", "low"),
        ("provenance", "int8_cost_bits", "none"),
    ],
)
def test_a_wrong_value_is_refused(section: str, key: str, value: object, tmp_path: Path) -> None:
    refusal(written(with_entry(section, key, value), tmp_path))


def test_hostile_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    for value in (1, {"about": {}}):
        unknown = {"\x1b[2J\u202e\n": value}
        refusal(written(described_by(description(small()) | unknown), tmp_path))
    weights = small().weights | {"\x1b]0;owned\x07" * 100: np.zeros(1, np.float32)}
    refusal(written(described_by(description(small()), weights), tmp_path))


# Tensors.


SHAPES = [(), (2,), (4,), (3, 1), (1, 3), (0,)]
DTYPES = [np.float64, np.float16, np.int32, np.uint8, np.bool_]


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("layers.0.bias", None),  # missing
        ("layers.1.bias", np.zeros(12, np.float32)),  # one too many
        *(("head.bias", np.zeros(shape, np.float32)) for shape in SHAPES),
        *(("head.bias", np.zeros(3, dtype)) for dtype in DTYPES),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(name: str, tensor: Any, tmp_path: Path) -> None:
    weights = {key: value for key, value in small().weights.items() if key != name}
    if tensor is not None:
        weights[name] = tensor
    assert name in refusal(written(described_by(description(small()), weights), tmp_path))


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [3.0]},
        {"shape": [True, 3]},
        {"shape": "3"},
        {"shape": None},
        {"shape": [-3]},
        {"shape": [10**30]},
        {"shape": [1] * 100_000},
        {"dtype": "f32"},
        {"dtype": ["F32"]},
        {"dtype": "\x1b[31m" * 1000},
        {"data_offsets": None},
        {"data_offsets": [0]},
        {"data_offsets": [0, 12, 24]},
        {"data_offsets": [0, 12]},  # overlaps another tensor
        {"data_offsets": [12, 0]},
        {"data_offsets": [-12, 0]},
        {"data_offsets": [0, 10 << 40]},
        {"data_offsets": [2**64 - 12, 2**64]},
        {"data_offsets": ["0", "12"]},
        {"unknown": 1, "data_offsets": [0, 0]},
    ],
    ids=repr,
)
def test_a_broken_tensor_entry_is_refused(entry: dict[str, object], tmp_path: Path) -> None:
    refusal(written(with_tensor_entry(**entry), tmp_path))


@pytest.mark.parametrize("entry", [None, [], 1, "F32", {}])
def test_a_tensor_entry_that_is_no_table_is_refused(entry: object, tmp_path: Path) -> None:
    data = small().to_bytes()
    refusal(written(with_header(data, header_of(data) | {"head.bias": entry}), tmp_path))


def test_a_tensor_told_of_twice_gives_one_model_or_none(tmp_path: Path) -> None:
    data = small().to_bytes()
    entry = json.dumps(header_of(data)["head.bias"])
    text = json.dumps(header_of(data))
    twice = text[:-1] + ', "head.bias": ' + entry.replace("[3]", "[1, 3]") + "}"
    for header in (twice, '{"head.bias": ' + entry.replace("[3]", "[1, 3]") + ", " + text[1:]):
        assert_a_model_or_an_error(with_header(data, header.encode()), tmp_path)


@pytest.mark.parametrize("count", [1, 4, 12, 100])
def test_missing_and_trailing_data_is_told(count: int, tmp_path: Path) -> None:
    data = small().to_bytes()
    for wrong in (data[:-count], data + bytes(count)):
        assert "bytes of tensors" in refusal(written(wrong, tmp_path))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 1.0001e15, -1.0001e15])
@pytest.mark.parametrize("name", ["embedding.weight", "layers.0.weight_hh", "head.bias"])
def test_weights_that_are_no_numbers_or_huge_are_told(
    value: float, name: str, tmp_path: Path
) -> None:
    model = small()
    model.weights[name].flat[-1] = value
    model.save(tmp_path / MODEL_NAME)
    message = refusal(tmp_path / MODEL_NAME)
    assert name in message
    assert "NaN or numbers beyond ±1e+15" in message


def test_weights_as_large_as_may_be_are_read(tmp_path: Path) -> None:
    model = small()
    model.weights["head.bias"][:] = [MAX_WEIGHT, -MAX_WEIGHT, 1e-45]
    model.save(tmp_path / MODEL_NAME)
    assert_same_model(ModelFile.load(tmp_path), model)


# What came later.


@pytest.mark.parametrize("section", PARTS)
def test_a_field_of_a_later_version_is_left_out(section: str, tmp_path: Path) -> None:
    path = written(with_entry(section, "later", {"any": [1, None]}), tmp_path)
    assert_same_model(ModelFile.load(path), small())


@pytest.mark.parametrize(
    ("name", "section"), [("NetworkConfig", "network"), ("NormalizationConfig", "normalization")]
)
def test_a_file_from_before_a_field_has_its_default(
    name: str, section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later burble, whose configuration has one more field, reads what this one has written."""
    small().save(tmp_path / MODEL_NAME)
    known = getattr(model_file, name)
    fields = [("later", bool, field(default=True))]
    later = make_dataclass(f"Later{name}", fields, bases=(known,), frozen=True)
    monkeypatch.setattr(model_file, name, later)
    read = ModelFile.load(tmp_path)
    assert getattr(read, section).later
    assert to_mapping(getattr(read, section)) == to_mapping(getattr(small(), section)) | {
        "later": True
    }
    read.save(tmp_path / MODEL_NAME)
    monkeypatch.undo()
    assert_same_model(ModelFile.load(tmp_path), small())


@pytest.mark.parametrize("key", list(to_mapping(Provenance())))
def test_a_model_of_which_less_was_known_is_read(key: str, tmp_path: Path) -> None:
    described = description(small())
    del described["provenance"][key]
    written(described_by(described), tmp_path)
    found, default = ModelFile.load(tmp_path).provenance, Provenance()
    assert getattr(found, key) == getattr(default, key)


def test_an_older_format_is_upgraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shout(described: dict[str, Any]) -> dict[str, Any]:
        normalization = {"lowercase": described["normalization"]["quiet"], "unicode_form": None}
        return described | {"normalization": normalization}

    old = description(small()) | {"normalization": {"quiet": True}}
    path = written(described_by(old), tmp_path)
    monkeypatch.setattr(model_file, "FORMAT", SavedFormat(3, {2: shout}))
    assert ModelFile.load(path).normalization.lowercase
    assert description(ModelFile.load(path))["format_version"] == 3


# Sections.

COLOURS = np.arange(6, dtype=np.float32).reshape(3, 2)
COUNTS = np.array([2**24 + 1, -3], np.int64)  # the first is no float32


def colour_specs(about: dict[str, Any]) -> dict[str, TensorSpec]:
    count = len(about["names"])
    return {"of": TensorSpec((3, count)), "counts": TensorSpec((count,), "I64")}


def sectioned(*, ignorable: bool) -> ModelFile:
    """A model with a section that only a later burble knows."""
    tensors: Tensors = {"of": COLOURS, "counts": COUNTS}
    section = Section({"names": ["red", "blue"]}, tensors, is_ignorable=ignorable)
    return replace(small(), sections={"colours": section})


def saved_later(folder: Path, *, ignorable: bool) -> Path:
    with patch.dict(SECTIONS, colours=colour_specs):
        return written(sectioned(ignorable=ignorable).to_bytes(), folder)


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECTIONS, "colours", colour_specs)


def test_an_unknown_section_is_named(tmp_path: Path) -> None:
    message = refusal(saved_later(tmp_path, ignorable=False))
    assert "has a section that this burble does not know: colours." in message
    assert "newer burble" in message


def test_an_unknown_section_that_can_be_ignored_is_left_out(tmp_path: Path) -> None:
    read = ModelFile.load(saved_later(tmp_path, ignorable=True))
    assert_same_model(read, small())
    assert not read.sections


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.uint64])
def test_its_tensors_may_be_of_any_type(dtype: type[np.generic], tmp_path: Path) -> None:
    described = json.loads(sectioned(ignorable=True).description())
    weights = small().weights | {"colours.of": np.zeros((5, 3), dtype)}
    assert_same_model(ModelFile.load(written(described_by(described, weights), tmp_path)), small())
    refusal(written(described_by(description(small()), weights), tmp_path))


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize("ignorable", [True, False])
def test_a_known_section_comes_back_whole(ignorable: bool, tmp_path: Path) -> None:  # noqa: FBT001
    model = sectioned(ignorable=ignorable)
    model.save(tmp_path / MODEL_NAME)
    read = ModelFile.load(tmp_path)
    assert_same_model(read, model)
    section = read.sections["colours"]
    assert section.about == {"names": ["red", "blue"]}
    assert section.is_ignorable == ignorable
    for name, tensor in model.sections["colours"].tensors.items():
        assert section.tensors[name].dtype == tensor.dtype
        assert np.array_equal(section.tensors[name], tensor)


@pytest.mark.usefixtures("knowing")
def test_only_the_weights_of_the_network_are_bounded(tmp_path: Path) -> None:
    model = sectioned(ignorable=False)
    model.sections["colours"].tensors["of"] = np.full((3, 2), 1e16, np.float32)
    model.save(tmp_path / MODEL_NAME)
    assert ModelFile.load(tmp_path).sections["colours"].tensors["of"].min() == np.float32(1e16)


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize("tensors", [{"of": COLOURS}, {"of": COLOURS, "counts": COUNTS * 1.0}])
def test_a_section_that_would_not_load_is_not_saved(tensors: dict[str, Any]) -> None:
    model = replace(small(), sections={"colours": Section({"names": ["red", "blue"]}, tensors)})
    with pytest.raises(ValueError, match="the tensors of colours must be"):
        model.to_bytes()


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize("about", [{}, {"names": 3}, {"name": ["red"]}])
def test_a_known_section_that_lacks_a_name_is_refused(about: object, tmp_path: Path) -> None:
    described = description(small()) | {"colours": {"about": about}}
    assert "colours does not describe" in refusal(written(described_by(described), tmp_path))


@pytest.mark.usefixtures("knowing")
def test_a_known_section_is_checked_before_it_is_read(tmp_path: Path) -> None:
    described = description(sectioned(ignorable=True))
    for wrong in (np.zeros((3, 3), np.float32), np.zeros((3, 2), np.float64)):
        weights = small().weights | {"colours.of": wrong, "colours.counts": COUNTS}
        assert "colours.of" in refusal(written(described_by(described, weights), tmp_path))
    assert "colours.of" in refusal(written(described_by(described), tmp_path))


@pytest.mark.parametrize("value", [None, [], 1, {}, {"about": 3}, {"ignorable": True}])
def test_a_section_that_is_not_about_anything_is_refused(value: object, tmp_path: Path) -> None:
    described = description(small()) | {"colours": value}
    assert "colours" in refusal(written(described_by(described), tmp_path))


@pytest.mark.parametrize("ignorable", [1, "yes", None, []])
def test_only_true_lets_a_section_be_ignored(ignorable: object, tmp_path: Path) -> None:
    described = description(small()) | {"colours": {"about": {}, "ignorable": ignorable}}
    assert "does not know: colours" in refusal(written(described_by(described), tmp_path))


@pytest.mark.parametrize("offsets", [None, [0], ["0", "12"], [24, 0], [-8, 0], [0, 10 << 40]])
def test_an_ignored_tensor_that_is_nowhere_is_refused(offsets: object, tmp_path: Path) -> None:
    data = saved_later(tmp_path, ignorable=True).read_bytes()
    header = header_of(data)
    header["colours.of"]["data_offsets"] = offsets
    refusal(written(with_header(data, header), tmp_path))


# What is small, but claims to be huge.


def terabytes_of_tensor() -> bytes:
    return with_tensor_entry(shape=[10 << 38], data_offsets=[0, 10 << 40])


def terabytes_of_model() -> bytes:
    """Every tensor of the largest network, told of in a sound header without the data."""
    network = NetworkConfig(num_layers=64, hidden_size=16_384, embedding_size=16_384)
    described = description(small()) | {"model": to_mapping(network)}
    header: dict[str, Any] = {"__metadata__": {"burble": json.dumps(described)}}
    end = 0
    for name, shape in network.tensor_shapes(3).items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    return with_header(small().to_bytes(), header)


@pytest.mark.parametrize("make", [terabytes_of_tensor, terabytes_of_model])
def test_a_file_that_claims_terabytes_is_refused_at_once(
    make: Callable[[], bytes], tmp_path: Path
) -> None:
    assert_refused_at_once(written(make(), tmp_path))


def test_a_file_of_holes_is_refused_at_once(tmp_path: Path) -> None:
    for start in (b"", struct.pack("<Q", (1 << 40) - 8), small().to_bytes()):
        path = written(start, tmp_path)
        os.truncate(path, 1 << 40)
        assert_refused_at_once(path)


def assert_refused_at_once(path: Path) -> None:
    tracemalloc.start()
    try:
        refusal(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BYTES


# What chance does to a file.


def assert_a_model_or_an_error(data: bytes, folder: Path) -> bool:
    """True where `data` is a model: then it is a sound one."""
    path = written(data, folder)
    try:
        model = ModelFile.load(path)
    except ModelFileError:
        refusal(path)
        return False
    shapes = model.network.tensor_shapes(model.tokenizer.vocab_size)
    assert {name: weight.shape for name, weight in model.weights.items()} == shapes
    assert all((np.abs(weight) <= MAX_WEIGHT).all() for weight in model.weights.values())
    return True


def flipped(data: bytes, draw: random.Random, within: int) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 8])):
        changed[draw.randrange(within)] = draw.randrange(256)
    return bytes(changed)


def test_random_damage_gives_a_model_or_one_error(tmp_path: Path) -> None:
    draw = random.Random(0)  # noqa: S311 - not a secret
    data = small().to_bytes()
    sound = [
        assert_a_model_or_an_error(flipped(data, draw, within), tmp_path)
        for within in (header_length(data) + 8, len(data))
        for _ in range(NUM_FLIPS // 2)
    ]
    assert 0 < sum(sound) < len(sound)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = small().to_bytes()
    for size in range(0, len(data), 7):
        assert not assert_a_model_or_an_error(data[:size], tmp_path)


def test_swapped_parts_are_a_model_or_one_error(tmp_path: Path) -> None:
    draw = random.Random(1)  # noqa: S311 - not a secret
    data = small().to_bytes()
    for _ in range(100):
        one, other = sorted(draw.sample(range(len(data)), 2))
        assert_a_model_or_an_error(data[:one] + data[other:], tmp_path)
        assert_a_model_or_an_error(data[:other] + data[one:], tmp_path)
