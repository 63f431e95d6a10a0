"""A file of any version that is read comes up to today's; any other is refused by its number."""

from __future__ import annotations

import pytest

from burble.saved_format import KEY, Described, SavedFormat, VersionError


def _rename(described: Described) -> Described:
    return {"size" if name == "width" else name: value for name, value in described.items()}


def _double(described: Described) -> Described:
    return described | {"size": 2 * described["size"]}


FORMAT = SavedFormat(4, {2: _rename, 3: _double})


@pytest.mark.parametrize(
    ("version", "described"), [(2, {"width": 5}), (3, {"size": 5}), (4, {"size": 10})]
)
def test_an_older_version_is_upgraded_step_by_step(version: int, described: Described) -> None:
    given = {KEY: version, "name": "a", **described}
    assert FORMAT.upgrade(given) == {"name": "a", "size": 10}
    assert given[KEY] == version


def test_what_is_written_today_is_read_as_it_is() -> None:
    assert FORMAT.mark({"size": 3}) == {KEY: 4, "size": 3}
    assert FORMAT.upgrade(FORMAT.mark({"size": 3})) == {"size": 3}


@pytest.mark.parametrize("version", [0, 1, -1, 5, 10**30])
def test_any_other_version_is_refused(version: int) -> None:
    with pytest.raises(VersionError, match="this burble reads format 2, 3, 4") as caught:
        FORMAT.upgrade({KEY: version})
    assert ("newer" in caught.value.advice) == (version > 4)


@pytest.mark.parametrize("version", [2.0, True, "2", None, []])
def test_what_has_no_version_is_of_no_other_one(version: object) -> None:
    with pytest.raises(ValueError, match="this burble reads format 2, 3, 4") as caught:
        FORMAT.upgrade({KEY: version})
    assert not isinstance(caught.value, VersionError)
    with pytest.raises(ValueError, match="format None"):
        FORMAT.upgrade({})
