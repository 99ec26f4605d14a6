"""Options that several commands share, each declared once; `vsgen.cli.groups` puts together what belongs together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import typer

from vsgen.cli.origin import with_origin
from vsgen.errors import OptionError
from vsgen.sampling.names import Method as MethodName

OnError: TypeAlias = Literal["stop", "skip"]
WireChoice: TypeAlias = Literal["auto", "chat", "completions", "messages"]
ProgressMode: TypeAlias = Literal["auto", "plain", "none"]

VARIABLES: Final = (
    "VSGEN_MODEL",
    "VSGEN_ENDPOINT",
    "VSGEN_DEVICE",
    "VSGEN_DTYPE",
    "VSGEN_BATCH",
    "VSGEN_ALLOW_MODEL",
    "VSGEN_SEED",
    "VSGEN_PROGRESS",
)
"""Of the environment: each is the default of the option of its name (docs/environment.md)."""

OPENAI_BASE: Final = "OPENAI_BASE_URL"
"""The variable that other programs read for an endpoint; ours goes before it."""

OUTPUT: Final = "Output"
"""Headings of ``--help``. A command's own headings stand before these, which come in this order."""
MODEL: Final = "Model"
ENDPOINT: Final = "Endpoint"
SAMPLING: Final = "Sampling"
BUDGET: Final = "Budget"
EXPERT: Final = "Expert"
PANELS: Final = (OUTPUT, MODEL, ENDPOINT, SAMPLING, BUDGET, EXPERT)


def some_model(option: typer.CallbackParam, value: str | None) -> str | None:
    """The name of a model, unless it is empty: then a shell's variable was not set, and no default is meant.

    Raises:
        OptionError: It is empty.
    """
    if value is not None and not value.strip():
        raise OptionError(f"--{option.name}: is empty; name a model, or leave the option out")
    return value


TemplateName = Annotated[
    str, typer.Argument(metavar="TEMPLATE", help="A YAML file, or the name of a shipped template (vsgen templates).")
]
Input = Annotated[
    str | None,
    typer.Argument(metavar="INPUT", help="Rows with values for the template's variables: JSONL, or - for stdin."),
]

Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        envvar="VSGEN_MODEL",
        callback=some_model,
        rich_help_panel=MODEL,
        help="A Hugging Face id, a folder, a GGUF file, or tiny (the embedded toy). Default: the template's model.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", envvar="VSGEN_DEVICE", callback=with_origin, help="auto, cpu, cuda, cuda:1 or mps. Default: auto."
    ),
]
Dtype = Annotated[
    str | None,
    typer.Option(
        "--dtype",
        envvar="VSGEN_DTYPE",
        callback=with_origin,
        help="Number format of the weights: auto, float32, bfloat16 or float16. Default: auto.",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        "--batch",
        envvar="VSGEN_BATCH",
        callback=with_origin,
        rich_help_panel=EXPERT,
        min=1,
        help="Replies decoded at the same time. Default: 32 on a CPU, 128 on a GPU.",
    ),
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option("--trust-remote-code", rich_help_panel=EXPERT, help="Run Python code that comes with the model."),
]
AllowPickle = Annotated[
    bool,
    typer.Option(
        "--allow-pickle", rich_help_panel=EXPERT, help="Read weights that are not safetensors. They can run code."
    ),
]
AllowModel = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-model",
        metavar="ID",
        envvar="VSGEN_ALLOW_MODEL",
        callback=with_origin,
        rich_help_panel=EXPERT,
        help="Allow the download of a model that only the template names. Repeatable.",
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="URL",
        envvar="VSGEN_ENDPOINT",
        callback=with_origin,
        help="Ask the server at this URL: vLLM, SGLang, llama.cpp, Ollama or a provider. -m is the name there.",
    ),
]
ApiKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        help="File with the server's API key. Default: VSGEN_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY.",
    ),
]
WireOption = Annotated[
    WireChoice,
    typer.Option(
        "--wire",
        metavar="API",
        help="The server's API: chat, completions (both OpenAI's) or messages (Anthropic's). Default: from the URL.",
    ),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, max=4096, help="Most requests at the same time.")
]
Rpm = Annotated[
    int | None, typer.Option("--rpm", metavar="N", min=1, help="Most requests per minute. Default: no limit.")
]
Tpm = Annotated[
    int | None,
    typer.Option("--tpm", metavar="N", min=1, help="Most tokens per minute, prompts included. Default: no limit."),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", min=1, max=86400, help="Longest time for one reply. Then it is asked again."
    ),
]
Proxy = Annotated[
    str | None,
    typer.Option(
        "--proxy",
        metavar="URL",
        rich_help_panel=EXPERT,
        help="HTTP proxy for the server. Variables such as HTTPS_PROXY are not used.",
    ),
]
Hedge = Annotated[
    bool,
    typer.Option(
        "--hedge",
        rich_help_panel=EXPERT,
        help="Send the slowest requests (up to 5%) a second time, and use the first reply. Both are paid.",
    ),
]
AllowEndpoint = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-endpoint",
        metavar="URL",
        rich_help_panel=EXPERT,
        help="Allow a server that only the template names. Repeatable. Servers on this machine are allowed.",
    ),
]
EmitBatch = Annotated[
    Path | None,
    typer.Option(
        "--emit-batch",
        metavar="FILE",
        help="Send nothing: write the needed requests to FILE, for the server's batch service (docs/endpoints.md).",
    ),
]
IngestBatch = Annotated[
    list[Path] | None,
    typer.Option(
        "--ingest-batch", metavar="FILE", help="Read the results of such requests from FILE, and go on. Repeatable."
    ),
]
AbilitiesOption = Annotated[
    str | None,
    typer.Option(
        "--abilities",
        metavar="LIST",
        rich_help_panel=EXPERT,
        help="What the server can do, for --emit-batch: vllm, openai, or a list such as json_schema=strict,seed.",
    ),
]
AllowExec = Annotated[
    bool,
    typer.Option(
        "--allow-exec",
        rich_help_panel=EXPERT,
        help="Run the external commands of the template's checks, with your permissions.",
    ),
]

