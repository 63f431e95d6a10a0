"""Ways to change the folder of a run into what no run leaves, by chance that a seed decides."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import stat
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Mutation = Callable[[random.Random, Path, "Places"], None]
    Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]

ODD: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 7, 1000, 2**31),
    *(2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30),
    *(0.5, -0.5, 1e-320, 1e300, math.nan, math.inf, -math.inf, 10**400),
    *("", "a", "x" * 10_000, "../../outside/secret", "/dev/zero", "\ud800", "\x1b[2J\n", "0" * 64),
    *([], {}, [1, 2], {"a": 1}, [[[[[[]]]]]]),
]
TOML_ODD = [
    *("-1", "0", "1", "2", "7", "65536", "1000000", "2147483648", "9223372036854775808", "1e999"),
    *("nan", "inf", "-inf", "-0.5", "0.999", "1e-320", "1e300", "true", '""', '"a"', "[]", "{}"),
    *('"lstm"', '"gru"', '"rnn"', '"stream"', '"windows"', '"sentences"', '"byte"', '"cuda:9"'),
    *('"/"', '["/dev/zero"]', '["/"]', '["-"]', '["/**/*"]', '["http://127.0.0.1:9/"]'),
    *("[" * 2000 + "]" * 2000, "0x" + "f" * 9000, "9" * 5000, '"' + "x" * 50_000 + '"'),
    *("1979-05-27T07:32:00Z", '"bfloat16"', '"float32"', '"auto"', '"meta"', '"mps"', '"cpu:1"'),
]
DTYPES = [np.float64, np.float16, np.int64, np.int32, np.uint8, np.bool_]
NUMBERS = [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e6, 1e16, 3e38, -3e38, 2.0**24 + 2, 1e-45]


class Places:
    """Where the other runs are, and a folder outside that nothing may change."""

    def __init__(self, runs: list[Path], outside: Path) -> None:
        self.runs = runs
        self.outside = outside


def mutate(seed: int, run: Path, places: Places) -> list[str]:
    """Change the run in a way, or in a few; return the names of the ways."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    ways: list[str] = []
    for way in draw.choices(list(MUTATIONS), k=draw.choice([1, 1, 1, 1, 2, 3])):
        if leads_out(run):
            break  # to go on would change what is outside, or wait for a pipe
        ways.append(way)
        try:
            MUTATIONS[way](draw, run, places)
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            continue  # what an earlier one has left cannot be changed so
        except (RecursionError, MemoryError, SafetensorError, struct.error):
            continue
    return ways


def leads_out(run: Path) -> bool:
    found = [(path.lstat().st_mode, path.lstat().st_nlink) for path in run.rglob("*")]
    return any(
        not stat.S_ISDIR(mode) and (not stat.S_ISREG(mode) or links > 1) for mode, links in found
    )


def files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file() and not path.is_symlink())


def entries(run: Path) -> list[Path]:
    return sorted(run.rglob("*"))


def state_file(draw: random.Random, run: Path) -> Path:
    return draw.choice([*sorted((run / "last").glob("state-*")) * 4, run / "model.safetensors"])


# Bytes.


def change_bytes(draw: random.Random, run: Path, _: Places) -> None:
    path = draw.choice(files(run))
    data = bytearray(path.read_bytes())
    near = draw.choice([len(data), min(len(data), 200)])
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        data[draw.randrange(near)] = draw.randrange(256)
    path.write_bytes(data)


def cut_bytes(draw: random.Random, run: Path, _: Places) -> None:
    path = draw.choice(files(run))
    data = path.read_bytes()
    one, other = sorted(draw.choices(range(len(data) + 1), k=2))
    kept = [data[:one], data[one:], data[:one] + data[other:], b"", data[:-1], data + data]
    path.write_bytes(draw.choice(kept))


def add_bytes(draw: random.Random, run: Path, _: Places) -> None:
    path = draw.choice(files(run))
    data = path.read_bytes()
    extra = draw.choice([b"\0", b"\xff" * 8, b"{", b"[" * 100_000, b"\n", draw.randbytes(100)])
    place = draw.choice([0, len(data), draw.randrange(len(data) + 1)])
    path.write_bytes(data[:place] + extra + data[place:])


def make_holes(draw: random.Random, run: Path, _: Places) -> None:
    os.truncate(draw.choice(files(run)), draw.choice([1 << 20, 1 << 33, 1 << 40]))


# JSON and TOML.


