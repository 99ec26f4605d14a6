"""What is found in the figures of a run; each threshold with the reason for its choice.

A share is held against a threshold by the lower end of its interval (`Share.least`), so that a few draws raise an alarm
only where they are sure. The measurements behind the thresholds are of SmolLM2-135M-Instruct and the embedded model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple, TypeAlias

from vsgen.labels.soft import UNANSWERED
from vsgen.template.final import ANSWER
from vsgen.verdict.finding import Finding, Level, Verdict
from vsgen.verdict.label_findings import DOUBTFUL, alike, lopsided, uninformed
from vsgen.verdict.observed import SUM, Observed
from vsgen.verdict.remedies import calmer, longer_reply, longer_text, look, other_draw, other_weights, reworded
from vsgen.verdict.setup import Setup
from vsgen.verdict.share import Share, percent


class Bounds(NamedTuple):
    """From which share on a finding is worth a note, and from which it is bad."""

    note: float
    bad: float

    def level(self, share: Share) -> Level | None:
        """Of a share; None if nothing is found."""
        return "bad" if share.surely(self.bad) else "note" if share.surely(self.note) else None


LOST: Final = Bounds(0.05, 0.2)
"""Of replies or answers that are lost or spoiled in a way that leaves traces in the rest: unread, cut, too long,
placeholders. With a model that can do the task each is below 2 %; on one that cannot 21 to 70 % were seen."""
MISFIT: Final = Bounds(0.2, 0.5)
"""Of candidates that do not fit the schema or the choices. They cost calls and leave no trace in the rows, so more is
borne."""
IMPOSSIBLE: Final = Bounds(0.1, 0.25)
"""Of replies whose stated probabilities sum above 1.05. A model that understands the question hardly does it; 70 % of
SmolLM2's did. Sums below 1 are right: a few answers are a part of the distribution."""
RECITED: Final = Bounds(0.2, 0.4)
"""Of lists with the very same unequal probabilities: different answers do not share them by chance."""
FIRST: Final = 0.4
"""Of lists that begin with the very same probability; 19 of 34 began with the example's. A note only: the most
probable answer of a closed set is the same every time, and so may be its probability."""
UNIFORM: Final = 0.5
"""Of lists whose probabilities are all the same; a note only, because that is the truth about fair dice."""
MASS: Final = (DOUBTFUL, UNANSWERED)
"""Median probability of the classes together: a note below the first, bad below the second."""
RANKED: Final = 0.2
"""Mean rank correlation of stated probabilities with the model's own, below which they are hardly related; a note."""
ACCEPTED: Final = 0.25
"""Of judged candidates that are kept; a note below: each row costs more than four."""
REPEATED: Final = 0.6
"""Of judged candidates that repeat a kept row; a note: the rows are different, but most of the calls bring none."""
_LISTS: Final = 8
"""Lists from which on the same beginning is worth a note; a wrong alarm does harm too."""
_HOPELESS: Final = 20
"""Candidates of which none is kept, from which on that is bad; of a draw that is tried, one is enough."""

Rule: TypeAlias = Callable[[Observed, Setup], Iterator[Finding]]


def assess(seen: Observed, asked: Setup) -> Verdict:
    """The verdict on the draws seen so far.

    Args:
        seen: Their figures.
        asked: The settings that were really used; the remedies start from them.
    """
    found = [one for rule in _RULES for one in rule(seen, asked)]
    return Verdict(sorted(found, key=lambda one: one.level != "bad"), (*_figures(seen, asked), *_settings(asked)))


