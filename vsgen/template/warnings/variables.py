"""Variables that nothing uses, prompts that never change, values that are listed twice or are null."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from vsgen.sections.misfit import TextProblem, likeliest
from vsgen.sections.sandbox import compile_text
from vsgen.template.answer import as_text
from vsgen.template.final import as_condition
from vsgen.template.keep import OWN
from vsgen.template.schema import Template, Value
from vsgen.template.variables import draw_variables
from vsgen.template.warnings.closed import distinct
from vsgen.template.warnings.warning import TemplateWarning, Use, quoted, warning


def unused(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Variables that no text mentions: they are drawn and change nothing."""
    mentioned = _mentioned(template)
    others = sorted(mentioned - {*template.output.fields, *template.variables, *OWN})
    elsewhere = " ".join(_texts(template.recommended.model_dump()))
    for name in template.variables:
        if name in mentioned or re.search(rf"\b{name}\b", elsewhere):
            continue
        guess = likeliest(name, others)
        remedy = f"did you mean {guess!r}, which is used?" if guess else f"write {{{{ {name} }}}} there, or remove it"
        yield warning(template, ("variables", name), "no prompt or expression uses it", remedy)


def unused_rows(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Input rows of which nothing is used: probably the wrong file."""
    elsewhere = set(re.findall(r"\w+", " ".join(_texts(template.recommended.model_dump()))))
    if use.fields and not (_mentioned(template) | elsewhere) & set(use.fields):
        first, *more = use.fields
        listed = ", ".join([first, *more[:2], *(["..."] if more[2:] else [])])
        text = f"no prompt or expression uses a field of the input rows ({listed})"
        yield warning(template, ("prompt",), text, f"write {{{{ {first} }}}} there, give other rows, or none")


def same_prompt(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """A prompt that is the same in every draw, where more than one draw is needed."""
    k = template.sampling.k
    if use.rows or _shows_others(template) or distinct(template) is not None or (use.num or k + 1) <= k:
        return
    used = _names(_asked(template)) & template.variables.keys()
    if math.prod(len({*map(_key, template.variables[name])}) for name in used) > 1:
        return
    why = "its variables have one value each" if used else "it has no variables, and there is no input"
    draws = "every draw" if use.num is None else f"each of the {-(-use.num // k):,} or more draws"
    remedy = "add {{ ... }} with values under 'variables:', or give input rows"
    yield warning(template, ("prompt",), f"{why}, so {draws} sends the same prompt, and answers soon repeat", remedy)


def repeated_values(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Values that a list has twice."""
    for path, values in _lists(template):
        seen: set[tuple[type, object]] = set()
        for i, value in enumerate(values):
            if _key(value) in seen:
                text = f"{quoted(value)} is listed more than once, and counts more than the others"
                yield warning(template, (*path, i), text, "remove it, or write weights as {value: weight}")
            seen.add(_key(value))


def null_values(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Values that are null, as an item without text is, where the prompt writes out the word."""
    for path, values in _lists(template):
        if None in values and (path == ("choices",) or _written_out(template, path[-1])):
            text = "is empty or null, which is written as the word null"
            yield warning(
                template, (*path, values.index(None)), text, "write a value, remove the item, or quote 'null'"
            )


def _lists(template: Template) -> Iterator[tuple[tuple[str, ...], tuple[Value, ...]]]:
    """The lists of values, each with its path."""
    for name, values in template.variables.items():
        if isinstance(values, tuple):
            yield ("variables", name), values
    if isinstance(template.choices, tuple):
        yield ("choices",), template.choices


def _written_out(template: Template, name: str) -> bool:
    """Whether a null of this variable appears in what the model reads; it does not where a text tests for it."""
    for text in map(compile_text, _asked(template)):
        values = {**dict.fromkeys(text.needed, ""), **draw_variables(template, 0, 0)}
        with suppress(TextProblem):
            words = [text.render({**values, name: value}).count("null") for value in (None, "")]
            if words[0] > words[1]:
                return True
    return False


def _key(value: object) -> tuple[type, object]:
    """Tells 1 from true, which are equal to Python."""
    return type(value), value


def _shows_others(template: Template) -> bool:
    """Whether each draw shows other examples before the task."""
    return len(template.examples) > 1 and bool(template.sampling.demonstrate)


def _mentioned(template: Template) -> frozenset[str]:
    conditions = [*template.keep, *filter(None, [template.output.correct])]
    texts = [
        *_asked(template),
        *(text for label in template.labels for text in (label.prompt, label.plain) if text),
        *map(as_condition, conditions),
    ]
    return _names(texts) | {label.choices for label in template.labels if label.choices}


def _asked(template: Template) -> list[str]:
    return [text for text in (template.prompt, template.system, template.prefill) if text is not None]


def _names(texts: Collection[str]) -> frozenset[str]:
    return frozenset[str]().union(*(compile_text(text).names for text in texts))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, keys included."""
    match value:
        case Mapping():
            yield from _texts([*value, *value.values()])
        case str():
            yield value
        case Iterable():
            for each in value:
                yield from _texts(each)
        case _:
            yield as_text(value)
