from __future__ import annotations

import json

from burble.version import __version__
from tests.cli.command import burble


def test_the_known_texts_are_listed() -> None:
    shown = burble("corpora").stdout.decode()
    assert shown.startswith("python-docs  Python's language reference")
    assert "\nalice" in shown
    assert set(json.loads(burble("corpora", "--json").stdout)) == {"python-docs", "alice"}


def test_the_doctor_tells_what_is_installed() -> None:
    found = json.loads(burble("doctor", "--json").stdout)
    assert found["burble"] == __version__
    assert found["kernel"].startswith("numpy")
    assert found["torch"][0].isdigit()
    shown = burble("doctor").stdout.decode()
    assert all(name in shown for name in found)
