"""Measures a model: opens it, asks the built-in tasks in several ways, and reports what is measured as it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Final

from vsgen.card.asks import Drawn, bare, draw, label, own, sentiment
from vsgen.card.card import Card, K, Lists, Wording
from vsgen.card.tasks import CLASSES, CLOSED, OPEN, SENTENCES
from vsgen.errors import CallError
from vsgen.files.journal import MemoryJournal
from vsgen.flow import Flow
from vsgen.jobs.activity import Activity
from vsgen.jobs.carry import answers
from vsgen.jobs.desk import Desk
from vsgen.jobs.wanted import ModelChoice, Wanted
from vsgen.labels.settings import Label
from vsgen.metrics.ranks import rank_correlation
from vsgen.values import SoftLabel, Unlabelled

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
FLAGS: Final[Mapping[str, str]] = {
    "class names": "the default of vsgen label",
    "class names with capitals": "--classes with capitals",
    "class names within the question": "--set listed=false, and --prompt ending in the classes: 'A, B or C?'",
    "letters": "--set verbalizer=letters",
}
"""What asks for each wording in ``vsgen label``."""
_REPLIES: Final = {True: 2, False: 1}
"""Of each closed and each open task in each way."""
_MOST: Final = 40
"""Different answers of a task whose own log-probability is computed."""
_TOKENS: Final = 192
"""Enough for five sentences; what does not end by then is cut."""


def measure(
    choice: ModelChoice,
    *,
    clock: Callable[[], float],
    report: Callable[[str], None],
    activity: Activity | None = None,
) -> Card:
    """Measure a model.

    Args:
        choice: The model; its name must be given.
        clock: Seconds, from any beginning.
        report: Gets what is measured next.
        activity: Where it writes down what it is doing.

    Raises:
        ModelError: It cannot be opened, or fails for good.
    """
    activity = activity or Activity()
    with Desk(Wanted(choice), MemoryJournal(), activity) as desk:
        activity.stage = None
        stages = count(1)

        def begin(text: str) -> None:
            report(f"{next(stages)} of {len(WAYS) + 3}: {text}")

        begin("bare answers (all of it takes a few minutes on a CPU)")
        alone = {name: _bare(desk, exchanges) for name, exchanges in BARE.items()}
        lists = []
        for name, way in WAYS.items():
            begin(f"lists: {name}")
            lists.append(_lists(desk, name, way, clock))
        begin("stated probabilities against the model's own")
        ranks, ranked = _ranks(desk, [one for each in lists for one in each.drawn])
        begin("labels")
        wordings = [Wording(name, _labels(desk, asked), FLAGS[name]) for name, asked in WORDINGS.items()]
        return Card(desk.model, desk.facts, alone, lists, ranks, ranked, wordings)


def _bare(desk: Desk, exchanges: int) -> dict[str, float]:
    values = answers([bare(task, exchanges=exchanges) for task in CLOSED], desk)
    return dict(zip([task.name for task in CLOSED], values, strict=True))


def _lists(desk: Desk, name: str, way: Mapping[str, object], clock: Callable[[], float]) -> Lists:
    sampling = {"k": K, "max_tokens": _TOKENS, **way}
    tasks = [(task, number) for task in (*CLOSED, *OPEN) for number in range(_REPLIES[bool(task.answers)])]
    flows = [draw(task, sampling, number, desk.facts) for task, number in tasks]
    begun = clock()
    return Lists(name, way, answers(flows, desk), clock() - begun)


def _ranks(desk: Desk, drawn: Sequence[Drawn]) -> tuple[float | None, int]:
    """Over the answers of each task, the mean of the tasks' correlations, weighted by their answers."""
    ranks: list[tuple[float, int]] = []
    for task in CLOSED:
        stated: dict[str, list[float]] = {}
        for one in (each for made in drawn if made.task == task for each in made.distribution.candidates):
            if one.verbalized is not None:
                stated.setdefault(str(one.fields["text"]), []).append(one.verbalized)
        (logps,) = answers([own(task, list(stated)[:_MOST])], desk)
        means = [sum(stated[text]) / len(stated[text]) for text in logps]
        if (rho := rank_correlation(means, list(logps.values()))) is not None:
            ranks.append((rho, len(means)))
    size = sum(count for _, count in ranks)
    return (sum(rho * count for rho, count in ranks) / size if size else None), size


def _labels(desk: Desk, asked: Label) -> Sequence[SoftLabel | Unlabelled]:
    return answers([_safe(label(sentence, asked)) for sentence, _ in SENTENCES], desk)


def _safe(flow: Flow[SoftLabel | Unlabelled]) -> Flow[SoftLabel | Unlabelled]:
    """A class that the model cannot write is a result, not the end."""
    try:
        return (yield from flow)
    except CallError as error:
        return Unlabelled(str(error))
