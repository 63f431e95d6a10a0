"""The lesson's page is its notebook, and its numbers can be worked out from what it prints.

That the notebook runs, and needs no torch, is tested in test_without_torch.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

nbformat = pytest.importorskip("nbformat")
for needed in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(needed)

from burble import Model
from burble.config import NetworkConfig
from burble.model_file import ModelFile
from burble.tokenizers.char import CharTokenizer
from docs.make_tutorial import DOCS, NOTEBOOK, PAGE, PICTURES, page, pictures
from tests.lesson import GATES, NEAR, assert_traced, read_printed

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from tests.lesson import Printed


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def printed(notebook: NotebookNode) -> Printed:
    return read_printed(notebook)


def test_the_page_says_what_the_notebook_says(notebook: NotebookNode) -> None:
    assert PAGE.read_text("utf-8") == page(notebook)


def test_the_pictures_are_those_of_the_notebook(notebook: NotebookNode) -> None:
    kept = {f"{PICTURES}/{path.name}": path.read_bytes() for path in (DOCS / PICTURES).iterdir()}
    assert kept == pictures(notebook)


def test_every_link_and_picture_of_the_page_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text("utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_lesson_uses_the_public_api_only(notebook: NotebookNode) -> None:
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "import burble\n" in code
    assert re.findall(r"(?:from|import) burble\.\w+", code) == []


def test_a_question_comes_before_each_result(notebook: NotebookNode) -> None:
    pairs = zip(notebook.cells[1:-1], notebook.cells[2:], strict=True)
    unasked = [
        cell.id
        for before, cell in pairs
        if cell.cell_type == "code" and cell.id != "settings"
        if not re.search(r"\*\*Guess first\.\*\* [^*]+\?$", before.source, re.DOTALL)
    ]
    assert unasked == []


def test_each_term_is_explained_where_it_first_comes(notebook: NotebookNode) -> None:
    cells = [cell.source for cell in notebook.cells[1:] if cell.cell_type == "markdown"]
    prose = re.sub(r"^#.*$", "", "\n".join(cells), flags=re.MULTILINE)
    terms = re.findall(r"(?<!\*)\*([a-z][a-z -]+)\*(?!\*)", prose)
    assert len(terms) > 20
    too_early = [
        term
        for term in terms
        if re.search(
            rf"(?<![\w*`-]){term.removesuffix('s')}s?(?![\w*`])",
            prose[: prose.index(f"*{term}*")],
            re.IGNORECASE,
        )
    ]
    assert too_early == []


def test_all_of_the_small_network_is_printed(printed: Printed) -> None:
    units = range(printed.num_units)
    assert printed.rows.keys() == {(gate, unit) for gate in GATES for unit in units}
    assert len(printed.steps) == len(printed.hidden) == 5
    assert printed.letters.keys() == set(printed.word)
    widths = {len(row) for row in printed.rows.values()}
    assert widths == {len(printed.letters[printed.word[0]]) + printed.num_units + 1}


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_follows_from_the_printed_numbers_alone(printed: Printed, gate: str) -> None:
    for place, step in enumerate(printed.steps):
        found = printed.gate(gate, printed.unit, place)
        assert found == pytest.approx(step.values[gate], abs=NEAR), (place, step.letter)


def test_the_states_follow_from_the_printed_numbers_alone(printed: Printed) -> None:
    for place, step in enumerate(printed.steps):
        cell, hidden = printed.state(printed.unit, place)
        assert (cell, hidden) == pytest.approx(
            (step.values["cell"], step.values["hidden"]), abs=NEAR
        )
        for unit in range(printed.num_units):
            found = printed.state(unit, place)[1]
            assert found == pytest.approx(printed.hidden[place][unit], abs=NEAR / 2)


def test_the_printed_numbers_make_a_model_with_that_trace(printed: Printed) -> None:
    assert_traced(printed, model_of(printed).trace(printed.word))


def model_of(printed: Printed) -> Model:
    """Make a model of the printed weights; what it predicts is not printed, so it is even."""
    alphabet = "".join(sorted(printed.letters))
    units, width = printed.num_units, len(printed.letters[alphabet[0]])
    network = NetworkConfig(hidden_size=units, embedding_size=width)
    rows = np.float32([printed.rows[gate, unit] for gate in GATES for unit in range(units)])
    weights = {
        name: np.zeros(shape, np.float32)
        for name, shape in network.tensor_shapes(len(alphabet)).items()
    } | {
        "embedding.weight": np.float32([printed.letters[letter] for letter in alphabet]),
        "layers.0.weight_ih": rows[:, :width],
        "layers.0.weight_hh": rows[:, width:-1],
        "layers.0.bias": rows[:, -1],
    }
    return Model(ModelFile(network, CharTokenizer(alphabet), weights), precision="float32")
