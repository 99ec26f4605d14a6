"""Loads a template: reads it, applies ``--set``, checks it, and reports every problem at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, get_args

from pydantic import ValidationError

from vsgen.errors import TemplateError
from vsgen.template.examples import UNSUITED, Size
from vsgen.template.find import find, text_of
from vsgen.template.gold import with_rows
from vsgen.template.messages import problems, show
from vsgen.template.named import named
from vsgen.template.nodes import Node, Problem, Scalar, YamlProblem, node_of, plain, read
from vsgen.template.overrides import lay_over, override
from vsgen.template.schema import Template

GIVEN: Final = "template"
"""What messages call a template that comes as a mapping."""
_MOST: Final = 100
"""Problems that are listed."""


def load_template(
    source: str | Mapping[str, object],
    overrides: Sequence[str] = (),
    size: Size | None = None,
    *,
    examples: str | None = None,
) -> Template:
    """Load a template.

    Args:
        source: A path (it ends in .yaml or .yml, has a separator in it, or is a file), a shipped template's name, or
            what such a file says.
        overrides: Settings ``key=value`` that change single values; later ones win.
        size: Of the model that will be asked, whose recommended settings come before the overrides; None leaves the
            template as it is written, and only checks what it recommends.
        examples: A file whose rows are the examples of the labels, in place of the template's own.

    Raises:
        TemplateError: It cannot be found, read or used; one line for each problem, in the order of the file.
    """
    root, found, label = _read(source)
    if not isinstance(root.value, dict):
        got = show(plain(root))
        raise TemplateError(f"{root.where}: a template is a mapping with version, name and prompt, got {got}")
    if size is not None:
        template = _overridden(_recommended(root, size, found), found, overrides, label, examples)
        template._fitted = size if _recommendation(root, size) else None
        return template
    for each in get_args(Size):
        if _recommendation(root, each):
            _check_recommended(root, each, found, label)
    return _overridden(root, found, overrides, label, examples)


def _read(source: str | Mapping[str, object]) -> tuple[Node, list[Problem], str]:
    """The document, what is wrong with it as YAML, and what messages call it."""
    if isinstance(source, Mapping):
        return _given(source, GIVEN), [], GIVEN
    file, label = find(source)
    try:
        return *read(text_of(file, label), label), label
    except YamlProblem as problem:
        raise TemplateError(str(problem)) from None


def _given(document: Mapping[str, object], source: str) -> Node:
    try:
        return node_of(document, source)
    except YamlProblem as problem:
        raise TemplateError(str(problem)) from None


def template_of(
    document: Mapping[str, object], source: str, overrides: Sequence[str] = (), *, examples: str | None = None
) -> Template:
    """A template that was put together from flags.

    Args:
        document: What its file would say.
        source: What messages call it.
        overrides: As for `load_template`.
        examples: As for `load_template`.

    Raises:
        TemplateError: As for `load_template`.
    """
    return _overridden(_given(document, source), [], overrides, source, examples)


def _recommendation(root: Node, size: Size) -> Mapping[Scalar, Node]:
    """What a template recommends for a size, if it is a mapping of keys to values."""
    section = root.value.get("recommended") if isinstance(root.value, dict) else None
    found = section.value.get(size) if section and isinstance(section.value, dict) else None
    settings = found.value if found and isinstance(found.value, dict) else {}
    return {key: value for key, value in settings.items() if key != UNSUITED}


def _check_recommended(root: Node, size: Size, found: list[Problem], label: str) -> None:
    problems: list[Problem] = []
    fitted = _overridden(_recommended(root, size, problems), [*problems, *found], (), label)
    with suppress(TemplateError):  # of the template as it stands, which is reported later
        asked = {one.name for one in _overridden(root, [*found], (), label).named}
        if strange := [one.where for one in fitted.named if one.name not in asked]:
            why = f"recommended.{size} cannot name another model, since all are opened before a size is known"
            problems.append(Problem(0, f"{strange[0]}: {why}"))
    if problems:
        raise TemplateError(problems[0].text)


def _recommended(root: Node, size: Size, found: list[Problem]) -> Node:
    """The template with what it recommends laid over it; a problem there names its line."""
    for key, value in _recommendation(root, size).items():
        try:
            root = lay_over(root, str(key), value)
        except YamlProblem as problem:
            found.append(Problem(value.line, str(problem)))
    return root


def _overridden(
    root: Node, found: list[Problem], overrides: Sequence[str], label: str, examples: str | None = None
) -> Template:
    for setting in overrides:
        try:
            root = override(root, setting)
        except YamlProblem as problem:
            found.append(Problem(0, str(problem)))
    try:
        root = with_rows(root, label, examples)
    except YamlProblem as problem:
        raise TemplateError(_listed([Problem(0, str(problem)), *found])) from None
    return _checked(root, found, label)


def _checked(root: Node, found: list[Problem], label: str) -> Template:
    try:
        template = Template.model_validate(plain(root))
    except ValidationError as error:
        found += [problem for each in error.errors(include_url=False) for problem in problems(each, root)]
    if found:
        raise TemplateError(_listed(sorted(found, key=lambda problem: problem.line)))
    template._source = label
    template._root = root
    template._named = tuple(named(template, root, label))
    return template


def _listed(found: Sequence[Problem]) -> str:
    lines = [problem.text for problem in found[:_MOST]]
    more = f"{len(found) - _MOST:,} more problems; fix these first"
    return "\n".join([*lines, more] if len(found) > _MOST else lines)
