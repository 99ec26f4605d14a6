"""Renders a template's texts into prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsgen.errors import TemplateError
from vsgen.labels.settings import Label
from vsgen.sections.misfit import TextProblem
from vsgen.sections.sandbox import compile_text
from vsgen.template.final import ANSWER, as_condition
from vsgen.template.keep import CORRECT, OWN, clause
from vsgen.template.messages import nearest, show
from vsgen.template.schema import Template
from vsgen.values import Message, Prompt

_CORRECT = "output.correct"
_KEEP = "keep"
_REMEDY = "give values under 'variables:' or as fields of the input rows"


class Renderer:
    """Turns values into the prompts of one template."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._source = template.source
        self._texts = {"prompt": template.prompt}
        if template.system is not None:
            self._texts["system"] = template.system
        if template.prefill is not None:
            self._texts["prefill"] = template.prefill
        self._needed = {where: compile_text(text).needed for where, text in self._texts.items()}
        for label in template.labels:
            self._needed[_place(label)] = _needs(label) - set(template.output.fields)
        self._correct = template.output.correct
        if self._correct is not None:
            needed = compile_text(as_condition(self._correct)).needed
            self._needed[_CORRECT] = needed - {ANSWER, *template.output.fields}
        own = _own(template)
        self._needed |= {f"{_KEEP}.{i}": clause(text).needed - own.keys() for i, text in enumerate(template.keep)}
        self._known = ", ".join(dict.fromkeys((*own, *template.variables)))
        self._variables = frozenset[str]().union(*self._needed.values())

    def variables(self) -> frozenset[str]:
        """Names needed from outside: those of the prompt and, but for the answer's own fields, those of the labels."""
        return self._variables

    def prompt(self, values: Mapping[str, object]) -> Prompt:
        """The system message, if any, the task as a user message, and the beginning of the reply.

        Where the template wants no chat, the prompt is plain text that any model continues.

        Args:
            values: The drawn variables and, over them, the input row's fields.

        Raises:
            TemplateError: Variables are missing (all are named, those of the labels too, before anything is paid for),
                or a text cannot be rendered with these values.
        """
        lines = [line for where, needed in self._needed.items() if (line := self._missing(where, needed, values))]
        if lines:
            raise TemplateError("\n".join(lines))
        if self._correct is not None and ANSWER in values:
            raise TemplateError(
                f"{self._source}: {_CORRECT}: {ANSWER!r} means the reply's answer here, but is also a "
                "variable or a field of the row; rename that"
            )
        if not self._template.chat:
            return Prompt(prefill=self.request(values))
        user = Message("user", self.request(values))
        prefill = self._render("prefill", self._texts["prefill"], values) if "prefill" in self._texts else ""
        if "system" not in self._texts:
            return Prompt((user,), prefill)
        return Prompt((Message("system", self._render("system", self._texts["system"], values)), user), prefill)

    def request(self, values: Mapping[str, object]) -> str:
        """The task itself, without the rest of the prompt.

        Raises:
            TemplateError: As for `prompt`.
        """
        return self._render("prompt", self._texts["prompt"], values, strip=self._template.chat)

    def label(self, label: Label, values: Mapping[str, object]) -> str:
        """The question of a label.

        Args:
            label: One of the template's labels.
            values: As for `prompt`, and over them the candidate's fields.

        Raises:
            TemplateError: As for `prompt`.
        """
        if line := self._missing(_place(label), _needs(label), values):
            raise TemplateError(line)
        return self._render(_place(label), label.wording, values)

    def correct(self, answer: str | None, values: Mapping[str, object]) -> bool | None:
        """Whether a final answer is right; None where the template does not say what is.

        Args:
            answer: Of a candidate; no answer is not right.
            values: As for `label`.

        Raises:
            TemplateError: The template's expression cannot be evaluated with these values.
        """
        if self._correct is None:
            return None
        if answer is None:
            return False
        return bool(self._fill(_CORRECT, as_condition(self._correct), {**values, ANSWER: answer}))

    def _missing(self, where: str, needed: frozenset[str], values: Mapping[str, object]) -> str:
        if not (names := needed - values.keys()):
            return ""
        first, *more = sorted(names)
        noun = "variables" if more else "variable"
        guess = "" if more else nearest(first, list({**self._template.variables, **values}))
        listed = ", ".join(map(show, (first, *more)))
        place = self._template.place(self._path(where), first)
        clause, remedy = self._kept(where)
        otherwise = f"{guess} Otherwise {remedy}" if guess else f"; {remedy}"
        return f"{place}: {where}: missing {noun} {listed}{clause}{otherwise}"

    def _kept(self, where: str) -> tuple[str, str]:
        """The clause of `keep` that lacks a name, and what to do; without a clause for other places."""
        if not where.startswith(_KEEP):
            return "", _REMEDY
        clause = show(self._template.keep[int(where.rpartition(".")[2])])
        return f" in {clause}", f"put quotes around a text, or {_REMEDY} (it may name {self._known})"

    def _path(self, where: str) -> Sequence[str | int]:
        """The path in the template of what messages name so."""
        for number, label in enumerate(self._template.labels):
            if where == _place(label):
                return "labels", number, "prompt" if label.wording == label.prompt else "plain"
        return [int(step) if step.isdecimal() else step for step in where.split(".")]

    def _render(self, where: str, text: str, values: Mapping[str, object], *, strip: bool = True) -> str:
        rendered = self._fill(where, text, values, strip=strip)
        if not rendered:
            raise TemplateError(f"{self._source}: {where}: renders to an empty text")
        return rendered

    def _fill(self, where: str, text: str, values: Mapping[str, object], *, strip: bool = True) -> str:
        try:
            return compile_text(text).render(values, strip=strip)
        except TextProblem as problem:
            raise TemplateError(f"{self._source}: {where}: {problem}") from None


def _own(template: Template) -> dict[str, None]:
    """What a clause of `keep` may name without its being given from outside, in order."""
    optional = {ANSWER: template.output.answer, CORRECT: template.output.correct}
    given = (name for name, section in optional.items() if section is not None)
    return dict.fromkeys((*template.output.fields, *OWN, *given))


def _place(label: Label) -> str:
    return f"label {label.name}"


def _needs(label: Label) -> frozenset[str]:
    named = {label.choices} if label.choices else set()
    return label.needed | named
