"""`burble cells`."""

import json
import sys
from dataclasses import asdict, dataclass

import numpy as np

from burble import api
from burble.cli.cells_arguments import MarkedSpan, WantedHold
from burble.cli.options import command, json_option, model_argument, text_argument, unknown_option
from burble.cli.reading import describe_unknown, part_read, read_sources, report_unknown
from burble.cli.terminal import print_message
from burble.cli.views.cells import AblationReport, Context, Found, Report, print_report
from burble.config import ReadingConfig, UnknownPolicy
from burble.engine.generate import GenerationRequest, stream_text
from burble.errors import UsageError
from burble.inspection.units.ablation import compare
from burble.inspection.units.cells import (
    Tracker,
    least_correlation,
    mean_outputs,
    require_length,
    search,
)
from burble.inspection.units.likeness import Likeness, nearest
from burble.inspection.units.passage import Passage, liveliest, show_unit
from burble.inspection.units.properties import (
    PROPERTIES,
    Property,
    Values,
    find_property,
    of_tokens,
)
from burble.knobs import knob, knob_like, sections
from burble.tokenizers.base import Ids, Tokenizer

_PASSAGE = 240
_SAMPLE = 300
_CONTEXT = 40


@dataclass(frozen=True)
class CellsCommand:
    """Find units of a model that track something in a text.

    One half of the text chooses the units, by their correlation with a property of each
    character's place; the other half, held out, says how large the correlation is, and whether it
    is large enough to be more than chance: if not, nothing is found. Of the text
    the model was trained on, only the held-out end is read; of any other, all.
    """

    model: str = model_argument()
    sources: tuple[str, ...] = text_argument()
    property: tuple[str, ...] = knob(
        (), "What to look for; all, where nothing else is asked for.", metavar="NAME"
    )
    regex: tuple[str, ...] = knob(
        (), "Look for units that tell whether they are inside a match.", metavar="PATTERN"
    )
    top: int = knob(5, "Units, places or characters to list of each kind.", low=1, high=10_000)
    ablate: tuple[str, ...] = knob(
        (),
        "Hold this unit at a value, its mean where none is given, and measure what that costs; "
        "several are held at once.",
        metavar="LAYER:UNIT[=VALUE]",
    )
    like: str | None = knob(
        None,
        "List where else in all of the text the model's state is most like that in the marked "
        "span, which is read after what stands before it.",
        metavar="'TEXT [[SPAN]]'",
        escapes=True,
    )
    prompt: str = knob("", "How the samples of --ablate begin.", escapes=True)
    seed: int = knob_like(
        GenerationRequest, "seed", default=1, help="The random numbers of the samples of --ablate."
    )
    whole: bool = knob(False, "Read all of the text, what was learned from included.")
    unknown: UnknownPolicy = unknown_option()
    json: bool = json_option()
    reading: ReadingConfig = sections(ReadingConfig, {"reading": ReadingConfig})

    def holds(self) -> list[WantedHold]:
        return [WantedHold.parse(text) for text in self.ablate]

    def marked(self) -> MarkedSpan | None:
        return None if self.like is None else MarkedSpan.parse(self.like)

    def sought(self) -> dict[str, Property]:
        names = self.property
        if "all" in names or not (names or self.regex or self.ablate or self.like is not None):
            names = tuple(PROPERTIES)
        return {name: find_property(name) for name in names} | {
            f"/{pattern}/": Property.of_pattern(pattern) for pattern in self.regex
        }


@command(CellsCommand)
def main(asked: CellsCommand) -> None:
    sought, marked, holds = asked.sought(), asked.marked(), asked.holds()
    model = api.load(asked.model)
    with read_sources(
        model, asked.sources, asked.reading, whole=asked.whole, unknown=asked.unknown
    ) as text:
        report = Report(
            model.file.tokenizer.count_characters(text.val_ids),
            text.facts.unknown_characters,
            part_read(text),
            _search(asked, model, text.val_ids, sought),
            _ablate(asked, model, text.val_ids, holds) if holds else None,
            _find_like(asked, model, text.ids, marked) if marked else None,
        )
    if asked.json:
        sys.stdout.write(json.dumps(asdict(report), ensure_ascii=False) + "\n")
    else:
        total = report.num_chars + report.unknown_chars * (asked.unknown == "skip")
        if line := describe_unknown(report.unknown_chars, total, asked.unknown):
            print_message(line)
        print_report(report)


