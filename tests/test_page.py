"""A page holds its data, its style and its one script, and their hashes are right."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from burble.page import fill_page

TEMPLATE = '<meta content="{{policy}}"><style>{{style}}</style>{{data}}<script>{{script}}</script>'


def sha256(source: str) -> str:
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def test_the_policy_names_the_script_and_the_style_by_their_hashes() -> None:
    style, script = "p { margin: 0 }", "let a = '—';"
    page = fill_page(TEMPLATE, style, script, {})
    policy = re.search(r'content="([^"]*)"', page)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{sha256(script)}'"
    assert rules["style-src"] == f"'sha256-{sha256(style)}'"


def test_no_tag_and_no_line_end_can_be_in_the_data() -> None:
    data = {"text": "</script><!--\u2028\u2029\n{{script}}\u202e\U0001f600\x00"}
    page = fill_page("{{data}}", "", "", data)
    assert page.isascii()
    assert page.isprintable()
    assert "<" not in page
    assert json.loads(page) == data


def test_what_is_put_in_is_not_filled_again() -> None:
    page = fill_page("{{data}}|{{script}}", "", "run('{{style}}')", "{{script}}")
    assert page == "\"{{script}}\"|run('{{style}}')"
