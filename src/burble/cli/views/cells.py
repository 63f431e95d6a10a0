"""Print the report of `burble cells`."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from burble.engine.clamping import Clamp
from burble.inspection.palette import shade
from burble.inspection.units.ablation import Ablation
from burble.inspection.units.cells import Tracker
from burble.inspection.units.passage import Passage
from burble.text.printable import printable

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Found:
    """Units that may track a property, best first, and a passage with the first one's output."""

    meaning: str
    units: list[Tracker]
    least: float  # the lowest held-out correlation that counts as tracking
    passage: Passage


@dataclass(frozen=True)
class AblationReport:
    holds: list[Clamp]
    cost: Ablation
    seed: int
    free_sample: str
    held_sample: str


@dataclass(frozen=True)
class Context:
    """A place of the text where the model's state is similar to that in the marked span."""

    line: int
    similarity: float
    before: str
    span: str
    after: str


@dataclass(frozen=True)
class Report:
    """The results; the fields are the keys of the JSON object."""

    num_chars: int
    unknown_chars: int  # characters that the model has never seen, left out or replaced
    part: str
    properties: dict[str, Found]
    ablation: AblationReport | None
    like: list[Context] | None


def print_report(report: Report) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if report.properties:
        console.print(
            f"{report.num_chars:,} characters, {report.part}: the first half chose the units, "
            "the second half scored them"
        )
    for name, found in report.properties.items():
        console.print(
            Text(f"\n{name}", style="bold") + Text(f": {found.meaning}", style="not bold")
        )
        _print_found(console, found)
    if report.ablation is not None:
        _print_ablation(console, report.ablation)
    for context in report.like or ():
        place = f"{context.similarity:.3f}  line {context.line:<7,}"
        before, span, after = (
            printable(part).replace("\n", "↵")
            for part in (context.before, context.span, context.after)
        )
        marked = Text(span, style="bold reverse") if console.color_system else Text(f"[[{span}]]")
        console.print(Text(f"{place} {before:>40}") + marked + Text(after))


def _print_found(console: Console, found: Found) -> None:
    if not found.units:
        console.print("  has one value throughout a half of this text, so no unit can track it")
        return
    tracking = [tracker for tracker in found.units if tracker.tracks]
    if not tracking:
        console.print(
            f"  found nothing that tracks it: the best unit, {_name(found.units[0])}, has a "
            f"held-out correlation of {found.units[0].held_out:+.3f}; {found.least:.2f} or more "
            "would count, with the sign that it has on the first half"
        )
        return
    table = _table("unit", "what", "held out", "chosen")
    for tracker in tracking:
        correlations = (tracker.held_out, tracker.chosen)
        table.add_row(
            _name(tracker), tracker.unit.reading, *(f"{one:+.3f}" for one in correlations)
        )
    console.print(table)
    _print_passage(console, found.passage)


def _name(tracker: Tracker) -> str:
    return f"{tracker.unit.layer}:{tracker.unit.unit}"


def _print_ablation(console: Console, report: AblationReport) -> None:
    held = ", ".join(f"{hold.layer}:{hold.unit} at {hold.value:+.3f}" for hold in report.holds)
    cost = report.cost
    console.print(
        f"\nholding {held}: {cost.held_bits:.4f} bits per character instead of "
        f"{cost.free_bits:.4f} ({cost.held_bits - cost.free_bits:+.4f}), on the half that scores"
    )
    table = _table("loses most on", "times", "bits more each")
    for loss in cost.losses:
        table.add_row(repr(loss.token), f"{loss.count:,}", f"{loss.extra_bits:+.3f}")
    console.print(table)
    for title, sample in (("free", report.free_sample), ("held", report.held_sample)):
        console.print(Text(f"\n{title}, seed {report.seed}:", style="bold"))
        console.print(printable(sample))


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table


def _print_passage(console: Console, passage: Passage) -> None:
    """Print a passage with its values: from blue or low bars to orange or high bars."""
    values = [value for _, value in passage]
    low, width = min(values), max(values) - min(values)
    shares = [(value - low) / width if width else 0.5 for value in values]
    shown = [(printable(piece), share) for (piece, _), share in zip(passage, shares, strict=True)]
    if console.color_system is None:
        console.print(_draw_bars(shown), markup=False)
    else:
        console.print(_colour(shown))


def _colour(shown: list[tuple[str, float]]) -> Text:
    text = Text()
    for piece, share in shown:
        # A line break has a value too, but only a visible sign can show its colour.
        visible = piece.replace("\n", "↵\n")
        text.append(visible, style=shade(2 * share - 1))
    return text


def _draw_bars(shown: list[tuple[str, float]]) -> str:
    line, bars = "", ""
    lines = []
    for piece, share in shown:
        line += piece.replace("\n", "↵").replace("\t", " ")
        bars += _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))] * len(piece)
        if piece.endswith("\n"):
            lines += [line, bars]
            line, bars = "", ""
    return "\n".join([*lines, line, bars] if line else lines)
