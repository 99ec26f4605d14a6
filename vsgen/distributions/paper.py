"""The prompts of arXiv 2605.11845: 1,988 to train on, 591 with unseen parameters and 92 of unseen families."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsgen.distributions.discretise import Grid, discretise
from vsgen.distributions.families import Family, Params
from vsgen.distributions.grids import settings
from vsgen.distributions.names import Split
from vsgen.distributions.target import Target
from vsgen.values import Message, Prompt


def paper_targets(
    families: Sequence[Family], splits: Sequence[Split], grid: Grid, *, selected: bool = False
) -> Iterator[Target]:
    """The targets of some families, made as they are asked for: split by split, in the paper's order.

    Args:
        families: Those wanted.
        splits: Those wanted.
        grid: How finely.
        selected: Only the settings that the paper's own evaluation prints; none of them is in the train split.
    """
    grid.check()
    for split in splits:
        for family in families:
            for params in settings(family, split, selected=selected):
                yield _target(family, params, split, grid)


def _target(family: Family, params: Params, split: Split, grid: Grid) -> Target:
    named = ",".join(f"{name}={value}" for name, value in params.items())
    values, probs = discretise(family, params, grid)
    return Target(
        id=f"{family.name}/{named}",
        family=family.name,
        params=params,
        prompt=Prompt((Message("user", family.prompt(params)),)),
        values=values,
        probs=probs,
        split=split,
        details={"grid": _made(family, grid), "scipy": {"name": family.scipy, "args": family.args(params)}},
        numeric=True,
    )


def _made(family: Family, grid: Grid) -> dict[str, object]:
    if family.whole:
        return {"kind": "whole", "max_bins": grid.max_bins, "q_lo": grid.q_lo, "q_hi": grid.q_hi}
    made: dict[str, object] = {"kind": grid.kind, "decimals": grid.decimals, "max_bins": grid.max_bins}
    return made | ({"q_lo": grid.q_lo, "q_hi": grid.q_hi, "tails": "edge"} if grid.kind == "linear" else {})
