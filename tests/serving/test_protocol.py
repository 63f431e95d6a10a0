"""What `BoundedProtocol` leans on in uvicorn, which promises none of it."""

from __future__ import annotations

import ast
import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from burble.serving.http import protocol
from burble.serving.http.protocol import BoundedProtocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

OWN = {name: member for name, member in vars(BoundedProtocol).items() if name[:2] != "__"}
MARKED = {name for name, member in OWN.items() if hasattr(member, "__override__")}


def used(owner: str) -> set[str]:
    """The attributes of `owner` in the source, as `keep_alive` of `self.cycle`."""
    tree = ast.parse(inspect.getsource(protocol))
    attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in attributes if ast.unparse(node.value) == owner}


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer no request."""


@pytest.fixture(scope="module")
def theirs() -> set[str]:
    """Whatever a protocol of uvicorn has."""
    with asyncio.Runner() as runner:
        config = Config(nothing, log_config=None)
        made = HttpToolsProtocol(config, ServerState(), {}, runner.get_loop())
    return {*dir(HttpToolsProtocol), *vars(made)}


def test_what_uvicorn_has_is_overridden_knowingly(theirs: set[str]) -> None:
    """A method or an attribute that it gains under a name of ours would be lost in silence."""
    assert OWN.keys() & theirs == MARKED


@pytest.mark.parametrize("name", sorted(MARKED))
def test_an_overridden_method_is_called_as_before(name: str) -> None:
    ours, original = (
        list(inspect.signature(getattr(kind, name)).parameters)
        for kind in (BoundedProtocol, HttpToolsProtocol)
    )
    assert ours == original


def test_what_is_read_of_uvicorn_is_there(theirs: set[str]) -> None:
    assert used("self") - OWN.keys() - {"_waiting"} <= theirs
    flow = FlowControl(asyncio.Transport())
    assert used("self.flow") <= {*dir(flow)}
    cycle = inspect.getsource(RequestResponseCycle.__init__)
    assert [name for name in used("self.cycle") if f"self.{name} = " not in cycle] == []
