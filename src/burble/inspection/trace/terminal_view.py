"""Show a trace in a terminal: the coloured text, and what was expected at each place."""

from collections.abc import Iterable

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from burble.engine.trace import Trace
from burble.inspection.palette import shade
from burble.inspection.trace.guesses import bits_per_char, guesses_before, probabilities
from burble.inspection.trace.series import Series, surprisal_series
from burble.inspection.trace.tokens import running_text, token_label
from burble.tokenizers.base import Tokenizer

# Nobody reads more rows, so a longer text shows only those with the highest surprisal.
MAX_ROWS = 60
_ROWS_OF_LONG = 12

_EXPECTED = "expected, likeliest first"
_LEFT = {"came", _EXPECTED}


def terminal_view(
    trace: Trace, tokenizer: Tokenizer, chosen: Series | None, top: int, *, in_colour: bool
) -> RenderableType:
    """Show the text coloured by `chosen` or by surprisal, and `top` guesses at each place."""
    shown = surprisal_series(trace) if chosen is None else chosen
    bits = bits_per_char(trace, tokenizer)
    return Group(
        _colour(running_text(tokenizer, trace.ids), shown),
        Text(),
        *([_legend(shown)] if in_colour else []),
        *([] if bits is None else [Text(f"{bits:.3f} bits per character")]),
        Text(),
        _table(trace, tokenizer, chosen, top),
    )


def _colour(pieces: list[str], series: Series) -> Text:
    text = Text()
    for piece, share in zip(pieces, series.shares(), strict=True):
        # A line break has no width to colour, so a sign shows it.
        text.append(piece.replace("\n", "⏎\n"), style=shade(float(share)))
    return text


def _legend(series: Series) -> Text:
    steps = np.linspace(-1 if series.is_signed else 0, 1, 17)
    legend = Text(f"{series.title}  {series.low:.{series.digits}f} ")
    for share in steps:
        legend.append(" ", style=shade(float(share)))
    return legend.append(f" {series.high:.{series.digits}f}")


def _table(trace: Trace, tokenizer: Tokenizer, chosen: Series | None, top: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    places: Iterable[int] = range(len(trace.ids) + 1)
    if len(trace.ids) > MAX_ROWS:
        table.title = "What surprised most"
        order = np.argsort(-trace.surprisal, kind="stable")  # NaN comes last
        places = sorted(order[:_ROWS_OF_LONG].tolist())
    columns = _columns(trace, tokenizer, chosen, top)
    for heading in columns:
        table.add_column(heading, justify="left" if heading in _LEFT else "right", no_wrap=True)
    for place in places:
        table.add_row(*(Text(cells[place]) for cells in columns.values()))
    return table


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.01 else "<1%"


def _columns(
    trace: Trace, tokenizer: Tokenizer, chosen: Series | None, top: int
) -> dict[str, list[str]]:
    columns = {
        "place": [str(place) for place in range(len(trace.ids))],
        "came": [token_label(tokenizer, token) for token in trace.ids.tolist()],
        "probability": ["" if p is None else f"{p:.1%}" for p in probabilities(trace)],
        "bits": ["" if np.isnan(bits) else f"{bits:.1f}" for bits in trace.surprisal],
    }
    if chosen is not None:
        columns[chosen.name] = [f"{value:.{chosen.digits}f}" for value in chosen.values]
    after = {name: [*cells, "next" if name == "place" else ""] for name, cells in columns.items()}
    guesses = guesses_before(trace, tokenizer, top)
    return after | {
        _EXPECTED: ["  ".join(f"{text} {_percent(p)}" for text, p in of) for of in guesses]
    }
