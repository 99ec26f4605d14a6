"""A distribution of texts with exactly known probabilities.

A text is a head and then one alternative of each of the head's tables. Every alternative has a probability *given a
latent class* (a ticket's category, a review's sentiment), so the next choice's distribution is the Bayesian predictive

    P(x_i | x_<i) = sum_c P(c | x_<i) P(x_i | c),      P(c | x_<=i)  proportional to  P(c | x_<i) P(x_i | c),

which is exact, and whose last posterior is the truth for classification. A source without classes has one class.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vsgen.tiny.grammar.script import Script, weighted

Weights: TypeAlias = Mapping[str, float | tuple[float, ...]]
_SLOT = re.compile(r"( ?)\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Table:
    """Alternatives of one choice."""

    texts: tuple[str, ...]
    given: tuple[tuple[float, ...], ...]
    """One row per text, one column per class: P(text | class); each column sums to 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """The true distribution of the answers to one request."""

    prior: tuple[float, ...]
    """P(class)."""
    heads: Table
    rest: tuple[tuple[Table, ...], ...]
    """Per head, the tables of the choices that follow it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a source wrote."""

    head: int
    posterior: tuple[float, ...]
    """P(class | text)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source says about a given text."""

    head: int
    p: float
    """P(text)."""
    posterior: tuple[float, ...]
    """P(class | text)."""


def table(weights: Weights) -> Table:
    """A table from weights: a number, or one number per class; columns are normalised."""
    rows = [w if isinstance(w, tuple) else (w,) for w in weights.values()]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    return Table(tuple(weights), tuple(tuple(w / t for w, t in zip(row, totals, strict=True)) for row in rows))


def source(
    heads: Weights,
    slots: Mapping[str, Weights] | None = None,
    *,
    fill: Mapping[str, str] | None = None,
    prior: Sequence[float] = (1.0,),
) -> Source:
    """Compile patterns such as ``The {product} broke. {detail}``.

    Args:
        heads: Patterns and their weights. What precedes the first slot is the head and must differ between patterns.
        slots: Alternatives per slot name.
        fill: Names that the request fixes; they are replaced first.
        prior: P(class); weights with one number are the same for every class.
    """
    filled = {_fill(pattern, fill or {}): weights for pattern, weights in heads.items()}
    parts = [_SLOT.split(pattern) for pattern in filled]
    top = table({part[0]: weights for part, weights in zip(parts, filled.values(), strict=True)})
    return Source(tuple(prior), _widen(top, len(prior)), tuple(_rest(part, slots or {}, len(prior)) for part in parts))


def _fill(pattern: str, fill: Mapping[str, str]) -> str:
    for name, text in fill.items():
        pattern = pattern.replace(f"{{{name}}}", text)
    return pattern


def _rest(parts: Sequence[str], slots: Mapping[str, Weights], classes: int) -> tuple[Table, ...]:
    """Tables for [head, space, slot, literal, space, slot, literal ...]; a slot's space belongs to its alternatives."""
    tables: list[Table] = []
    for space, name, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        slot = table({space + text: weights for text, weights in slots[name].items()})
        tables.append(_widen(slot, classes))
        if literal:
            tables.append(Table((literal,), ((1.0,) * classes,)))
    return tuple(tables)


def _widen(one: Table, classes: int) -> Table:
    """A table with one column is the same for every class."""
    return one if len(one.given[0]) == classes else Table(one.texts, tuple(row * classes for row in one.given))


def predict(posterior: Sequence[float], choices: Table) -> list[float]:
    """P(alternative) given what is known of the class."""
    return [sum(p * q for p, q in zip(posterior, row, strict=True)) for row in choices.given]


def update(posterior: Sequence[float], row: Sequence[float]) -> tuple[float, ...]:
    """Bayes' rule, for a row that is possible."""
    joint = [p * q for p, q in zip(posterior, row, strict=True)]
    return tuple(j / sum(joint) for j in joint)


def head_probs(of: Source) -> list[float]:
    """P(head): the probability that is stated for a text."""
    return predict(of.prior, of.heads)


def write(of: Source, *, gamma: float = 1.0, heads: Collection[int] | None = None, lead: str = "") -> Script[Written]:
    """Write a text, each choice from its predictive distribution to the power of `gamma`, renormalised.

    Args:
        of: The source.
        gamma: 1 writes p; for a source without further slots, gamma writes p^gamma / Z exactly.
        heads: The heads that may be taken; all by default.
        lead: What precedes the text and is tokenised with it.
    """
    probs = head_probs(of)
    allowed = [i for i in (range(len(probs)) if heads is None else sorted(heads)) if probs[i] > 0]
    openings = [lead + of.heads.texts[i] for i in allowed]
    head = allowed[(yield weighted(openings, [probs[i] ** gamma for i in allowed]))]
    posterior = update(of.prior, of.heads.given[head])
    for options in of.rest[head]:
        p = predict(posterior, options)
        possible = [i for i, one in enumerate(p) if one > 0]
        taken = possible[(yield weighted([options.texts[i] for i in possible], [p[i] ** gamma for i in possible]))]
        posterior = update(posterior, options.given[taken])
    return Written(head, posterior)


def read(of: Source, text: str) -> Reading | None:
    """Find the one derivation of `text`; None if the source cannot have written it."""
    for head, opening in enumerate(of.heads.texts):
        if text.startswith(opening):
            joint = [p * q for p, q in zip(of.prior, of.heads.given[head], strict=True)]
            found = _read(text[len(opening) :], of.rest[head], joint)
            if found is not None and sum(found) > 0:
                return Reading(head, sum(found), tuple(j / sum(found) for j in found))
    return None


def _read(text: str, tables: Sequence[Table], joint: Sequence[float]) -> list[float] | None:
    if not tables:
        return None if text else list(joint)
    for option, row in zip(tables[0].texts, tables[0].given, strict=True):
        if text.startswith(option):
            found = _read(text[len(option) :], tables[1:], [p * q for p, q in zip(joint, row, strict=True)])
            if found is not None:
                return found
    return None
