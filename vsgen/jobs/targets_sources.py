"""Where targets come from: the paper's families, a template's `choices`, or rows that a run wrote."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from vsgen.distributions.families import Family, Params, pick_families
from vsgen.distributions.grids import settings
from vsgen.distributions.names import SPLITS
from vsgen.distributions.paper import paper_targets
from vsgen.distributions.target import Target, normalized
from vsgen.errors import InputError, OptionError, TemplateError
from vsgen.files.mistaken import without_rows
from vsgen.files.rows import RowInput
from vsgen.jobs.targets_options import TargetChoice
from vsgen.template.answer import as_text
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template, Value
from vsgen.values import Prompt, Row

_MOST_PROMPTS = 10_000
_LOST = 1e-3
"""A share of probability that rounding in the rows explains."""


def open_template(choice: TargetChoice) -> Template | None:
    """The template of a choice; None stands for the paper's families.

    Raises:
        TemplateError: It cannot be used.
    """
    return None if choice.template is None else load_template(choice.template, choice.overrides)


def open_input(choice: TargetChoice) -> RowInput | None:
    """The rows of a choice, be they for the template's variables or what a run wrote; None where it has none."""
    source = choice.input or choice.rows
    return None if source is None else RowInput(source)


def find_targets(
    choice: TargetChoice, template: Template | None, rows: RowInput | None, warn: Callable[[str], None]
) -> Iterator[Target]:
    """The targets of a choice, made as they are asked for.

    Args:
        choice: Which; checked and settled.
        template: The choice's.
        rows: The choice's.
        warn: Gets what the user should know.

    Raises:
        OptionError: A family is unknown, or nothing is left of what was asked for.
        TemplateError: The template has no choices.
        InputError: A row cannot be used; names its line.
    """
    if template is None:
        targets = _paper(choice)
    elif choice.rows is not None and rows is not None:
        targets = _written(choice, rows, template, warn)
    else:
        targets = _choices(rows, template)
    return islice(targets, choice.limit)


def count_targets(choice: TargetChoice) -> int | None:
    """How many targets a choice has, where that is known before they are made."""
    if choice.template is not None:
        return None
    count = sum(1 for _ in _paper_settings(choice, pick_families(choice.families)))
    return count if choice.limit is None else min(count, choice.limit)


def _paper(choice: TargetChoice) -> Iterator[Target]:
    families = pick_families(choice.families)
    for one in families if choice.families else ():
        if next(_paper_settings(choice, [one]), None) is None:
            raise OptionError(f"--family: {one.name} has no prompts in {_named(choice)}; it has some in {_there(one)}")
    return paper_targets(families, choice.splits, choice.fineness, selected=choice.selected)


def _named(choice: TargetChoice) -> str:
    return f"split {' or '.join(choice.splits)}"


def _there(family: Family) -> str:
    """The splits in which a family has prompts, as flags."""
    return " and ".join(f"--split {split}" for split in SPLITS if any(True for _ in settings(family, split)))


def _paper_settings(choice: TargetChoice, families: Sequence[Family]) -> Iterator[Params]:
    for split in choice.splits:
        for one in families:
            yield from settings(one, split, selected=choice.selected)


def _choices(rows: RowInput | None, template: Template) -> Iterator[Target]:
    """One target for each different prompt that the variables and the input rows make."""
    if template.choices is None:
        raise TemplateError(
            f"{template.source}: choices: missing; list the right answers there, or give --from ROWS that a run wrote"
        )
    values, probs = normalized(_weights(template.choices), f"{template.source}: choices")
    render, seen = Renderer(template), set[Prompt]()
    for params in _settings(rows, template, render):
        prompt = render.prompt(params)
        if prompt not in seen:
            used = {name: params[name] for name in sorted(render.variables() & params.keys())}
            yield Target(f"{template.name}/{len(seen):06d}", template.name, used, prompt, values, probs)
            seen.add(prompt)


def _settings(given: RowInput | None, template: Template, render: Renderer) -> Iterator[dict[str, object]]:
    """Each input row with every combination of the variables that it leaves open."""
    some = False
    for row in [Row(0)] if given is None else given.rows():
        some = True
        free = {
            name: tuple(values)
            for name, values in template.variables.items()
            if name in render.variables() and name not in row.fields
        }
        count = math.prod(map(len, free.values()))
        if count > _MOST_PROMPTS:
            raise OptionError(
                f"{template.source}: its variables make {count:,} prompts, more than {_MOST_PROMPTS:,}; "
                "give those wanted as INPUT rows"
            )
        for values in product(*free.values()):
            yield {**dict(zip(free, values, strict=True)), **row.fields}
    if given is not None and not some:
        raise without_rows(given.name)


