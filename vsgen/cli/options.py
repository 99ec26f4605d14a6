"""Options that several commands share, each declared once; `vsgen.cli.groups` puts together what belongs together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import typer

OnError: TypeAlias = Literal["stop", "skip"]
ProgressMode: TypeAlias = Literal["auto", "plain", "none"]

VARIABLES: Final = ("VSGEN_MODEL", "VSGEN_DEVICE", "VSGEN_DTYPE", "VSGEN_SEED", "VSGEN_ALLOW_MODEL")
"""Of the environment, each of which stands for the option of its name."""

SAMPLING: Final = "Sampling"
"""Headings of ``--help``."""
MODEL: Final = "Model"
FILES: Final = "Files"
MESSAGES: Final = "Messages"

TemplateName = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="A YAML file, or the name of a shipped template.")
]
Input = Annotated[
    str | None, typer.Argument(metavar="INPUT", help="Rows for the template's variables: JSONL, or - for stdin.")
]

Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        envvar="VSGEN_MODEL",
        rich_help_panel=MODEL,
        help="`tiny` (embedded), a Hugging Face id, a folder or a GGUF file.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, mps. Default: $VSGEN_DEVICE, or auto."),
]
Dtype = Annotated[
    str | None,
    typer.Option("--dtype", metavar="NAME", help="auto, float32, bfloat16, float16. Default: $VSGEN_DTYPE, or auto."),
]
Batch = Annotated[int | None, typer.Option("--batch", min=1, help="Replies decoded at the same time.")]
TrustRemoteCode = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run Python code that comes with the model.")
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Read weights that are not safetensors; they can run code.")
]
AllowModel = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-model",
        metavar="ID",
        help="A model that the template names, and that may be fetched; repeatable. Also: $VSGEN_ALLOW_MODEL.",
    ),
]
AllowExec = Annotated[
    bool, typer.Option("--allow-exec", help="Run the external commands of the template's checks, with your rights.")
]

Draws = Annotated[int, typer.Option("-n", "--num", metavar="N", min=1, help="Draws to show.")]

Method = Annotated[
    str | None, typer.Option("--method", help="direct, cot, sequence, multi-turn, vs, vs-cot, vs-multi, power.")
]
K = Annotated[int | None, typer.Option("-k", help="Candidates per draw.")]
Temperature = Annotated[float | None, typer.Option("--temperature", help="Of the token draw; 0 is greedy.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any template key, e.g. dedup.threshold=0.9.")
]
Seed = Annotated[
    int, typer.Option("--seed", envvar="VSGEN_SEED", metavar="N", min=0, max=2**63 - 1, help="Of all random choices.")
]

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write rows here; appears when complete. Default: stdout."),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects", metavar="FILE", rich_help_panel=FILES, help="Write what is not kept here, each with its reason."
    ),
]
Journal = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Calls and raw replies. Default: FILE.journal.")
]
Summary = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Write the counts here as JSON when all is done (docs/summary.md)."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run of -o FILE.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing FILE.")]

OnErrorOption = Annotated[
    OnError, typer.Option("--on-error", help="Stop at an input line that cannot be used, or skip it.")
]
NoMeta = Annotated[bool, typer.Option("--no-meta", help="Leave `meta` out of the rows.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with status 5 if the verdict on the rows is bad.")]
Progress = Annotated[ProgressMode, typer.Option("--progress", help="How to show progress on stderr.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", rich_help_panel=MESSAGES, help="Print errors only.")]