def _unread(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = Share(seen.unread, seen.replies)
    if level := LOST.level(share):
        yield Finding("unread", level, f"{share} {_replies(asked)} contain no readable answer", calmer(asked))


def _placeholders(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = seen.reason("placeholder")
    if level := LOST.level(share):
        yield Finding("placeholder", level, f"{share} candidates only echo the request or its form", calmer(asked))


def _cut(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share, template = Share(seen.cut, seen.replies), asked.template
    if not template.open_ended and (level := LOST.level(share)):
        limit = template.sampling.max_tokens
        yield Finding(
            "cut",
            level if template.chat else "note",
            f"{share} {_replies(asked)} were cut at max_tokens {limit}",
            longer_reply(asked),
        )


def _long(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = Share(seen.long, seen.wanted)
    if level := LOST.level(share):
        limits = ", ".join(map(str, sorted(set(seen.limits.values()))))
        text = f"{share} candidates are longer than the {limits} characters allowed"
        yield Finding("length", level, text, longer_text(asked))


def _misfits(seen: Observed, asked: Setup) -> Iterator[Finding]:
    every = seen.reason("schema", "refused", "check")
    share = Share(every.count - seen.long, every.of)
    if level := MISFIT.level(share):
        text = f"{share} candidates do not fit the schema, the choices or a check"
        yield Finding("misfit", level, text, look(asked))


def _sums(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = seen.above_one
    if (level := IMPOSSIBLE.level(share)) and _weigh(asked):
        middle, low, high = median(seen.sums), min(seen.sums), max(seen.sums)
        spread = f"median {middle:.2f}" + (f", {low:.2f} to {high:.2f}" if share.of > 1 else "")
        sums = f"{share} {_noun(share.of, 'reply', 'replies')} sum to more than {SUM} ({spread})"
        text = f"the stated probabilities of {sums}: no distribution"
        yield Finding("sums", level, text, other_weights(asked))


def _recited(seen: Observed, asked: Setup) -> Iterator[Finding]:
    stated, share = seen.recited()
    first, begins = seen.first()
    if not _weigh(asked):
        return
    if share.count > 1 and (level := RECITED.level(share)):
        numbers = ", ".join(f"{p:g}" for p in stated)
        text = f"{share} lists state exactly the same probabilities ({numbers}): recited, not estimated"
        yield Finding("recited", level, text, other_weights(asked))
    elif begins.of >= _LISTS and begins.surely(FIRST):
        text = f"{begins} lists begin with the same probability, {first:g}: it may be copied, not estimated"
        yield Finding("recited", "note", text, other_weights(asked))


def _uniform(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = seen.uniform
    if share.count > 1 and share.surely(UNIFORM) and _weigh(asked):
        text = f"{share} lists state the same probability for all their answers, so none ranks above another"
        yield Finding("uniform", "note", text, other_weights(asked))


def _unlabelled(seen: Observed, _: Setup) -> Iterator[Finding]:
    share = Share(seen.unlabelled, seen.labels)
    if level := LOST.level(share):
        remedy = "see `problem` in their rows"
        yield Finding("unlabelled", level, f"{share} labels could not be made", remedy)


def _masses(seen: Observed, asked: Setup) -> Iterator[Finding]:
    for name, masses in seen.masses.items():
        middle = median(masses)
        if middle < MASS[0]:
            level: Level = "bad" if middle < MASS[1] else "note"
            yield Finding("mass", level, _mass(name, middle, len(masses)), reworded(asked, name))


def _mass(name: str, middle: float, count: int) -> str:
    if name == ANSWER:
        return f"only {percent(middle)} of a draw's weight has a final answer (median of {count:,})"
    who = "this model does not answer the question" if middle < MASS[1] else "this model often answers something else"
    return f"label {name}: all classes together get a probability of {middle:.2g} (median of {count:,}): {who}"


def _accepted(seen: Observed, asked: Setup) -> Iterator[Finding]:
    judged, kept = seen.wanted, seen.kept
    if judged >= (1 if asked.tried else _HOPELESS) and not kept:
        yield Finding("kept", "bad", f"none of {judged:,} candidates was kept{_worst(seen)}", look(asked))
    elif Share(judged - kept, judged).surely(1 - ACCEPTED) and not seen.reason("duplicate").surely(REPEATED):
        yield Finding("kept", "note", f"{Share(kept, judged)} candidates were kept{_worst(seen)}", look(asked))


def _worst(seen: Observed) -> str:
    """What took most of them."""
    if seen.clauses:
        clause, count = seen.clauses.most_common(1)[0]
        return f"; `{clause}` rejected {count:,}"
    reasons = [(reason, count) for reason, count in seen.rejected.most_common() if reason != "surplus"]
    return f"; most are rejected as {reasons[0][0]} ({reasons[0][1]:,})" if reasons else ""


def _repeats(seen: Observed, asked: Setup) -> Iterator[Finding]:
    share = seen.reason("duplicate")
    if share.surely(REPEATED) and not _exhausted(seen, asked):
        yield Finding("repeats", "note", f"{share} candidates repeat a kept row", other_draw(asked))


def _exhausted(seen: Observed, asked: Setup) -> bool:
    """Whether all right answers are rows already."""
    choices = asked.template.choices
    return bool(choices) and seen.kept >= len(choices or ())


def _unsuited(_: Observed, asked: Setup) -> Iterator[Finding]:
    if asked.unsuited:
        yield Finding("unsuited", "bad", asked.unsuited, "a larger model (-m)")


def _ranks(seen: Observed, asked: Setup) -> Iterator[Finding]:
    if len(seen.ranks) >= _LISTS and (mean := fmean(seen.ranks)) < RANKED and _weigh(asked):
        text = (
            f"stated probabilities and the model's own have a rank correlation of {mean:.2f} ({len(seen.ranks)} draws)"
        )
        yield Finding("ranks", "note", text, other_weights(asked))


def _weigh(asked: Setup) -> bool:
    """Whether the rows' probability rests on what the model stated."""
    return asked.template.weights in (None, "stated")


_RULES: Final[Sequence[Rule]] = (
    *(_unsuited, _unread, _placeholders, _cut, _long, _misfits),
    *(_sums, _recited, _uniform, _ranks, _unlabelled, _masses, uninformed, lopsided, alike, _accepted, _repeats),
)


def _settings(asked: Setup) -> Iterator[str]:
    """Settings that the user may not know of."""
    if asked.template.fitted:
        yield f"settings recommended for {asked.template.fitted} models"


def _figures(seen: Observed, asked: Setup) -> Iterator[str]:
    """What was measured, in words."""
    if seen.replies:
        replies = f"{seen.replies:,} {_replies(asked, seen.replies)}"
        yield f"{percent(1 - seen.unread / seen.replies)} of {replies} can be read"
    if seen.sums:
        yield f"stated probabilities sum to {median(seen.sums):.2f} (median)"
    for name, masses in seen.masses.items():
        if name != ANSWER:
            yield f"label {name}: mass {median(masses):.2g}"
    for name, known in seen.known.items():
        yield f"label {name}: skill {known.skill:.2f}"
    if seen.wanted:
        candidates = f"{seen.wanted:,} {_noun(seen.wanted, 'candidate', 'candidates')}"
        yield f"{percent(seen.kept / seen.wanted)} of {candidates} kept"


def _replies(asked: Setup, count: int = 2) -> str:
    """What is counted: of power sampling the replies that were picked, not those that they were picked from."""
    picked = "picked " if asked.template.sampling.method == "power" else ""
    return f"{picked}{_noun(count, 'reply', 'replies')}"


def _noun(count: int, one: str, several: str) -> str:
    return one if count == 1 else several
