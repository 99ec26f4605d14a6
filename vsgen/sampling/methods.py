"""From a method's name to its sampler; the one place to register a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Final

from vsgen.flow import Flow
from vsgen.ports import Sampler
from vsgen.sampling.direct import cot, direct
from vsgen.sampling.settings import Method, Settings
from vsgen.sampling.turns import multi_turn
from vsgen.sampling.verbalized import sequence, verbalized, verbalized_turns
from vsgen.values import Distribution, Prompt


def _power(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    from vsgen.sampling.power.method import power  # a room of its own, which no other method needs

    return power(settings, prompt, rng)


_METHODS: Final[Mapping[Method, Callable[[Settings, Prompt, Random], Flow[Distribution]]]] = {
    "direct": direct,
    "cot": cot,
    "sequence": sequence,
    "multi-turn": multi_turn,
    "vs": verbalized,
    "vs-cot": verbalized,
    "vs-multi": verbalized_turns,
    "power": _power,
}


def open_sampler(settings: Settings) -> Sampler:
    """The sampler of a method."""
    return partial(_METHODS[settings.sampling.method], settings)
