"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write rows here; appears when complete. Default: stdout."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "-m", "--model", envvar="VSGEN_MODEL", help="`tiny` (embedded), a Hugging Face id, a folder or a GGUF file."
    ),
]
Journal = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where calls and raw replies lie. Default: FILE.journal.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where a run of -o FILE ended.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write an existing FILE anew.")]
OnErrorOption = Annotated[OnError, typer.Option("--on-error", help="What to do about an input line that is no use.")]
Device = Annotated[str, typer.Option(envvar="VSGEN_DEVICE", help="auto, cpu, cuda, cuda:1, mps.")]
Dtype = Annotated[str, typer.Option(envvar="VSGEN_DTYPE", help="auto, float32, bfloat16, float16.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run Python code that comes with the model.")
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Read weights that are not safetensors; they can run code.")
]
AllowExec = Annotated[
    bool, typer.Option("--allow-exec", help="Run the outside commands of the template's checks, with your rights.")
]
Batch = Annotated[int | None, typer.Option(min=1, help="Replies that are decoded side by side.")]
NoMeta = Annotated[bool, typer.Option("--no-meta", help="Leave `meta` out of the rows.")]
ProgressOption = Annotated[ProgressMode, typer.Option("--progress", help="How to show progress on stderr.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 5 where the verdict on the rows is bad.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")]


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
