"""The figures of `burble eval` in words."""

from typing import Any

from burble.cli.reading import describe_unknown, part_read
from burble.data.prepared import PreparedText
from burble.evaluation.evaluate import counts_name
from burble.evaluation.overlap import PASSAGE

Report = dict[str, Any]


def describe(report: Report, text: PreparedText) -> list[str]:
    lines = []
    if report["bits_per_char"] is not None:
        part = part_read(text)
        if report["held_out"] is False:
            part = part.replace("the held-out ", "the ")
        lines += _describe_part(report, part)
    if report["sealed"] is not None:
        lines += _describe_part(report["sealed"], "the sealed end of the training text")
    number, share = report["unknown_chars"], report["unknown_share"]
    if number and (line := describe_unknown(number, round(number / share), report["unknown"])):
        lines.append(line)
    return lines


def _describe_part(report: Report, part: str) -> list[str]:
    lines = [
        f"{report['bits_per_char']:.4f} bits per character ({report['nats_per_char']:.4f} nats, "
        f"perplexity {report['perplexity']:.2f}, accuracy {report['accuracy']:.1%})",
        f"on {report['num_chars']:,} characters: {part}; protocol {report['protocol']}",
    ]
    compared = report["baselines"]
    if isinstance(compared, dict):
        name = counts_name(compared["ngram_order"])
        lines.append(f"{name}: {compared['ngram']:.4f} · xz: {compared['xz']:.4f}")
    return [*lines, _describe_learned(report)]


def _describe_learned(report: Report) -> str:
    share = report["learned_share"]
    if share is None and report["num_chars"] < PASSAGE:
        return (
            f"The text is too short to look for passages that the model learned from: they have "
            f"{PASSAGE} characters."
        )
    if share is None:
        return (
            "Whether the model learned from this text cannot be checked: what it learned from is "
            "not beside it. Name the folder of its run."
        )
    if report["held_out"] is False:
        return (
            f"This is no held-out figure: the model learned from {share:.1%} of this text word for "
            "word. It shows how well the model remembers, not how well it does on new text."
        )
    return (
        f"learned word for word: {share:.1%} of this text, in passages of {PASSAGE} characters or "
        "more"
    )
