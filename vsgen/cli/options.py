"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import typer

OnError: TypeAlias = Literal["stop", "skip"]
ProgressMode: TypeAlias = Literal["auto", "plain", "none"]
TemplateName = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="A YAML file, or the name of a shipped template.")
]
Input = Annotated[
    str | None, typer.Argument(metavar="INPUT", help="Rows for the template's variables: JSONL, or - for stdin.")
]
Method = Annotated[
    str | None, typer.Option("--method", help="direct, cot, sequence, multi-turn, vs, vs-cot, vs-multi, power.")
]
K = Annotated[int | None, typer.Option("-k", help="Candidates per draw.")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="Of the token draw; 0 is greedy.")]
Seed = Annotated[int, typer.Option("--seed", envvar="VSGEN_SEED", min=0, max=2**63 - 1, help="Of the whole run.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any template key, e.g. dedup.threshold=0.9.")
]


def overrides(
    sets: Sequence[str] | None,
    *,
    method: str | None = None,
    k: int | None = None,
    temperature: float | None = None,
    no_dedup: bool = False,
) -> list[str]:
    """All flags that stand for template keys, as ``key=value``; a named flag goes before ``--set``."""
    named = {"sampling.method": method, "sampling.k": k, "sampling.temperature": temperature}
    given = [f"{key}={value}" for key, value in named.items() if value is not None]
    return [*(sets or ()), *given, *(["dedup=false"] if no_dedup else [])]
