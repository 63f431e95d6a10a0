"""Show the progress of a run: a live view in a terminal, plain lines elsewhere."""

from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from burble.run_folder.metrics import StepMetrics, ValidationMetrics
from burble.run_folder.observer import Observer, RunFacts
from burble.text.printable import printable

Curve = list[tuple[float, float]]  # progress of the run from 0 to 1, and bits per character

_BLOCKS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 40
_SAMPLE_LINES = 12

# Legible on dark and on light terminals: cyan fades on white, and rich's own grey23 on black.
_CURVE_STYLE = "magenta"
_REST_STYLE = "grey50"


def view_for(stream: TextIO) -> Observer:
    """Return a live view if the stream is a terminal, else one that prints lines."""
    soft_wrap = not stream.isatty()
    # In a notebook rich's live view needs another package; plain lines do not.
    console = Console(file=stream, highlight=False, soft_wrap=soft_wrap, force_jupyter=False)
    return LiveView(console) if console.is_terminal else PlainView(console)


def is_watched(stream: TextIO) -> bool:
    """Return whether the stream is shown in a terminal or a notebook."""
    console = Console(file=stream)
    return console.is_terminal or console.is_jupyter


class PlainView(Observer):
    """Print a line at each validation."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._train: StepMetrics | None = None

    def started(self, facts: RunFacts) -> None:
        for line in describe_start(facts):
            self._console.print(line, markup=False)

    def stepped(self, metrics: StepMetrics) -> None:
        self._train = metrics

    def validated(self, metrics: ValidationMetrics) -> None:
        parts = [f"{metrics.progress:4.0%}", f"step {metrics.step:,}", f"{metrics.seconds:.0f} s"]
        if self._train is not None:
            parts.append(f"train {self._train.train_bits_per_char:.3f}")
            parts.append(f"accuracy {self._train.accuracy:.1%}")
        if metrics.val_bits_per_char is not None:
            parts.append(f"held-out {metrics.val_bits_per_char:.3f} bits per character")
        if self._train is not None:
            parts.append(f"{self._train.chars_per_second:,.0f} characters/s")
        self._console.print(" · ".join(parts), markup=False)

    def message(self, text: str) -> None:
        self._console.print(text, markup=False)


def _draw(curve: Curve, low: float, high: float) -> str:
    cells = [" "] * _CURVE_WIDTH
    for progress, value in curve:
        height = (value - low) / max(high - low, 1e-9)
        block = _BLOCKS[max(0, min(len(_BLOCKS) - 1, int(height * len(_BLOCKS))))]
        cells[min(_CURVE_WIDTH - 1, int(progress * _CURVE_WIDTH))] = block
    return "".join(_fill_gaps(cells))


def _fill_gaps(cells: list[str]) -> list[str]:
    newest = max((place for place, cell in enumerate(cells) if cell != " "), default=-1)
    before = next((cell for cell in cells if cell != " "), " ")
    for place in range(newest):
        before = cells[place] = cells[place] if cells[place] != " " else before
    return cells


class LiveView(Observer):
    """Redraw a progress bar, the learning curves and the latest sample in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._curves: dict[str, Curve] = {"train": [], "held-out": []}
        self._step: StepMetrics | None = None
        self._validation: ValidationMetrics | None = None
        self._sample = (0, "")

    def started(self, facts: RunFacts) -> None:
        for line in describe_start(facts):
            self._console.print(line, markup=False)
        self._live.start()

    def stepped(self, metrics: StepMetrics) -> None:
        self._step = metrics
        self._curves["train"].append((metrics.progress, metrics.train_bits_per_char))
        self._redraw()

    def validated(self, metrics: ValidationMetrics) -> None:
        self._validation = metrics
        if metrics.val_bits_per_char is not None:
            self._curves["held-out"].append((metrics.progress, metrics.val_bits_per_char))
        self._redraw()

    def sampled(self, step: int, text: str) -> None:
        self._sample = (step, text)
        self._redraw()

    def message(self, text: str) -> None:
        self._console.print(text, markup=False)

    def finished(self) -> None:
        self._live.stop()

    def _redraw(self) -> None:
        self._live.update(self._view(), refresh=True)

    def _view(self) -> RenderableType:
        parts: list[RenderableType] = [self._progress_line()]
        table = Table.grid(padding=(0, 2))
        values = [value for curve in self._curves.values() for _, value in curve]
        for name, curve in self._curves.items():
            if curve:
                drawn = _draw(curve, min(values), max(values))
                figure = f"{curve[-1][1]:.3f} bits per character"
                table.add_row(name, Text(drawn, style=_CURVE_STYLE), figure)
        parts.append(table)
        step, sample = self._sample
        if sample:
            lines = printable(sample).splitlines()[:_SAMPLE_LINES]
            parts.append(Text(f"after {step:,} steps it writes", style="dim"))
            parts.append(Padding(Text("\n".join(lines)), (0, 2)))
        return Group(*parts)

    def _progress_line(self) -> RenderableType:
        latest = self._step or self._validation
        progress = latest.progress if latest else 0.0
        words = f"{progress:4.0%}"
        if self._step is not None:
            left = self._step.seconds * (1 - progress) / max(progress, 1e-9)
            words += f" · {format_duration(left)} left"
            words += f" · {self._step.chars_per_second:,.0f} characters/s"
            words += f" · accuracy {self._step.accuracy:.1%}"
        line = Table.grid(padding=(0, 2))
        # The bar gives way, so that the words fit on the line in 80 columns.
        width = max(8, min(_CURVE_WIDTH, self._console.width - len(words) - 4))
        bar = ProgressBar(total=1.0, completed=progress, width=width, style=_REST_STYLE)
        line.add_row(bar, words)
        return line


def describe_start(facts: RunFacts) -> list[str]:
    """Describe the text, the network and the batches of a run, one line each."""
    text, network, data = facts.text.facts, facts.config.network, facts.config.data
    tokenizer = facts.text.tokenizer
    vocab_size = tokenizer.vocab_size
    held_out = text.num_characters - text.cut_characters - text.sealed_characters
    sealed = f", {text.sealed_characters:,} sealed" if text.sealed_characters else ""
    lines = [
        f"{', '.join(facts.config.sources)}: {text.num_characters:,} characters, "
        f"{vocab_size:,} distinct {tokenizer.unit}s; {held_out:,} held out{sealed}"
    ]
    lines.append(
        f"{network.cell} {network.num_layers}×{network.hidden_size}, "
        f"{facts.num_parameters:,} weights; batches of {facts.rows}×{data.seq_len}, "
        f"{facts.steps_per_epoch:,} steps an epoch; into {facts.folder}/"
    )
    if facts.note:
        lines.append(facts.note)
    if facts.resumed_at is not None:
        lines.append(f"continuing from step {facts.resumed_at:,}")
    return lines


def format_duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
