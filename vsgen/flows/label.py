"""Labels texts as a template says: what is asked about each text, and what becomes of one that cannot be asked about.

It renders the question of a text for the room `labels`, which knows neither prompts' variables nor rows.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.errors import SKIP_IT, CallError, ChoiceError, InputError, TemplateError, TooLongError
from vsgen.flow import Flow, Together, Turn, directed, together
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.labels.words import CONTENT_FREE, LETTERS
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import Call, Generate, Prompt, Score, SoftLabel, Unlabelled

Labels = dict[str, SoftLabel | Unlabelled]
_SPARE = 1.1
"""How much more is cut than seems to be needed, so that few cuts are needed."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be labelled."""

    name: str
    """Its place in the input or its id, for messages."""
    key: str
    """Names the randomness of its labels."""
    values: Mapping[str, object]
    """All that a question may refer to."""


class Labeller:
    """The labels of one template, ready to be asked for."""

    def __init__(
        self,
        template: Template,
        own: Sequence[str],
        *,
        seed: int,
        lenient: bool = False,
        truncate: bool | None = None,
        judges: Mapping[str, str] | None = None,
    ) -> None:
        """Set up.

        Args:
            template: Whose labels to make.
            own: Fields that hold the text itself; contextual calibration asks without them, and `truncate` cuts the
                first of them.
            seed: Of the whole run.
            lenient: A text that cannot be asked about is left unlabelled, with the problem, instead of raising. So are
                all texts that a model wrote: what it wrote ends no run.
            truncate: Cut a text that is too long for the model; None where the user has no such choice.
            judges: What the models that labels name call themselves, by that name.
        """
        self._template = template
        self._render = Renderer(template)
        self._own = tuple(own)
        self._seed = seed
        self._lenient = lenient
        self._truncate = truncate
        self._judges = judges or {}

    def label(self, texts: Sequence[Text], names: Container[str] | None = None) -> Flow[list[Labels]]:
        """Label some texts; all labels of all of them are asked for at once.

        Args:
            texts: What to label.
            names: Of the labels to make; None makes all of the template.

        Raises:
            InputError: A text lacks what a question needs, or is too long for the model; names the text and the label.
            TemplateError: The model cannot write a class that the template names.
        """
        wanted = [label for label in self._template.labels if names is None or label.name in names]
        made = iter((yield from together([self._alone(label, text) for label in wanted for text in texts])))
        each = {label.name: [next(made) for _ in texts] for label in wanted}
        return [{name: column[i] for name, column in each.items()} for i in range(len(texts))]

    def check(self, values: Mapping[str, object]) -> None:
        """See that the classes which a field of the input row lists can be asked about, before there is a text.

        Args:
            values: Of the row.

        Raises:
            InputError: They cannot; names the label.
        """
        for label in self._template.labels:
            if label.choices is not None and label.choices not in self._own:
                try:
                    _classes(label, values)
                except InputError as error:
                    raise InputError(f"label {label.name}: {error}") from None

    def prompts(self, values: Mapping[str, object]) -> list[Prompt]:
        """What is asked first for each label of one text: one prompt, though several orders or classes may follow.

        Raises:
            TemplateError: A variable is missing.
            InputError: A field that should list the classes does not.
        """
        calls = [_first(classify(self._question(each, values), each, Random(0))) for each in self._template.labels]
        return [call.prompt for call in calls if isinstance(call, Generate | Score)]

    def _alone(self, label: Label, text: Text) -> Flow[SoftLabel | Unlabelled]:
        try:
            return (yield from self._one(label, text))
        except ChoiceError as error:
            if label.choices is None:
                raise TemplateError(f"{self._template.source}: label {label.name}: {error}") from error
            problem = str(error)
        except TooLongError as error:
            problem = f"{error}, or pass --truncate" if self._truncate is False else str(error)
        except (CallError, InputError, TemplateError) as error:
            _, own, rest = str(error).partition(f": label {label.name}: ")
            problem = rest if own else str(error)
        if self._lenient:
            return Unlabelled(problem)
        raise InputError(f"{text.name}: label {label.name}: {problem}; {SKIP_IT}")

    def _one(self, label: Label, text: Text) -> Flow[SoftLabel | Unlabelled]:
        values, tries = dict(text.values), list[tuple[int, int]]()
        while True:
            rng = Random(f"{self._seed}/{text.key}/{label.name}")
            try:
                made = yield from self._judged(label, self._question(label, values), rng)
            except TooLongError as error:
                if not self._truncate:
                    raise
                whole = str(values[self._own[0]])
                tries.append((len(whole), error.tokens))
                if not (kept := _fitting(tries, error.context)):
                    raise
                values[self._own[0]] = whole[:kept]
                continue
            if tries and isinstance(made, SoftLabel):
                return replace(made, details={**made.details, "truncated": True})
            return made

    def _judged(self, label: Label, asked: Question, rng: Random) -> Flow[SoftLabel | Unlabelled]:
        """Ask the label's own model, where it names one."""
        flow = classify(asked, label, rng)
        if label.judge is None:
            return (yield from flow)
        made = yield from directed(flow, label.judge)
        if isinstance(made, Unlabelled):
            return made
        return replace(made, details={**made.details, "model": self._judges.get(label.judge, label.model)})

    def _question(self, label: Label, values: Mapping[str, object]) -> Question:
        neutral = {**values, **dict.fromkeys(self._own, CONTENT_FREE)}
        free = self._render.label(label, neutral) if label.prior == "contextual" else ""
        return Question(self._render.label(label, values), _classes(label, values), free)


def _first(flow: Flow[SoftLabel | Unlabelled]) -> Call | None:
    """What a flow asks first, or the first of those that it moves together."""
    wait = next(flow)
    if isinstance(wait, Together):
        return _first(wait.flows[0])
    return None if isinstance(wait, Turn) else wait[0]


def _fitting(tries: Sequence[tuple[int, int]], context: int) -> int:
    """How many of a text's first characters to try next, so that the call fits; 0 if even one was too many.

    Args:
        tries: The characters of each try so far, and the tokens of its call.
        context: The tokens that there may be.
    """
    length, tokens = tries[-1]
    each = length / tokens  # characters a token, if the call held nothing but the text
    if len(tries) > 1 and tries[-2][1] > tokens:
        each = (tries[-2][0] - length) / (tries[-2][1] - tokens)
    surplus = (tokens - context) * each
    fits = length - surplus
    if fits < 1:
        return length // 2
    return min(length - 1, math.floor(max(length - _SPARE * surplus, fits / _SPARE)))


def _classes(label: Label, values: Mapping[str, object]) -> tuple[str, ...]:
    """The template's classes, or those that a field of the row lists."""
    if label.choices is None:
        return label.classes
    listed = values.get(label.choices)
    each = listed if isinstance(listed, list | tuple) else []
    names = [str(one).strip() if isinstance(one, str | int | float) else "" for one in each]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        shown = repr(listed)
        got = shown if len(shown) <= 100 else f"{shown[:100]}…"
        raise InputError(f"field {label.choices!r} must be a list of at least two different texts, got {got}")
    if label.verbalizer == "letters" and len(names) > len(LETTERS):
        raise InputError(f"field {label.choices!r} lists {len(names)} classes, but there are {len(LETTERS)} letters")
    return tuple(names)