def _search(
    asked: CellsCommand, model: api.Model, ids: Ids, sought: dict[str, Property]
) -> dict[str, Found]:
    if not sought:
        return {}
    tokenizer = model.file.tokenizer
    text = tokenizer.decode(ids)
    values = {
        name: of_tokens(wanted.measure(text), tokenizer, ids) for name, wanted in sought.items()
    }
    found = search(model.engine, ids, values, asked.top)
    return {
        name: Found(
            sought[name].meaning,
            trackers,
            least_correlation(values[name][len(ids) // 2 :], asked.top),
            _passage(model, ids, values[name], _best(trackers)),
        )
        for name, trackers in found.items()
    }


def _best(trackers: list[Tracker]) -> list[Tracker]:
    return ([tracker for tracker in trackers if tracker.tracks] or trackers)[:1]


def _passage(model: api.Model, ids: Ids, values: Values, trackers: list[Tracker]) -> Passage:
    half = len(ids) // 2
    breaks = np.flatnonzero(np.isin(ids[half:], model.file.tokenizer.encode("\n", "skip")))
    starts = np.concatenate([[0], breaks + 1])
    start = half + liveliest(values[half:], starts, _PASSAGE)
    part = slice(start, start + _PASSAGE)
    return [
        piece
        for tracker in trackers
        for piece in show_unit(model.engine, model.file.tokenizer, ids, tracker.unit, part)
    ]


def _ablate(
    asked: CellsCommand, model: api.Model, ids: Ids, wanted: list[WantedHold]
) -> AblationReport:
    half = len(ids) // 2
    require_length(ids)
    layers, units = model.file.network.num_layers, model.file.network.hidden_size
    for hold in wanted:
        if hold.layer >= layers or hold.unit >= units:
            raise UsageError(
                f"There is no unit {hold.layer}:{hold.unit}. The layers of this model are "
                f"numbered from 0 to {layers - 1}, the units of each from 0 to {units - 1}."
            )
    means = mean_outputs(model.engine, ids[:half])
    holds = [hold.at(float(means[hold.layer, hold.unit])) for hold in wanted]
    held, tokenizer = model.holding(holds), model.file.tokenizer
    request = GenerationRequest(
        model.read_prompt(asked.prompt, asked.unknown), _SAMPLE, seed=asked.seed
    )
    report_unknown(model.file, asked.prompt, asked.unknown)
    free_sample, held_sample = (
        request.prompt + "".join(stream_text(engine, tokenizer, request))
        for engine in (model.engine, held)
    )
    ablation = compare(model.engine, held, tokenizer, ids[half:], asked.top)
    return AblationReport(holds, ablation, asked.seed, free_sample, held_sample)


def _find_like(
    asked: CellsCommand, model: api.Model, ids: Ids, marked: MarkedSpan
) -> list[Context]:
    before, span = (model.encode(part, asked.unknown) for part in (marked.before, marked.span))
    report_unknown(model.file, marked.before + marked.span, asked.unknown)
    prompt = np.concatenate([before, span])
    found = nearest(model.engine, ids, prompt, len(span), asked.top)
    return [_context(model.file.tokenizer, ids, likeness, len(span)) for likeness in found]


def _context(tokenizer: Tokenizer, ids: Ids, likeness: Likeness, length: int) -> Context:
    start, end = likeness.start, likeness.start + length
    parts = (ids[max(0, start - _CONTEXT) : start], ids[start:end], ids[end : end + _CONTEXT])
    line = tokenizer.decode(ids[:start]).count("\n") + 1
    return Context(line, likeness.similarity, *map(tokenizer.decode, parts))
