"""Potentials of method power: factors of its target besides p^alpha, section `sampling.power.potentials`.

The target is p(x)^alpha times the product of the potentials of the reply x (arXiv 2604.16453). Without any it is
p^alpha; with alpha 1 it is a posterior: what the model would write, given that the potentials hold.
"""

from __future__ import annotations

import math
from typing import Annotated, Final

from annotated_types import MinLen
from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.section import Section
from vsgen.sections.validators import as_list

IMPOSSIBLE: Final = "impossible"
"""The detail of a candidate for which a potential is 0: which one, and why."""


def _check_correct(value: object) -> bool | float:
    """Whether, or how much, it counts that an answer is right."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"must be true, or a number above 0, got {str(value)[:100]!r}")
    return float(value)


class LabelPotential(Section):
    """The probability of a class as a factor of the target."""

    label: Annotated[str, MinLen(1)]
    """Name of one of the template's labels, of method score or decisions."""
    class_: Annotated[str, MinLen(1)] = Field(alias="class")
    """The class whose probability is the factor."""
    strength: float = Field(default=1.0, gt=0, le=1000)
    """Exponent of the probability: 1 is the probability itself, more makes it count more."""
    looks: bool = False
    """Also ask about replies that still go on, which steers engines smc and mh early. It changes what is found, not
    the target."""


class Potentials(Section):
    """Factors of the target of method power, besides p^alpha."""

    valid: bool = False
    """A reply that does not fit `output`, or can no longer become a reply that does, has factor 0. It matters where
    decoding is not constrained: with `constrain: false`, and on servers."""
    correct: Annotated[
        bool | float,
        PlainValidator(_check_correct),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "number", "exclusiveMinimum": 0}]}),
    ] = False
    """A reply for which `output.correct` is false has factor 0; with a number s, the factor e^-s."""
    labels: Annotated[tuple[LabelPotential, ...], BeforeValidator(as_list)] = ()
    """Probabilities of classes as factors."""

    @model_validator(mode="after")
    def _some(self) -> Potentials:
        if not (self.valid or self.correct or self.labels):
            raise Misfit(((), "names none; give valid, correct or labels, or leave the section out"))
        return self