def change_json(draw: random.Random, run: Path, _: Places) -> None:
    path = draw.choice([run / "last" / "manifest.json"] * 3 + [run / "data" / "data.json"])
    path.write_text(json.dumps(_changed(draw, json.loads(path.read_bytes()))), "utf-8")


def _changed(draw: random.Random, value: Any) -> Any:
    """`value` with something in it replaced, left out or added."""
    if not isinstance(value, dict) or not value or draw.random() < 0.02:
        return draw.choice(ODD)
    name = draw.choice(list(value))
    match draw.randrange(8):
        case 0:
            return {key: item for key, item in value.items() if key != name}
        case 1:
            return value | {draw.choice(["extra", "", "\x1b[2J", "x" * 5000]): draw.choice(ODD)}
    return value | {name: _changed(draw, value[name])}


def change_json_text(draw: random.Random, run: Path, _: Places) -> None:
    path = draw.choice([run / "last" / "manifest.json", run / "data" / "data.json"])
    text = path.read_text("utf-8")
    name = draw.choice(['"step"', '"position"', '"facts"', '"file"', '"kind"', '"num_ids"'])
    deep = "[" * 100_000
    new = draw.choice([f"{name}: 1, {name}", f"{name}: {deep}", f'{name}: {"9" * 5000}, "x"', "{"])
    path.write_text(text.replace(name, new), "utf-8")


def change_log(draw: random.Random, run: Path, _: Places) -> None:
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() or ["{}"]
    place = draw.randrange(len(lines))
    line = json.dumps(_changed(draw, json.loads(lines[place])))
    lines[place] = draw.choice([line, line, "[" * 100_000, "{", "1", ""])
    path.write_text("\n".join(lines) + draw.choice(["\n", ""]))


def change_toml(draw: random.Random, run: Path, _: Places) -> None:
    path = run / "run.toml"
    lines = path.read_text("utf-8").splitlines()
    place = draw.randrange(len(lines))
    name = lines[place].partition(" = ")[0]
    dotted = ".".join(["a"] * 20_000) + " = 1"
    changed = [f"{name} = {value}" for value in TOML_ODD]
    others = ["", lines[place] + "\n" + lines[place], "a = 1", dotted, "[network]", '"""', "[[a]]"]
    lines[place] = draw.choice(draw.choice([changed, changed, changed, others]))
    path.write_text("\n".join(lines), "utf-8")


# Tensors.


def read_arrays(path: Path) -> tuple[Arrays, dict[str, str]]:
    with safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118 - it is no mapping


def change_tensors(draw: random.Random, run: Path, _: Places) -> None:
    """A sound file of other tensors than it should hold."""
    path = state_file(draw, run)
    arrays, metadata = read_arrays(path)
    names = [name for name in arrays if name.startswith("optimizer.")] or list(arrays)
    for _ in range(draw.choice([1, 1, 1, 3])):
        name = draw.choice(draw.choice([names, list(arrays)]))
        _change_tensor(draw, arrays, name)
    path.write_bytes(save(arrays, metadata))


def _change_tensor(draw: random.Random, arrays: Arrays, name: str) -> None:
    array = arrays[name]
    match draw.randrange(8):
        case 0:
            del arrays[name]
        case 1:
            arrays[draw.choice([f"{name}.", "extra", "\x1b[2J", "network.head.bias"])] = array
        case 2:
            arrays[name] = array.astype(draw.choice(DTYPES))
        case 3 | 4:
            arrays[name] = np.resize(array, _other_shape(draw, array.shape))
        case 5:
            arrays[name] = np.zeros((0, *array.shape[1:]), array.dtype)
        case 6:
            other = draw.choice(list(arrays))
            arrays[name], arrays[other] = arrays[other], array
        case 7:
            changed = array.copy()
            changed.flat[draw.randrange(max(array.size, 1))] = draw.choice(NUMBERS)
            arrays[name] = changed


def _other_shape(draw: random.Random, shape: tuple[int, ...]) -> tuple[int, ...]:
    others = [(), (1,), (2, 3), shape[::-1], (*shape, 1), (1, *shape), tuple(2 * n for n in shape)]
    others += [tuple(max(1, n - 1) for n in shape), (math.prod(shape),), (1000, 100)]
    return draw.choice(others)


