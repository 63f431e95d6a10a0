"""Judge a run in plain words, and advise what to do. A new verdict is a row of `TABLE`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from burble.run_folder.metrics import Metrics
from burble.training.evidence import Evidence, Facts

# A change of the bits by less than this share is no change.
_STILL = 0.005

# On a few thousand characters, the figure can rise by nearly this share by chance: with random
# names, which nothing can memorise, it rose by 0.6 %.
_WORSE = 0.01

# A training figure this far below the held-out one is not chance: random names had 3 %.
_APART = 0.95

# Figures of single batches vary by a few per cent. A rise by this factor is more than that.
_RISE = 1.1

# The learning rate peaks after 50 steps, and the average of the weights needs some 100. Earlier
# figures show nothing about how the run would have ended.
_BEGUN = 100

# In the first steps of the warm-up, a figure may rise and fall again.
_FIRST_STEPS = 20

# The default time budget. A run that used nearly all of its own was ended by time.
_A_MINUTE = 60
_BOUND = 0.9

# A set-up of this many seconds leaves enough of a minute.
_SHORT_SETUP = 15

# One bit in a hundred characters.
_NOTHING_LEFT = 0.01

# A network that needs nearly as many bits as guessing has not learned.
_NEARLY_GUESSING = 0.9

# One model's figures for different stretches of alice or tinyshakespeare vary by 0.3 to 0.4 bits
# with 1,000 characters, and by 0.6 with 100. That hides a gain of a few per cent.
_FEW = 1_000
_HARDLY_ANY = 100

# If this share of the held-out text is memorised, up to the same share of the bits is saved. Of
# source code without copies, up to 9 % is in its other files word for word.
_MUCH_REPEATED = 0.15


def diverged(run: Evidence) -> bool:
    """Return whether the figures exploded, or the run learned nothing after a rescue."""
    if run.facts.steps < _FIRST_STEPS:
        return False
    trained = run.train_bits(run.facts.steps)
    if trained is not None and trained > _RISE * run.guessing:
        return True
    if not is_measured(run):
        return False
    exploded = run.last_bits > _RISE * max(run.first, run.guessing)
    both_rose = got_worse(run) and run.train_ratio is not None and run.train_ratio > _RISE
    came_back = run.facts.rescues > 0 or went_up(run)
    return exploded or both_rose or (came_back and barely_learned(run))


def went_up(run: Evidence) -> bool:
    """Return whether the run was worse than guessing at some point."""
    if not is_measured(run) or run.peak.step < _FIRST_STEPS:
        return False
    return run.peak_bits > _RISE * max(run.first, run.guessing)


def hardly_begun(run: Evidence) -> bool:
    """Return whether the run made too few steps to judge it."""
    return run.facts.steps < _BEGUN


def barely_learned(run: Evidence) -> bool:
    """Return whether the run is hardly better than guessing, or than it was at its start."""
    return run.best_bits > _NEARLY_GUESSING * min(run.first, run.guessing)


def is_too_slow(run: Evidence) -> bool:
    """Return whether the run hardly learned although n-gram counts found something to learn."""
    return barely_learned(run) and run.counts_share < _NEARLY_GUESSING


def got_worse(run: Evidence) -> bool:
    """Return whether the held-out figure has risen since its best."""
    return run.last_bits > (1 + _WORSE) * run.best_bits


def memorised(run: Evidence) -> bool:
    """Return whether the held-out figure has risen, and the training figure is far below it."""
    trained = run.train_bits(run.last.step)
    if trained is None or run.train_ratio is None or not got_worse(run):
        return False
    return run.train_ratio <= 1 and trained < _APART * run.last_bits


def is_perfect(run: Evidence) -> bool:
    """Return whether the run predicts nearly every character."""
    return run.best_bits < _NOTHING_LEFT


def was_improving(run: Evidence) -> bool:
    """Return whether the run improved until its end, and did not run out of patience."""
    return run.gain > _STILL and (run.last.progress >= 1 or run.best is run.last)


def is_measured(run: Evidence) -> bool:
    """Return whether there are held-out figures that are more than noise."""
    return bool(run.validations) and run.facts.held_out >= _HARDLY_ANY


def is_repeated(run: Evidence) -> bool:
    """Return whether much of the held-out text is also in the training text."""
    return run.facts.repeated >= _MUCH_REPEATED


def is_judged(run: Evidence) -> bool:
    """Return whether the held-out figures show how the run went."""
    return is_measured(run) and not is_repeated(run) and not run.begins_late


def is_compared(run: Evidence) -> bool:
    """Return whether the held-out figure can be compared with that of n-gram counts."""
    is_known = run.counts_share < math.inf and run.facts.held_out >= _FEW
    if not is_known or not is_judged(run):
        return False
    return not (run.facts.steps == 0 or diverged(run) or is_perfect(run))


def counts_are_ahead(run: Evidence) -> bool:
    """Return whether n-gram counts need clearly fewer bits than the run."""
    return is_compared(run) and run.counts_share < 1 - _STILL


def found_nothing(run: Evidence) -> bool:
    """Return whether neither the run nor n-gram counts are better than guessing."""
    if not is_compared(run):
        return False
    return min(1, run.counts_share) * run.best_bits > (1 - _STILL) * run.guessing


def describe_divergence(run: Evidence) -> str:
    """Return the verdict on a run that diverged."""
    times = run.facts.rescues
    rescued = f" and went back {_format_times(times)}" if times else ""
    figures = ""
    if run.validations and not run.begins_late:
        figures = (
            f": {run.last_bits:.3f} held-out bits at the end, {run.best_bits:.3f} at its best, "
            f"step {run.best.step:,}, whose model was kept"
        )
    return f"It diverged{rescued}{figures}. Use a smaller learning rate."


def describe_beginning(run: Evidence) -> str:
    """Return the verdict on a run of too few steps."""
    steps = f"{run.facts.steps:,} step{'s' if run.facts.steps > 1 else ''}"
    why = ""
    if run.setup_seconds > run.budget_seconds / 2:
        setup, budget = _format_seconds(run.setup_seconds), _format_seconds(run.budget_seconds)
        why = f" Setting up took {setup} of its {budget}."
    return f"It has hardly begun to learn, with {steps}.{why} {_advise_more(run)}"


def _advise_more(run: Evidence) -> str:
    if run.seconds < _BOUND * run.budget_seconds:
        return "Give it 1,000 steps or more."
    if run.budget_seconds < _A_MINUTE:
        return _advise_more_time(run)
    return "Use a smaller network, or give it more time."


def _advise_more_time(run: Evidence) -> str:
    minutes = math.ceil(1 + run.setup_seconds / 60) if run.setup_seconds > _SHORT_SETUP else 1
    return f"Give it {minutes} minutes or more." if minutes > 1 else "Give it a minute or more."


def describe_memorising(run: Evidence) -> str:
    """Return the verdict on a run that memorised its training text."""
    before, after = run.train_bits(run.best.step), run.train_bits(run.last.step)
    trained = ""
    if before is not None and after is not None:
        trained = f" while the training figure went from {before:.3f} to {after:.3f}"
    return (
        f"It was best after {_format_seconds(run.best.seconds)} and has memorised the training "
        f"text since: the held-out figure rose from {run.best_bits:.3f} to {run.last_bits:.3f} "
        f"bits{trained}. The best model was kept. Give it more text, more dropout, or less time."
    )


def describe_few(run: Evidence) -> str:
    """Return the remark that too few characters are held out or sealed."""
    number = run.facts.held_out or run.facts.sealed
    part = "held out" if run.facts.held_out else "sealed"
    return (
        f"Only {number:,} characters are {part}: too few for a reliable figure. "
        "Use more text, or hold out more of it."
    )


def describe_counts_ahead(run: Evidence) -> str:
    """Return the remark that n-gram counts do better."""
    counts = "N-gram counts" if got_worse(run) else "So far n-gram counts"
    return f"{counts} do better: {run.facts.counts_bits:.3f} bits."


def describe_counts_behind(run: Evidence) -> str:
    """Return the remark that n-gram counts do not do better."""
    share = run.counts_share - 1
    more = "about as many" if share <= _STILL else f"{share:.0%} more"
    return f"N-gram counts need {run.facts.counts_bits:.3f} bits, {more}."


@dataclass(frozen=True)
class Row:
    """A verdict. For each subject, the first row that applies to the run is used."""

    about: Literal["learning", "rescue", "figure", "counts"]
    applies: Callable[[Evidence], bool]
    describe: Callable[[Evidence], str]


TABLE = (
    Row(
        "learning",
        lambda run: run.facts.steps == 0,
        lambda run: (
            "It has learned nothing: reading the text and setting up took "
            f"{_format_seconds(run.setup_seconds)}, and its time was "
            f"{_format_seconds(run.budget_seconds)}. {_advise_more_time(run)}"
        ),
    ),
    Row("learning", diverged, describe_divergence),
    Row("learning", hardly_begun, describe_beginning),
    # From here on the held-out figures decide. If they cannot, a row about "figure" explains why.
    Row(
        "learning",
        lambda run: run.begins_late and is_measured(run),
        lambda _: "The log of its first steps is missing, so how it learned cannot be judged.",
    ),
    Row("learning", lambda run: not is_judged(run), lambda _: ""),
    Row(
        "learning",
        found_nothing,
        lambda run: (
            "Nothing was found in this text that predicts its next character: guessing among "
            f"{run.facts.vocab_size:,} characters needs {run.guessing:.3f} bits, n-gram counts "
            f"{run.facts.counts_bits:.3f}, and the network {run.best_bits:.3f} at its "
            "best. A longer run would not help."
        ),
    ),
    Row(
        "learning",
        is_too_slow,
        lambda run: (
            f"It has hardly learned: it needs {run.best_bits:.3f} bits, and guessing among "
            f"{run.facts.vocab_size:,} characters needs {run.guessing:.3f}. Use a larger learning "
            "rate."
        ),
    ),
    Row("learning", is_perfect, lambda _: "It predicts every character: nothing is left to learn."),
    Row("learning", memorised, describe_memorising),
    Row(
        "learning",
        got_worse,
        lambda run: (
            f"It was best after {_format_seconds(run.best.seconds)}, and the held-out figure has "
            f"risen from {run.best_bits:.3f} to {run.last_bits:.3f} bits since. The best model "
            "was kept. Use a smaller learning rate, or give it more text."
        ),
    ),
    Row(
        "learning",
        was_improving,
        lambda _: "It was still improving at the end: twice the time would help.",
    ),
    Row(
        "learning",
        counts_are_ahead,
        lambda run: (
            "It no longer improves, and n-gram counts do better: "
            f"{run.facts.counts_bits:.3f} bits. Use a larger network and more time, or more text."
        ),
    ),
    Row(
        "learning",
        lambda _: True,
        lambda _: "It no longer improves: more text would help, or a larger network.",
    ),
    Row(
        "rescue",
        lambda run: run.facts.rescues > 0 and not diverged(run),
        lambda run: (
            f"On its way it diverged {_format_times(run.facts.rescues)} and went back. A smaller "
            "learning rate would avoid that."
        ),
    ),
    Row(
        "rescue",
        lambda run: went_up(run) and not diverged(run),
        lambda run: (
            f"On its way the held-out figure went up to {run.peak_bits:.3f} bits, at step "
            f"{run.peak.step:,}, and guessing needs {run.guessing:.3f}. Use a smaller learning "
            "rate."
        ),
    ),
    Row(
        "figure",
        is_repeated,
        lambda run: (
            f"{run.facts.repeated:.0%} of the held-out text is in the training part word for word, "
            "so the held-out figure does not show how well it does on new text. Remove the copies "
            "from your text."
        ),
    ),
    Row("figure", lambda run: 0 < (run.facts.held_out or run.facts.sealed) < _FEW, describe_few),
    Row(
        "figure",
        lambda run: run.facts.held_out < 1 <= run.facts.sealed,
        lambda _: (
            "Nothing was held out to find the best model, so the last one was kept. Only the "
            "sealed figure is for text that it did not learn from."
        ),
    ),
    Row(
        "figure",
        lambda run: run.facts.held_out < 1,
        lambda _: (
            "Nothing was held out, so no figure shows how well it does on new text. Hold some out: "
            "a tenth is usual."
        ),
    ),
    Row("counts", lambda run: not is_compared(run) or found_nothing(run), lambda _: ""),
    Row("counts", lambda run: not counts_are_ahead(run), describe_counts_behind),
    Row("counts", lambda run: hardly_begun(run) or got_worse(run), describe_counts_ahead),
    Row("counts", was_improving, describe_counts_ahead),
)
"""All verdicts, in the order of the text."""


def diagnose(history: Metrics, facts: Facts) -> str | None:
    """Return how the run went and what to do, or None if there is no log of it."""
    if not history.validations:
        return None
    run = Evidence(facts, history)
    sentences: dict[str, str] = {}
    for row in TABLE:
        if row.about not in sentences and row.applies(run):
            sentences[row.about] = row.describe(run)
    return " ".join(sentence for sentence in sentences.values() if sentence) or None


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _format_times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
