"""What ``--dry-run`` prints: calls, tokens and cost, part by part, as a table or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vsgen.cli.printed import Heading
from vsgen.jobs.plan import Load, Part, Plan
from vsgen.money import dollars

_HEADER: Final = ("", "calls", "prompt tokens", "reply tokens", "USD", "at most USD")
_COUNTED: Final = "scores count as one call each: servers that cannot score all classes at once take several"


def plan_lines(plan: Plan, max_cost: float | None) -> Iterator[str]:
    """A table, and what is to be known of its figures.

    Args:
        plan: What to print.
        max_cost: The budget in USD, if there is one.
    """
    yield Heading(f"── estimate, {_scope(plan)} ──")
    cells = [_HEADER, *map(_cells, plan.parts), _row("total", plan.expected, plan.usd, plan.most_usd)]
    cells.append(_row("at most", plan.most, plan.most_usd, None))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for name, *rest in cells:
        columns = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *columns]).rstrip()
    yield ""
    yield from _notes(plan, max_cost)


def plan_json(plan: Plan) -> str:
    """The same for programs; see docs/budgets.md."""
    whole = {"noun": plan.noun, "units": plan.units, "rows": plan.rows}
    parts = [{"name": one.name, "model": one.model, **_figures(one.expected, one.expected.usd(one.prices)),
              "most": _figures(one.most, one.most.usd(one.prices))} for one in plan.parts]  # fmt: skip
    total = {**_figures(plan.expected, plan.usd), "most": _figures(plan.most, plan.most_usd)}
    return json.dumps({**whole, **total, "parts": parts}, indent=2)


def _scope(plan: Plan) -> str:
    if plan.units is None:
        return f"for one of the {plan.noun}, since their number is not known"
    return plan.scope or f"{plan.units:,} {plan.noun if plan.units != 1 else plan.noun.removesuffix('s')}"


def _cells(part: Part) -> tuple[str, ...]:
    return _row(_name(part), part.expected, part.expected.usd(part.prices), part.most.usd(part.prices))


def _name(part: Part) -> str:
    """A file's model by the file's own name, without its folders."""
    model = part.model
    return part.name.replace(model, Path(model).name) if model.endswith(".gguf") else part.name


def _row(name: str, load: Load, usd: float | None, most: float | None) -> tuple[str, ...]:
    counts = (f"{math.ceil(count):,}" for count in (load.calls, load.prompt, load.reply))
    return (name, *counts, _usd(usd), _usd(most))


def _usd(usd: float | None) -> str:
    return "" if usd is None else dollars(usd)


def _notes(plan: Plan, max_cost: float | None) -> Iterator[str]:
    if plan.noun == "draws":
        yield "if all answers are valid and new: repeats, rejects and repairs take more draws"
    if any(part.expected.calls == part.expected.reply for part in plan.parts):
        yield _COUNTED
    if free := [_name(part) for part in plan.parts if part.prices is None]:
        yield f"without prices: {', '.join(free)} (`prices:` in the template, or --set prices.input=...)"
    if max_cost is not None and plan.usd is not None:
        over = "more" if plan.usd > max_cost else "no more"
        yield f"--max-cost {dollars(max_cost)}: the estimate is {over} than that"


def _figures(load: Load, usd: float | None) -> dict[str, object]:
    return {
        "calls": math.ceil(load.calls),
        "prompt_tokens": math.ceil(load.prompt),
        "reply_tokens": math.ceil(load.reply),
        "cost": None if usd is None else round(usd, 9),
    }
