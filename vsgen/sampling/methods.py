"""From a method's name to its sampler; the one place to register a new one."""

from __future__ import annotations

from functools import partial

from vsgen.ports import Sampler
from vsgen.sampling.direct import cot, direct
from vsgen.sampling.settings import Settings
from vsgen.sampling.turns import multi_turn
from vsgen.sampling.verbalized import sequence, verbalized, verbalized_turns


def open_sampler(settings: Settings) -> Sampler:
    """The sampler of `settings.method`."""
    match settings.method:
        case "direct":
            return partial(direct, settings)
        case "cot":
            return partial(cot, settings)
        case "sequence":
            return partial(sequence, settings)
        case "multi-turn":
            return partial(multi_turn, settings)
        case "vs" | "vs-cot":
            return partial(verbalized, settings)
        case "vs-multi":
            return partial(verbalized_turns, settings)
