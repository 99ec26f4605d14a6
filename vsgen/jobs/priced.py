"""Which models of a template have prices, and that those are there which a budget in USD needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vsgen.errors import OptionError
from vsgen.sections.prices import Prices
from vsgen.template.schema import Template

if TYPE_CHECKING:
    from vsgen.jobs.wanted import Wanted


def prices_of(template: Template, model: str) -> Mapping[str, Prices]:
    """What tokens cost, by the names under which models are asked.

    Args:
        template: Whose section `prices` is that of the model that writes; labels with a model of their own, and an
            embedder behind a URL, have their own.
        model: That writes.
    """
    dedup = template.dedup or None
    embedder = {dedup.place: dedup.prices} if dedup and dedup.prices else {}
    return {**embedder, **template.priced, **({model: template.prices} if template.prices else {})}


def require_prices(max_cost: float | None, models: Wanted, template: Template) -> None:
    """Refuse a budget in USD where the price of a model is not known.

    Args:
        max_cost: The budget; None where there is none.
        models: That may be asked.
        template: Where their prices are.

    Raises:
        OptionError: A model behind a URL has no prices, or no model has.
    """
    if max_cost is None:
        return
    unknown = [name for name in models.services if name not in models.prices]
    if models.prices and not unknown:
        return
    name = unknown[0] if unknown else models.asked
    where, keys = _section(name, models, template)
    example = " ".join(f"--set {keys}.{key}={usd}" for key, usd in (("input", "0.15"), ("output", "0.60")))
    remedy = f"add 'prices:' {where}, in USD per million tokens, or give {example}"
    raise OptionError(f"--max-cost: {template.source}: the prices of {name} are not known; {remedy}")


def _section(name: str, models: Wanted, template: Template) -> tuple[str, str]:
    """Where the prices of a model belong: in words, and as a key."""
    if name != models.asked:
        if name == models.embedder:
            return "to 'dedup'", "dedup.prices"
        for i, label in enumerate(template.labels):
            if any(judge.name == name for judge in label.judges):
                return f"to label {label.name}", f"labels.{i}.prices"
    return "to the template", "prices"
