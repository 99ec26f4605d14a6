"""Measures a model: opens it, asks the built-in tasks in several ways, and says each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from vsgen.card.asks import Drawn, bare, draw, label, own, sentiment
from vsgen.card.card import Card, K, Lists, Wording
from vsgen.card.tasks import CLASSES, CLOSED, OPEN, SENTENCES
from vsgen.errors import CallError
from vsgen.files.journal import MemoryJournal
from vsgen.flow import Flow
from vsgen.jobs.desk import ModelChoice, Session
from vsgen.labels.settings import Label
from vsgen.metrics.ranks import rank_correlation
from vsgen.values import SoftLabel, Unlabelled

R = TypeVar("R")

_CALM: Final = 0.7
WAYS: Final[Mapping[str, Mapping[str, object]]] = {
    "json, temperature 1": {"temperature": 1.0},
    "json": {"temperature": _CALM},
    "json, no worked exchange": {"temperature": _CALM, "demonstrate": 0},
    "json, decoding free": {"temperature": _CALM, "constrain": False},
    "lines": {"temperature": _CALM, "format": "lines"},
    "lines, decoding free": {"temperature": _CALM, "format": "lines", "constrain": False},
}
"""How lists are asked for, beside the defaults; at temperature .7 where none is named."""
BARE: Final = {"alone": 0, "after a worked exchange": 1}
"""Exchanges before the task."""
WORDINGS: Final[Mapping[str, Label]] = {
    "class names": sentiment(),
    "class names with capitals": sentiment([name.capitalize() for name in CLASSES]),
    "class names within the question": sentiment(listed=False),
    "letters": sentiment(letters=True),
}
_REPLIES: Final = {True: 2, False: 1}
"""Of each closed and each open task in each way."""
_MOST: Final = 40
"""Different answers of a task whose own log-probability is computed."""
_TOKENS: Final = 192
"""Enough for five sentences; what does not end by then is cut."""


def measure(choice: ModelChoice, *, clock: Callable[[], float], tell: Callable[[str], None]) -> Card:
    """Measure a model.

    Args:
        choice: The model; its name must be given.
        clock: Seconds, from any beginning.
        tell: Told of what is measured next.

    Raises:
        ModelError: It cannot be opened, or fails for good.
    """
    with Session(choice, "tiny", MemoryJournal()) as session:
        return _card(session, clock, tell)


def _card(session: Session, clock: Callable[[], float], tell: Callable[[str], None]) -> Card:
    tell("bare answers")
    alone = {name: _bare(session, exchanges) for name, exchanges in BARE.items()}
    lists = []
    for name, way in WAYS.items():
        tell(f"lists: {name}")
        lists.append(_lists(session, name, way, clock))
    tell("stated probabilities against the model's own")
    ranks, ranked = _ranks(session, [one for each in lists for one in each.drawn])
    tell("labels")
    wordings = [Wording(name, _labels(session, asked)) for name, asked in WORDINGS.items()]
    return Card(session.model, session.facts, alone, lists, ranks, ranked, wordings)


def _bare(session: Session, exchanges: int) -> dict[str, float]:
    found = _all(session, [bare(task, exchanges=exchanges) for task in CLOSED])
    return dict(zip([task.name for task in CLOSED], found, strict=True))


def _lists(session: Session, name: str, way: Mapping[str, object], clock: Callable[[], float]) -> Lists:
    sampling = {"k": K, "max_tokens": _TOKENS, **way}
    tasks = [(task, number) for task in (*CLOSED, *OPEN) for number in range(_REPLIES[bool(task.answers)])]
    flows = [draw(task, sampling, number, session.facts) for task, number in tasks]
    begun = clock()
    return Lists(name, way, _all(session, flows), clock() - begun)


def _ranks(session: Session, drawn: Sequence[Drawn]) -> tuple[float | None, int]:
    """Over the answers of each task, the mean of the tasks' correlations, weighted by their answers."""
    found: list[tuple[float, int]] = []
    for task in CLOSED:
        stated: dict[str, list[float]] = {}
        for one in (each for made in drawn if made.task == task for each in made.distribution.candidates):
            if one.verbalized is not None:
                stated.setdefault(str(one.fields["text"]), []).append(one.verbalized)
        (logps,) = _all(session, [own(task, list(stated)[:_MOST])])
        means = [sum(stated[text]) / len(stated[text]) for text in logps]
        if (rho := rank_correlation(means, list(logps.values()))) is not None:
            found.append((rho, len(means)))
    answers = sum(count for _, count in found)
    return (sum(rho * count for rho, count in found) / answers if answers else None), answers


def _labels(session: Session, asked: Label) -> Sequence[SoftLabel | Unlabelled]:
    return _all(session, [_safe(label(sentence, asked)) for sentence, _ in SENTENCES])


def _safe(flow: Flow[SoftLabel | Unlabelled]) -> Flow[SoftLabel | Unlabelled]:
    """A class that the model cannot write is a result, not the end."""
    try:
        return (yield from flow)
    except CallError as error:
        return Unlabelled(str(error))


def _all(session: Session, flows: Sequence[Flow[R]]) -> list[R]:
    return list(session.drive(flows))
