"""The potentials of a template, for one draw: whether a reply is valid, is right, and how probable a class is for it.

They judge a reply as the rest of the draw does: it is read, spelled and labelled in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Final

from vsgen.errors import TemplateError
from vsgen.flow import Flow, known
from vsgen.flows.label import Labeller, Text
from vsgen.labels.soft import UNANSWERED
from vsgen.probability import logs
from vsgen.sampling import schemas
from vsgen.sampling.direct import read_plain
from vsgen.sampling.potentials import LabelPotential
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import NONE, Potential, Potentials
from vsgen.template.canonical import decodable
from vsgen.template.final import find_answer
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import Completion, SoftLabel

if TYPE_CHECKING:
    from vsgen.backends.decoding.viable import Viable

_HALF: Final = "\N{REPLACEMENT CHARACTER}"
"""What a text ends with whose last token holds the first bytes of a character."""
_LEAST: Final = -1e4
"""The smallest log factor of a reply that still goes on, nats."""


def potentials_of(
    template: Template, render: Renderer, labeller: Labeller, values: Mapping[str, object], name: str
) -> Potentials:
    """The potentials of one draw; those of p^alpha itself where the template names none.

    Args:
        template: Names them.
        render: Evaluates `output.correct`.
        labeller: Makes its labels.
        values: The variables of the draw.
        name: Of the draw.
    """
    wanted = template.sampling.powered.potentials if template.sampling.method == "power" else None
    if wanted is None:
        return NONE
    each: list[Potential] = [Valid(template)] if wanted.valid else []
    if wanted.correct:
        strength = math.inf if wanted.correct is True else wanted.correct
        each.append(Correct(template, render, values, strength))
    each += [OfLabel(template, labeller, one, values, name) for one in wanted.labels]
    return Potentials(tuple(each))


def read(template: Template, draft: Draft) -> Mapping[str, object] | None:
    """The fields of the answer in a reply, in their canonical spelling; None if it holds none."""
    parsed = read_plain(template.output.fields, Completion(draft.text, stopped=draft.ended))
    return template.output.spelled(parsed.items[0].fields) if parsed.items else None


class Valid:
    """1 of replies that have the form which constrained decoding enforces and fit `output`; 0 of all others."""

    reason: Final = "valid: it does not fit output"
    doubt: Final = None

    def __init__(self, template: Template) -> None:
        """Set up.

        Args:
            template: Says what an answer looks like.
        """
        self._template = template
        self._form = _form(template)

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """See `vsgen.sampling.power.factors.Potential`."""
        return known(logs([float(self._fits(draft)) for draft in drafts]))

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """Whether the form can still be met, by whatever a character becomes that is not whole yet."""
        return known(logs([float(self._form.possible(draft.text.rstrip(_HALF))) for draft in drafts]))

    def _fits(self, draft: Draft) -> bool:
        fields = read(self._template, draft) if self._form.complete(draft.text) else None
        return fields is not None and self._template.output.problem(fields) is None


class Correct:
    """1 of replies that `output.correct` calls right; 0 of all others, or a smaller factor."""

    reason: Final = "correct: output.correct does not hold"
    doubt: Final = None

    def __init__(self, template: Template, render: Renderer, values: Mapping[str, object], strength: float) -> None:
        """Set up.

        Args:
            template: Says where the final answer stands.
            render: Evaluates what is right.
            values: The variables of the draw.
            strength: The factor of a wrong reply is e to the power of its negative.
        """
        self._template = template
        self._render = render
        self._values = values
        self._strength = strength

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """See `vsgen.sampling.power.factors.Potential`."""
        return known([0.0 if self._right(draft) else -self._strength for draft in drafts])

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """Nothing is known before the answer is there."""
        return known([0.0] * len(drafts))

    def _right(self, draft: Draft) -> bool:
        """Whether it is right, and not what cannot be judged."""
        fields = read(self._template, draft)
        if fields is None:
            return False
        try:
            answer = find_answer(self._template.output.answer or "", fields)
            return self._render.correct(answer, {**self._values, **fields}) is True
        except TemplateError:
            return False


class OfLabel:
    """The probability of one of a label's classes, given the reply, to the power of a strength."""

    def __init__(
        self,
        template: Template,
        labeller: Labeller,
        wanted: LabelPotential,
        values: Mapping[str, object],
        name: str,
    ) -> None:
        """Set up.

        Args:
            template: Says what an answer looks like.
            labeller: Makes the label.
            wanted: Which label and class, and how much they count.
            values: The variables of the draw.
            name: Of the draw.
        """
        self._template = template
        self._labeller = labeller
        self._wanted = wanted
        self._values = values
        self._draw = name
        self._masses: list[float] = []

    @property
    def reason(self) -> str:
        """See `vsgen.sampling.power.factors.Potential`."""
        return f"label {self._wanted.label}: the class {self._wanted.class_!r} has no probability"

    @property
    def doubt(self) -> str | None:
        """That the model does not answer the label's question, so that its answers are noise."""
        if not self._masses or median(self._masses) >= UNANSWERED:
            return None
        name = self._wanted.label
        return (
            f"sampling.power.potentials: label {name}: all classes together have a probability below {UNANSWERED} "
            f"(label_mass), so this model does not answer the question, and the potential is noise: reword the prompt "
            f"of label {name}, give it examples, or name another model for it"
        )

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """See `vsgen.sampling.power.factors.Potential`."""
        return self._logs([read(self._template, draft) for draft in drafts], unread=-math.inf)

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        """The same of the text so far, where that is wanted."""
        fields = [read(self._template, draft) if self._wanted.looks else None for draft in drafts]
        return (yield from _finite(self._logs(fields, unread=0.0)))

    def _logs(self, fields: Sequence[Mapping[str, object] | None], *, unread: float) -> Flow[list[float]]:
        """The log factors; `unread` of what holds no answer, or has no label."""
        asked = [i for i, one in enumerate(fields) if one is not None]
        texts = [Text(self._draw, self._draw, {**self._values, **(fields[i] or {})}) for i in asked]
        made = yield from self._labeller.label(texts, {self._wanted.label})
        found = [unread] * len(fields)
        for i, labels in zip(asked, made, strict=True):
            label = labels[self._wanted.label]
            if isinstance(label, SoftLabel):
                self._masses += [] if label.label_mass is None else [label.label_mass]
                (log,) = logs([label.probs[self._wanted.class_]])
                found[i] = self._wanted.strength * log
        return found


def _finite(flow: Flow[list[float]]) -> Flow[list[float]]:
    """What is said early of a reply that still goes on: it may yet become another one, so nothing is impossible."""
    return [max(one, _LEAST) for one in (yield from flow)]


def _form(template: Template) -> Viable:
    """What decoding would be constrained by."""
    from vsgen.backends.decoding.viable import Viable  # its library takes a while to load

    item = decodable(template.output.item_schema)
    if len(template.output.fields) == 1:
        return Viable(pattern=schemas.bare(item))
    return Viable(schema=schemas.one(item, reasoning=False))
