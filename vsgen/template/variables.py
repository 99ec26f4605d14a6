"""Draws the variables of a template."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from vsgen.template.schema import Template, Value


def draw_variables(template: Template, seed: int, draw: int) -> dict[str, object]:
    """Draw one value of each variable, by its weights.

    Each variable has a generator of its own, made from (seed, draw, name), so that adding a variable, or changing one,
    leaves what is drawn for the others as it was.
    """
    return {name: _draw(values, Random(f"{seed}/{draw}/{name}")) for name, values in template.variables.items()}


def _draw(values: tuple[Value, ...] | Mapping[Value, float], rng: Random) -> Value:
    if isinstance(values, tuple):
        return rng.choice(values)
    return rng.choices(list(values), list(values.values()))[0]
