"""What a task template may say about worked examples and about models of different sizes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import field_validator

from vsgen.sections.misfit import ROOT, Misfit, Path, TextProblem, likeliest
from vsgen.sections.sandbox import compile_text
from vsgen.sections.section import Section

Size: TypeAlias = Literal["small", "large"]

PROBABILITY = "probability"
REASONING = "reasoning"
UNSUITED = "unsuited"
"""Among recommended settings, the key that says why they do not suffice."""


class Recommended(Section):
    """Settings by the size of the model that is asked, or why a model of that size is of no use."""

    small: dict[str, Any] | str | None = None
    """For models of at most 3 billion parameters (behind a URL: by the model's name): keys and values as `--set` takes
    them, such as `sampling.method: direct`; or a text that says why they are not suited. With both, the text is the key
    `unsuited`."""
    large: dict[str, Any] | str | None = None
    """For larger models, and for those of unknown size."""

    @field_validator("small", "large")
    @classmethod
    def _said_in_words(cls, found: dict[str, Any] | str | None) -> dict[str, Any] | str | None:
        why = found.get(UNSUITED, "-") if isinstance(found, dict) else "-"
        if not isinstance(why, str) or not why.strip():
            raise Misfit(((UNSUITED,), f"must be text, got {why!r}"))
        return found

    def unsuited(self, size: Size) -> str | None:
        """Why models of a size cannot serve; None if nothing is said against them."""
        found = self.small if size == "small" else self.large
        if isinstance(found, dict):
            return str(found[UNSUITED]) if UNSUITED in found else None
        return found


def check_examples(
    examples: tuple[dict[str, Any], ...], output: Any, prompt: str, variables: Collection[str] = ()
) -> None:
    """Check worked examples.

    Args:
        examples: Each the fields of one answer, and optionally its probability, the reasoning that leads to it, and
            values of the prompt's variables.
        output: The template's `Output`.
        prompt: The task, as Jinja.
        variables: Names of the template's variables.

    Raises:
        Misfit: What does not fit, with its place; a variable that the prompt should name is a problem of the prompt.
    """
    known = {*output.fields, PROBABILITY, REASONING, *compile_text(prompt).names}
    unused = [name for name in dict.fromkeys(name for one in examples for name in one)
              if name in variables and name not in known]  # fmt: skip
    problems: list[tuple[Path, str | TextProblem]] = [((ROOT, "prompt"), _unused(x, prompt, variables)) for x in unused]
    for i, one in enumerate(examples):
        problems += _problems(i, one, output, known | set(unused))
    if problems:
        raise Misfit(*problems)


def _unused(name: str, prompt: str, variables: Collection[str]) -> TextProblem:
    """Why a prompt does not name a variable that examples have: it is misspelled there, or missing."""
    meant = likeliest(name, sorted(compile_text(prompt).needed - set(variables)))
    word = re.search(rf"\b{re.escape(meant or name)}\b", prompt)
    line = prompt.count("\n", 0, word.start() if word else 0) + 1
    if meant:
        return TextProblem(f"no variable {meant!r}; did you mean {name!r}?", line)
    return TextProblem(f"does not use {{{{ {name} }}}}, but the examples have values of it; write it there", line)


def _problems(i: int, one: Mapping[str, Any], output: Any, known: Collection[str]) -> Iterator[tuple[Path, str]]:
    answer = {name: one[name] for name in output.fields if name in one}
    if problem := output.problem(answer):
        yield (i,), f"does not fit the output: {problem}"
    stated = one.get(PROBABILITY)
    if stated is not None and (isinstance(stated, bool) or not isinstance(stated, int | float) or not 0 < stated <= 1):
        yield (i, PROBABILITY), f"must be a number above 0 and at most 1, got {stated!r}"
    if REASONING in one and not isinstance(one[REASONING], str):
        yield (i, REASONING), f"must be text, got {one[REASONING]!r}"
    for name in one:
        if name not in known:
            meant = likeliest(str(name), sorted(known))
            guess = f"; did you mean {meant!r}?" if meant else ""
            yield (i, str(name)), f"{name!r} is neither a field of the output nor a variable of the prompt{guess}"
