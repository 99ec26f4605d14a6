"""Which rows of a run are kept by one of their labels (``--select``), and how certain a label is."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.errors import OptionError
from vsgen.labels.select import Criterion, Selection, informativeness, most_informative, normalised_entropy
from vsgen.labels.settings import Label
from vsgen.labels.soft import kind_of
from vsgen.values import SoftLabel


def require_criterion(selection: Selection, label: Label) -> None:
    """See that a label can have what rows are selected by, before anything is asked.

    Raises:
        OptionError: It cannot.
    """
    if selection.criterion == "disagreement" and not _disagrees(label):
        got = f"label {label.name} comes from one model and one {'trace or statement' if label.count else 'order'}"
        got = "votes have none" if label.method == "votes" else got
        remedy = "use --permutations all, method reasoning or several models; or select borderline or margin"
        raise OptionError(f"--select disagreement: {got}, so no row has a disagreement; {remedy}")


def _disagrees(label: Label) -> bool:
    """Whether a label is the mean of several models, orders, traces or statements."""
    if len(label.judges) > 1:
        return True
    if label.method in {"score", "decisions"}:
        return label.permutations != 1
    return label.method != "votes" and label.count > 1


def selected(labels: Sequence[SoftLabel | None], selection: Selection) -> set[int]:
    """The places of the rows that are wanted.

    Args:
        labels: Of all rows, corrected; None where a row has none.
        selection: What the user wants to keep.

    Raises:
        OptionError: No row has what it should be selected by.
    """
    values = [None if label is None else _value(selection.criterion, label) for label in labels]
    if any(label is not None for label in labels) and all(value is None for value in values):
        remedy = "a label with several traces, statements or orders has it; select borderline or margin"
        raise OptionError(f"--select {selection.criterion}: no row has a {selection.criterion}; {remedy}")
    return set(most_informative(values, selection.share))


def uncertainty(label: SoftLabel) -> float:
    """A label's entropy as a share of the largest that it may have: 0 is certain."""
    return normalised_entropy(*_entropy(label))


def _entropy(label: SoftLabel) -> tuple[float, int]:
    """A label's entropy and the number of classes over which it is; a class's mean where several may apply."""
    if kind_of(label) == "multi":
        return label.entropy / len(label.probs), 2
    return label.entropy, len(label.probs)


def _value(criterion: Criterion, label: SoftLabel) -> float | None:
    entropy, classes = _entropy(label)
    return informativeness(
        criterion, entropy=entropy, margin=label.margin, classes=classes, disagreement=label.disagreement
    )
