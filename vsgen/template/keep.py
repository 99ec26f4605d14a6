"""The clauses of `keep`: expressions of Jinja that decide whether a valid answer becomes a row.

What can be wrong without an answer at hand is reported when the template is loaded: an expression that is none, one
that YAML has read as something else, a label or a class that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vsgen.labels.settings import Label
from vsgen.sections.misfit import TextProblem, likeliest
from vsgen.sections.sandbox import compile_text, paths
from vsgen.template.final import ANSWER, as_condition

LABELS: Final = "labels"
CORRECT: Final = "correct"
OWN: Final = (LABELS, "probability", "logp", "verbalized")
"""What a clause may say of the candidate itself, beside its fields, `answer` and `correct`."""
_KEYS: Final = (
    *("probs", "entropy", "margin", "label_mass", "disagreement", "kind", "mean", "sd", "method", "model", "raw"),
    *("spread", "orders", "traces", "replies", "read", "cut", "pseudocount", "problem"),
    *("models", "between_models", "within_models", "styles", "between_styles", "within_styles"),
)
_ORDINAL: Final = ("mean", "sd")


@dataclass(frozen=True, slots=True)
class Clause:
    """One expression."""

    text: str
    needed: frozenset[str]
    """The names in it that must have a value."""
    reads: tuple[tuple[object, ...], ...]
    """What it reads of `labels`: keys from the label's name on, None where a key is computed."""

    def labels(self, names: Sequence[str]) -> frozenset[str]:
        """Which labels it reads.

        Args:
            names: Of all labels; one that computes the name may read them all.
        """
        named = [path[0] if path else None for path in self.reads]
        return frozenset(names if None in named else [name for name in names if name in named])

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether it holds.

        Raises:
            TextProblem: It cannot be evaluated with these values.
        """
        try:
            return bool(compile_text(as_condition(self.text)).render(values))
        except TextProblem as problem:
            raise TextProblem(str(problem).removeprefix("cannot be rendered: ")) from None


@lru_cache(maxsize=256)
def clause(text: str) -> Clause:
    """Read an expression.

    Raises:
        ValueError: It is not one; a `TextProblem` with its line.
    """
    if "{{" in text:
        raise ValueError(f"write the expression without {{{{ }}}}, got {text[:100]!r}")
    if not text.strip() or "%}" in text:
        raise ValueError(f"must be an expression of Jinja such as 'probability > 0.1', got {text[:100]!r}")
    whole = as_condition(text)
    return Clause(text, compile_text(whole).needed, tuple(paths(whole, LABELS)))


def check_clause(value: object) -> str:
    """An item of `keep` as text; says what to quote where YAML has read something else than text.

    Raises:
        ValueError: It is no expression.
    """
    if not isinstance(value, str):
        raise ValueError(_misread(value))
    return clause(value).text


def label_problem(text: str, labels: Sequence[Label], *, voted: bool) -> str | None:
    """What a clause says of labels that are not there; None if all are.

    Args:
        text: The clause.
        labels: Of the template.
        voted: Whether there is the label `answer` too.
    """
    return next((problem for path in clause(text).reads for problem in _problems(path, labels, voted=voted)), None)


def _problems(path: tuple[object, ...], labels: Sequence[Label], *, voted: bool) -> Iterator[str]:
    name, key, class_ = (*path, None, None, None)[:3]
    names = [label.name for label in labels] + ([ANSWER] if voted else [])
    if name is None:
        if not names:
            yield "reads labels, but the template has none; define them under 'labels:'"
        return
    if name not in names:
        there = f"there are: {', '.join(names)}" if names else "the template has none; define it under 'labels:'"
        yield f"there is no label {name!r}{_nearest(name, names)}; {there}"
        return
    if key is not None and key not in _KEYS:
        yield f"a label has no {key!r}{_nearest(key, _KEYS)}; it has: {', '.join(_KEYS[:8])}"
    for label in labels:
        if label.name == name:
            yield from _of_kind(label, key, class_)


def _of_kind(label: Label, key: object, class_: object) -> Iterator[str]:
    if key in _ORDINAL and label.kind != "ordinal":
        yield f"label {label.name!r} is {label.kind}, and only an ordinal one has {key!r}; write 'kind: ordinal' there"
    if key == "probs" and class_ is not None and label.classes and class_ not in label.classes:
        listed = ", ".join(map(repr, label.classes))
        yield f"label {label.name!r} has no class {class_!r}{_nearest(class_, label.classes)}; there are: {listed}"


def _nearest(word: object, words: Sequence[str]) -> str:
    found = likeliest(str(word), words)
    return f" (did you mean {found!r}?)" if found else ""


def _misread(value: object) -> str:
    match value:
        case {**pairs} if len(pairs) == 1 and isinstance(text := _joined(pairs), str):
            return f"must be text, but YAML reads the ': ' in it as a mapping; quote it: {_quoted(text)}"
        case {}:
            return "must be text, but YAML reads {...} as a mapping; write the expression without {{ }}, or quote it"
        case list():
            return "must be text, but YAML reads [...] as a list; quote the whole expression"
        case None:
            return "is empty; write an expression such as 'probability > 0.1'"
        case bool():
            return f"is {str(value).lower()} for every answer; write an expression such as 'probability > 0.1'"
        case _:
            return f"must be an expression, but YAML reads {value!r} as a number; quote it if that is meant"


def _joined(pairs: Mapping[object, object]) -> str | None:
    (key, value), *_ = pairs.items()
    return f"{key}: {value}" if isinstance(value, str) else None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
