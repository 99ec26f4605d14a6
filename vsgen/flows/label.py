"""Labels texts as a template says: what is asked about each text, and what becomes of one that cannot be asked about.

It renders the question of a text for the room `labels`, which knows neither prompts' variables nor rows.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.errors import SKIP_IT, CallError, ChoiceError, InputError, OptionError, TemplateError, TooLongError
from vsgen.flow import Flow, Together, Turn, directed, error_of, refusal, together
from vsgen.labels.decided import Asked, apart, decided
from vsgen.labels.ensemble import ensemble
from vsgen.labels.examples import Example, known_probs, listed, text_key
from vsgen.labels.flips import Again, Flips, asked_again, flips, has_order
from vsgen.labels.judge import Judge
from vsgen.labels.layouts import cue_of
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.labels.words import ANSWER, CONTENT_FREE, LETTERS, YES_NO, asks
from vsgen.sections.sandbox import compile_text
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import Call, Decide, Generate, Message, Prompt, Score, SoftLabel, Unlabelled

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
    reverse: bool = False
    """List the classes of every label in the reverse of each order."""
    whole: Mapping[str, object] | None = None
    """What `values` was before a part of the text was cut; None where nothing was."""


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
        models: Mapping[str | None, str] | None = None,
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
            models: What the models call themselves, by the names that labels have for them; None is the run's own.

        Raises:
            OptionError: A label is the mean of several models, and two of them are the same.
        """
        self._template = template
        self._render = Renderer(template)
        self._own = tuple(own)
        self._seed = seed
        self._lenient = lenient
        self._truncate = truncate
        self._models = models or {}
        for label in template.labels:
            _require_different([self._name(judge) for judge in label.judges], label)
        self._shown: dict[str, Sequence[tuple[str, Example]]] = {}

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
        groups = list(_groups(wanted))
        made = iter((yield from together([self._made(group, text) for group in groups for text in texts])))
        rows: list[Labels] = [{} for _ in texts]
        for group in groups:
            for row in rows:
                row.update(zip([label.name for label in group], next(made), strict=True))
        return [{label.name: row[label.name] for label in wanted} for row in rows]

    def flips(self, text: Text, made: Labels) -> Flow[Mapping[str, Flips]]:
        """Whether the likeliest classes of a text change when the classes are listed in reverse.

        Args:
            text: Which was labelled.
            made: Its labels.

        Returns:
            By label, of those whose classes have an order and that could be made; see `vsgen.labels.flips`.

        Raises:
            InputError: As for `label`.
        """
        labels = [(label, made[label.name]) for label in self._template.labels if has_order(label)]
        known = [(label, one) for label, one in labels if isinstance(one, SoftLabel)]
        found = yield from together([self._flips(label, text, one) for label, one in known])
        return {label.name: one for (label, _), one in zip(known, found, strict=True) if one is not None}

    def _flips(self, label: Label, text: Text, made: SoftLabel) -> Flow[Flips | None]:
        rest = asked_again(label, len(made.probs))
        more = yield from together([
            self._alone(label.model_copy(update={"permutations": again.orders}), replace(text, reverse=again.reverse))
            for again in rest
        ])  # fmt: skip
        found = {again: one for again, one in zip(rest, more, strict=True) if isinstance(one, SoftLabel)}
        return flips({Again(label.permutations): made, **found}) if len(found) == len(rest) else None

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
        each = [(self._question(label, values, values), label) for label in self._template.labels]
        calls = [_first(classify(asked, label, Random(0))) for asked, label in each]
        return [prompt for call in calls if (prompt := _shown(call)) is not None]

    def _made(self, group: Sequence[Label], text: Text) -> Flow[Sequence[SoftLabel | Unlabelled]]:
        """Labels of one text that are asked together; each alone if they cannot be, so that each has its problem."""
        if len(group) == 1:
            return [(yield from self._alone(group[0], text))]
        try:
            return (yield from self._asked(group, text))
        except (CallError, InputError, TemplateError):
            return (yield from together([self._alone(label, text) for label in group]))

    def _alone(self, label: Label, text: Text) -> Flow[SoftLabel | Unlabelled]:
        try:
            return (yield from self._asked([label], text))[0]
        except ChoiceError as error:
            if label.choices is None:
                raise TemplateError(f"{self._template.source}: label {label.name}: {error}") from error
            problem = str(error)
        except TooLongError as error:
            problem = f"{error}, or pass --truncate" if self._truncate is False else str(error)
            if count := len(label.examples):
                problem += f"; {count} examples are part of it: give fewer or shorter ones"
        except (CallError, InputError, TemplateError) as error:
            _, own, rest = str(error).partition(f": label {label.name}: ")
            problem = rest if own else str(error)
        if self._lenient:
            return Unlabelled(problem)
        raise InputError(f"{text.name}: label {label.name}: {problem}; {SKIP_IT}")

    def _asked(self, group: Sequence[Label], text: Text) -> Flow[Sequence[SoftLabel | Unlabelled]]:
        """Ask about a text, and about less of it for as long as it is too long and may be cut."""
        values, tries = dict(text.values), list[tuple[int, int]]()
        while True:
            try:
                made = yield from self._judged(group, replace(text, values=values, whole=text.values))
            except TooLongError as error:
                if not self._truncate:
                    raise
                whole = str(values[self._own[0]])
                tries.append((len(whole), error.tokens))
                if not (kept := _fitting(tries, error.context)):
                    raise
                values[self._own[0]] = whole[:kept]
                continue
            return [_detailed(one, {"truncated": True}) for one in made] if tries else made

    def _judged(self, group: Sequence[Label], text: Text) -> Flow[Sequence[SoftLabel | Unlabelled]]:
        """Ask the labels' own models, where they name some."""
        judges = group[0].judges
        if len(judges) > 1:
            each = yield from together([self._by_one(judge, group, text) for judge in judges])
            names = [self._name(judge) for judge in judges]
            return [ensemble(dict(zip(names, made, strict=True))) for made in zip(*each, strict=True)]
        flow, name = self._classified(group, text), judges[0].name
        if name is None:
            return (yield from flow)
        made = yield from directed(flow, name)
        return [_detailed(one, {"model": self._name(judges[0])}) for one in made]

    def _by_one(self, judge: Judge, group: Sequence[Label], text: Text) -> Flow[Sequence[SoftLabel | Unlabelled]]:
        """What one model of several says, drawn as if it were alone; what it refuses names it."""
        flow = self._classified(group, text)
        try:
            return (yield from flow if judge.name is None else directed(flow, judge.name))
        except CallError as error:
            raise error_of(replace(refusal(error), problem=f"model {self._name(judge)}: {error}")) from error

    def _name(self, judge: Judge) -> str:
        """What a model calls itself, where that is known."""
        return self._models.get(judge.name, judge.name or judge.model)

    def _classified(self, group: Sequence[Label], text: Text) -> Flow[Sequence[SoftLabel | Unlabelled]]:
        each = [self._question(label, text.values, text.whole)._replace(reverse=text.reverse) for label in group]
        if group[0].method == "decisions":
            return (yield from decided([Asked(asked, label) for asked, label in zip(each, group, strict=True)]))
        rng = Random(f"{self._seed}/{text.key}/{group[0].name}")
        return [(yield from classify(each[0], group[0], rng))]

    def _question(self, label: Label, values: Mapping[str, object], whole: Mapping[str, object] | None) -> Question:
        """The question about a text; see `Text` for what is what."""
        asked, classes = self._render.label(label, values), _classes(label, values)
        if label.method == "decisions":
            named = compile_text(label.prompt).names
            texts = [(name, values[name]) for name in self._own if name in named and name in values]
            state, asked = apart(asked, texts, asks(label.name, label.kind))
            return Question(asked, classes, state=state)
        free = self._without_content(label, values) if label.prior == "contextual" else ()
        cue = ANSWER if label.kind == "multi" else cue_of(label.name)
        return Question(asked, classes, free, cue=cue, examples=self._examples(label, whole or values))

    def _without_content(self, label: Label, values: Mapping[str, object]) -> tuple[str, ...]:
        each = (self._render.label(label, {**values, **dict.fromkeys(self._own, free)}) for free in CONTENT_FREE)
        return tuple(dict.fromkeys(each))

    def _examples(self, label: Label, values: Mapping[str, object]) -> tuple[Example, ...]:
        """The examples of a label but for one that is the text itself, whose class it would give away."""
        if not label.examples:
            return ()
        if label.name not in self._shown:
            self._shown[label.name] = [(self._key(row), self._example(label, row)) for row in label.examples]
        own, asked = self._key(values), self._render.label(label, values)
        return tuple(one for key, one in self._shown[label.name] if key != own and one.text != asked)

    def _example(self, label: Label, row: Mapping[str, object]) -> Example:
        return Example(self._render.label(label, row), known_probs(row[label.name], _classes(label, row), label.kind))

    def _key(self, values: Mapping[str, object]) -> str:
        return text_key(" ".join(str(values[name]) for name in self._own if name in values))