Draws = Annotated[
    int, typer.Option("-n", "--num", metavar="N", rich_help_panel=OUTPUT, min=1, help="Number of draws to show.")
]

Method = Annotated[
    MethodName | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="direct, cot, sequence, multi-turn, vs, vs-cot, vs-multi or power. Default: the template's, else vs.",
    ),
]
K = Annotated[int | None, typer.Option("-k", metavar="N", min=1, help="Candidates per draw.")]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", metavar="T", min=0, max=5, help="Sampling temperature of the tokens. 0 is greedy."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any key of the template, for example dedup.threshold=0.9. Repeatable.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        envvar="VSGEN_SEED",
        metavar="N",
        rich_help_panel=SAMPLING,
        min=0,
        max=2**63 - 1,
        help="Seed of all random choices.",
    ),
]

MaxCalls = Annotated[
    int | None,
    typer.Option("--max-calls", metavar="N", min=1, help="Stop after N model replies. In label, scores count too."),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens",
        metavar="N",
        min=1,
        help="Stop after N generated tokens. Hidden reasoning counts.",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", metavar="USD", min=0, help="Stop after this cost; needs the template's `prices:`."),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print calls, tokens and cost, estimated. No model is asked, and nothing is written."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="With --dry-run: print the estimate as JSON.")]

Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="Write rows here. FILE appears when it is complete. Default: stdout."
    ),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help="Write candidates that are not kept here, each with its reason.",
    ),
]
Journal = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        rich_help_panel=EXPERT,
        help="Record calls and raw replies here. Default: FILE.journal, beside the output.",
    ),
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE",
        rich_help_panel=EXPERT,
        help="Write the counts here as JSON at the end (docs/summary.md).",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run of -o FILE.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing FILE.")]

OnErrorOption = Annotated[
    OnError,
    typer.Option("--on-error", rich_help_panel=EXPERT, help="Stop at an unusable input line, or skip it."),
]
NoMeta = Annotated[bool, typer.Option("--no-meta", help="Leave the field `meta` out of the rows.")]
Strict = Annotated[
    bool,
    typer.Option("--strict", rich_help_panel=EXPERT, help="Exit with status 5 if the verdict on the rows is bad."),
]
Progress = Annotated[
    ProgressMode,
    typer.Option(
        "--progress", metavar="MODE", envvar="VSGEN_PROGRESS", help="Progress on stderr: auto, plain lines, or none."
    ),
]
LogJson = Annotated[
    bool,
    typer.Option(
        "--log-json", rich_help_panel=OUTPUT, help="Write JSON lines to stderr, and no other text (docs/progress.md)."
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", rich_help_panel=OUTPUT, help="Print errors only.")]
