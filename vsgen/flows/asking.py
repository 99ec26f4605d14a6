"""How a template asks a given model: the sampler's settings, and each draw's prompt with its worked exchanges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from vsgen.sampling.exchanges import Exchange, Exemplar, demonstrated, own
from vsgen.sampling.settings import LISTS, Settings
from vsgen.template.canonical import decodable
from vsgen.template.examples import PROBABILITY, REASONING, Size
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import ModelFacts, Prompt

SMALL: Final = 3_000_000_000
"""Parameters up to which a model is small."""
_BRIEF: Final = 60
"""Characters up to which answers are a few words."""
_SHOWN: Final = 3
"""Examples that auto shows where each is an exchange of its own."""
_NEUTRAL: Final = "text"
"""The only field's name in a list where our own exchanges are shown: they cannot have the meaning of its own."""


def size_of(facts: ModelFacts | None) -> Size | None:
    """A model's size, by which settings are recommended; None for one that knows vsgen's words by heart."""
    if facts is None:
        return "large"
    if facts.embedded:
        return None
    return "small" if _is_small(facts) else "large"


def _is_small(facts: ModelFacts) -> bool:
    """Whether a model is known to be small."""
    return facts.parameters is not None and facts.parameters <= SMALL


def unsuited(template: Template, facts: ModelFacts | None) -> str | None:
    """What the template says against models of this size, as a line for people; None if nothing."""
    size = size_of(facts)
    why = template.recommended.unsuited(size) if size else None
    return f"{template.source}: recommended: {size} models are not suited to this template: {why}" if why else None


def settings_of(template: Template, facts: ModelFacts | None = None) -> Settings:
    """All that a template's sampler must know besides the prompt.

    Args:
        template: What to ask.
        facts: Of the model that is asked; None where it cannot say.
    """
    asked, output = template.sampling, template.output
    ours = 0 if template.examples else _ours(template, facts)
    return Settings(
        asked,
        output.fields,
        item_schema=decodable(output.item_schema) if asked.constrain else None,
        key=_NEUTRAL if ours and asked.method in LISTS else None,
        exchanges=ours,
        brief=_brief(output.item_schema),
        open_ended=template.open_ended,
    )


class Asker:
    """Makes each draw's prompt."""

    def __init__(self, template: Template, render: Renderer, facts: ModelFacts | None, *, seed: int) -> None:
        self.settings = settings_of(template, facts)
        """With which the sampler draws."""
        self._template = template
        self._render = render
        self._seed = seed

    def ask(self, task: Prompt, values: Mapping[str, object], number: int) -> Prompt:
        """The task with the worked exchanges of draw `number` before it; its seed draws which."""
        if not self._shows:
            return task
        rng = Random(f"{self._seed}/{self._template.name}/{number}/exchanges")
        exchanges = self._examples(values, rng) or own(self.settings, rng)
        return demonstrated(task, self.settings.sampling, exchanges, rng)

    @property
    def _shows(self) -> bool:
        return bool(self.settings.exchanges or (self._template.examples and self._template.sampling.demonstrate))

    def _examples(self, values: Mapping[str, object], rng: Random) -> list[Exchange]:
        """The template's examples: lists of those that answer the same request, or one an exchange."""
        asked = [(self._request(one, values), _answer(one, self.settings.fields)) for one in self._template.examples]
        wanted = self._template.sampling.demonstrate
        if self.settings.sampling.method not in LISTS:
            count = _SHOWN if wanted == "auto" else wanted
            return [Exchange(request, (one,)) for request, one in rng.sample(asked, min(count, len(asked)))]
        lists: dict[str, list[Exemplar]] = {}
        for request, one in rng.sample(asked, len(asked)):
            lists.setdefault(request, []).append(one)
        count = 1 if wanted == "auto" else wanted
        return [Exchange(request, tuple(found)) for request, found in list(lists.items())[:count]]

    def _request(self, example: Mapping[str, Any], values: Mapping[str, object]) -> str:
        return self._render.request({**values, **example})


def _answer(example: Mapping[str, Any], fields: Sequence[str]) -> Exemplar:
    return Exemplar({name: example[name] for name in fields}, example.get(PROBABILITY), example.get(REASONING))


def _ours(template: Template, facts: ModelFacts | None) -> int:
    """Exchanges of our own: for a single text field, whose meaning they need not know."""
    wanted = template.sampling.demonstrate
    first, *more = template.output.item_schema["properties"].values()
    if more or first.get("type", "string") != "string":
        return 0
    if wanted != "auto":
        return wanted
    if facts is None or facts.embedded or template.sampling.method == "power" or not template.chat:
        return 0
    return int(_is_small(facts) or not facts.chat)


def _brief(item: Mapping[str, Any]) -> bool:
    """Whether an answer is a few words: one of a closed set, or a short text."""
    field = next(iter(item["properties"].values()))
    return "enum" in field or "const" in field or field.get("maxLength", _BRIEF + 1) <= _BRIEF