def change_header(draw: random.Random, run: Path, _: Places) -> None:
    """A header that does not fit what follows it."""
    path = state_file(draw, run)
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    name = draw.choice(list(header))
    if draw.random() < 0.3:
        lie = draw.choice([0, 1, length - 1, length + 1, length + 8, 1 << 40, (1 << 64) - 1])
        path.write_bytes(struct.pack("<Q", lie) + data[8:])
        return
    entry = header[name]
    if isinstance(entry, dict) and draw.random() < 0.8:
        key = draw.choice(list(entry))
        numbers = [[0], [0, 0], [0, 4], [4, 0], [-4, 0], [0, 1 << 40], [1, 1], [10**30], [1] * 5000]
        entry[key] = draw.choice(draw.choice([ODD, numbers, ["F32", "F64", "F16", "I8", "BOOL"]]))
    else:
        header[name] = draw.choice(ODD)
    text = json.dumps(header).replace("Infinity", "1e999").encode("utf-8", "surrogatepass")
    if draw.random() < 0.1:
        text = text[:-1] + b", " + json.dumps(name).encode() + b": {}}"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


# The text.


def change_ids(draw: random.Random, run: Path, _: Places) -> None:
    path, facts_path = run / "data" / "ids.bin", run / "data" / "data.json"
    ids = bytearray(path.read_bytes())
    match draw.randrange(4):
        case 0:
            ids[draw.randrange(len(ids))] = draw.choice([0, 128, 200, 255])
        case 1:
            ids[:] = bytes([draw.choice([0, 128, 200, 255])]) * len(ids)
        case _:
            ids = ids[: draw.choice([0, 1, 2, 3, len(ids) // 2])]
    path.write_bytes(ids)
    if draw.random() < 0.7:
        described = json.loads(facts_path.read_bytes())
        for name in ("num_ids", "num_characters"):
            described["facts"][name] = len(ids)
        cut = draw.choice([0, 1, len(ids) // 2, len(ids) - 1, len(ids)])
        described["facts"] |= {"cut_ids": cut, "cut_characters": cut}
        facts_path.write_text(json.dumps(described), "utf-8")


# Files and folders.


def link(draw: random.Random, run: Path, places: Places) -> None:
    path = draw.choice(entries(run))
    is_folder = path.is_dir()
    remove(path)
    outside = places.outside
    kept = outside / "run" / path.relative_to(run)
    if kept.name.startswith("state-") and not kept.exists():
        kept = next(iter(sorted(kept.parent.glob("state-*"))), kept)
    near = [outside / "run", outside] if is_folder else [outside / "secret", "/dev/zero"]
    path.symlink_to(draw.choice([kept, kept, *near, outside / "absent", path.name]))


def hard_link(draw: random.Random, run: Path, places: Places) -> None:
    path = draw.choice([*files(run), run / ".burble-lock"])
    path.unlink(missing_ok=True)
    kept = places.outside / "run" / path.relative_to(run)
    path.hardlink_to(draw.choice([kept if kept.exists() else places.outside / "secret"]))


def make_odd(draw: random.Random, run: Path, _: Places) -> None:
    """A pipe, a device or a folder in the place of something, or an empty file."""
    path = draw.choice(
        [*entries(run), run / ".burble-lock", run / ".burble-new", run / ".burble-ready"]
    )
    remove(path)
    match draw.randrange(4):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.touch()
        case 3:
            (path / "a" / "b").mkdir(parents=True)


def take_away(draw: random.Random, run: Path, _: Places) -> None:
    remove(draw.choice(entries(run)))


def take_from_another(draw: random.Random, run: Path, places: Places) -> None:
    """A sound part of another run in the place of this one's."""
    part = draw.choice(["run.toml", "model.safetensors", "data", "last", "metrics.jsonl"])
    other = draw.choice(places.runs)
    remove(run / part)
    _copy(other / part, run / part)


def begin_anew(draw: random.Random, run: Path, places: Places) -> None:
    """What a process leaves that was killed while its run took this one's place."""
    other = draw.choice(places.runs)
    aside = run / draw.choice([".burble-new", ".burble-ready"])
    aside.mkdir()
    for part in draw.sample(sorted(path.name for path in other.iterdir()), k=draw.randint(0, 5)):
        _copy(other / part, aside / part)
    if draw.random() < 0.5:
        mutate(draw.randrange(2**32), aside, places)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(source: Path, place: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, place)
    else:
        shutil.copyfile(source, place)


MUTATIONS: dict[str, Mutation] = {
    way.__name__: way
    for way in (
        *(change_bytes, cut_bytes, add_bytes, make_holes),
        *(change_json, change_json_text, change_log, change_toml),
        *(change_tensors, change_header, change_ids),
        *(link, hard_link, make_odd, take_away, take_from_another, begin_anew),
    )
}
