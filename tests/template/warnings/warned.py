"""Templates for the tests of warnings."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.template.load import load_template
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import Rule, Use

PLAIN: dict[str, object] = {
    "version": 1,
    "name": "made",
    "prompt": "Review a {{ product }}.",
    "variables": {"product": ["kettle", "lamp"]},
}


def made(*overrides: str, **keys: object) -> Template:
    """A template without a doubt about it, with other keys; None takes one away."""
    return load_template({key: value for key, value in {**PLAIN, **keys}.items() if value is not None}, overrides)


def found(rule: Rule, template: Template, use: Use | None = None) -> Sequence[str]:
    """What a rule says."""
    return [str(one) for one in rule(template, use or Use())]