def _groups(labels: Sequence[Label]) -> Iterator[Sequence[Label]]:
    """What is asked together: all decisions of the same models, every other label by itself."""
    deciding: dict[tuple[str | None, ...], list[Label]] = {}
    for label in labels:
        if label.method == "decisions":
            deciding.setdefault(tuple(judge.name for judge in label.judges), []).append(label)
        else:
            yield [label]
    yield from deciding.values()


def _require_different(names: Sequence[str], label: Label) -> None:
    """See that the mean of several models counts none of them twice, under whatever names they are given."""
    twice = [(i, name) for i, name in enumerate(names) if name in names[:i]]
    for i, name in twice:
        one, other = (label.judges[at].model for at in (names.index(name), i))
        raise OptionError(f"label {label.name}: models {one} and {other} are the same, {name}; remove one of them")


def _detailed(made: SoftLabel | Unlabelled, details: Mapping[str, object]) -> SoftLabel | Unlabelled:
    """The label with these details behind its own."""
    return replace(made, details={**made.details, **details}) if isinstance(made, SoftLabel) else made


def _shown(call: Call | None) -> Prompt | None:
    """What is asked of a model; of a decision interface, whose servers have words of their own, what they are given."""
    match call:
        case Generate() | Score():
            return call.prompt
        case Decide(state=state, questions=questions):
            options = " / ".join(questions[0].options or YES_NO)
            return Prompt((Message("user", f"{state}\n\n{questions[0].text}\n\n{options}"),))
        case _:
            return None


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
    names = listed(values.get(label.choices))
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        shown = repr(values.get(label.choices))
        got = shown if len(shown) <= 100 else f"{shown[:100]}…"
        raise InputError(f"field {label.choices!r} must be a list of at least two different texts, got {got}")
    if label.verbalizer == "letters" and len(names) > len(LETTERS):
        raise InputError(f"field {label.choices!r} lists {len(names)} classes, but there are {len(LETTERS)} letters")
    return names
