"""What the tokens of a model cost: section `prices` of a template, and of a label that another model makes."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from vsgen.sections.section import Section
from vsgen.values import Usage

_MILLION: Final = 1_000_000


class Prices(Section):
    """What the tokens of the model cost, in USD per million."""

    input: float = Field(ge=0)
    """USD for a million tokens of prompts."""
    output: float = Field(ge=0)
    """USD for a million tokens of replies; hidden reasoning counts."""
    cached: float | None = Field(default=None, ge=0)
    """USD for a million tokens of prompts that the server has in its cache; by default the price of `input`."""

    def usd(self, usage: Usage) -> float:
        """What so many tokens cost, USD."""
        cached = min(usage.cached, usage.prompt)
        for_cached = self.input if self.cached is None else self.cached
        micro = (usage.prompt - cached) * self.input + cached * for_cached + usage.drawn * self.output
        return micro / _MILLION