@dataclass(slots=True)
class _Group:
    """The rows of one prompt."""

    params: Mapping[str, object]
    weights: dict[str, float] = field(default_factory=dict)
    draws: set[str] = field(default_factory=set)
    rows: int = 0


def _written(choice: TargetChoice, rows: RowInput, template: Template, warn: Callable[[str], None]) -> Iterator[Target]:
    """One target per prompt: the mean of its draws' distributions, so far as their rows were kept."""
    on = choice.on or template.output.fields[0]
    if on not in template.output.fields:
        raise OptionError(f"--on: {on!r} is not an output field of {template.source}; there are: {_listed(template)}")
    source = rows.name
    groups = _grouped(rows, template, on, warn)
    kept = math.fsum(weight for group in groups.values() for weight in group.weights.values())
    gone = _unseen(groups.values())
    draws = sum(len(group.draws) for group in groups.values()) + gone
    if kept < draws * (1 - _LOST):
        without = f", {gone} of which left no row" if gone else ""
        warn(
            f"{source}: holds at most {100 * kept / draws:.3g}% of its {draws} draws' probability{without}; the rest "
            "was skipped or dropped (repeats too), which flattens the targets; vsgen run --no-dedup keeps repeats"
        )
    for number, (prompt, group) in enumerate(groups.items()):
        values, probs = normalized(group.weights, f"{source}: {template.name}/{number:06d}")
        made = {"from": {"rows": group.rows, "draws": len(group.draws)}}
        yield Target(f"{template.name}/{number:06d}", template.name, group.params, prompt, values, probs, details=made)


def _unseen(groups: Iterable[_Group]) -> int:
    """How many draws left no row: the gaps in the numbers of the ids. Of draws after the last row nothing is known."""
    names = {draw.rpartition("/")[2] for group in groups for draw in group.draws}
    numbers = {int(name) for name in names if name.isdecimal()}
    return max(numbers, default=-1) + 1 - len(numbers)


def _grouped(rows: RowInput, template: Template, on: str, warn: Callable[[str], None]) -> dict[Prompt, _Group]:
    render, name = Renderer(template), f"{template.name}@{template.digest}"
    groups: dict[Prompt, _Group] = {}
    strange: dict[str, str] = {}
    unstated = 0
    source = rows.name
    for row in rows.rows():
        meta = row.fields.get("meta")
        if not isinstance(meta, dict) or not isinstance(meta.get("variables"), dict):
            remedy = "give rows that `vsgen run` wrote, without --no-meta"
            raise InputError(f"{row.where}: meta.variables: missing, so its prompt is not known; {remedy}")
        if meta.get("template") != name:
            strange.setdefault(str(meta.get("template")), row.where)
        unstated += meta.get("basis") == "uniform"
        params: dict[str, object] = meta["variables"]
        group = groups.setdefault(render.prompt(params), _Group(params))
        answer = _answer(row, on)
        group.weights[answer] = group.weights.get(answer, 0.0) + _probability(row)
        group.draws.add(str(row.fields.get("id", row.where)).rpartition(".")[0])
        group.rows += 1
    if not groups:
        raise InputError(f"{source}: has no rows; give rows that `vsgen run` wrote")
    for other, where in strange.items():
        warn(f"{where}: was made with {other}, and this is {name}; the prompts are those of {template.source}")
    if unstated:
        warn(f"{source}: in {unstated} rows the model stated no probabilities, so all answers of a draw count the same")
    return groups


def _answer(row: Row, on: str) -> str:
    if on not in row.fields:
        raise InputError(f"{row.where}: {on}: missing; choose the field that holds the answer with --on")
    return as_text(row.fields[on])


def _probability(row: Row) -> float:
    value = row.fields.get("probability")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        got = "nothing" if "probability" not in row.fields else as_text(value)
        raise InputError(
            f"{row.where}: probability: must be a number from 0 to 1, got {got}; vsgen does not invent one"
        )
    return float(value)


def _listed(template: Template) -> str:
    return ", ".join(template.output.fields)


def _weights(choices: tuple[Value, ...] | Mapping[Value, float]) -> dict[str, float]:
    """Each answer's weight; answers that are written alike are one."""
    pairs = choices.items() if isinstance(choices, Mapping) else [(one, 1.0) for one in choices]
    weights: dict[str, float] = {}
    for value, weight in pairs:
        weights[as_text(value)] = weights.get(as_text(value), 0.0) + weight
    return weights
