"""``vsgen run``: rows from a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import BatchGroup, BudgetGroup, EndpointGroup, FilesGroup, LoadGroup, SampleGroup, TalkGroup
from vsgen.cli.shell import carry_out

if TYPE_CHECKING:
    from vsgen.export.packed import TokenLogprobs

_SHORT = 1


@dataclass(frozen=True, slots=True)
class RowsGroup:
    """Which answers become rows, what a row holds, and where the other answers go."""

    panel: ClassVar[str] = options.OUTPUT
    num: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--num",
            metavar="N",
            min=1,
            help="Rows to keep. Default: the template's num; with INPUT, one draw per row.",
        ),
    ] = None
    no_dedup: Annotated[
        bool, typer.Option("--no-dedup", rich_help_panel=options.SAMPLING, help="Keep near-duplicate rows.")
    ] = False
    no_meta: options.NoMeta = False
    token_logprobs: Annotated[
        str | None,
        typer.Option(
            "--token-logprobs",
            metavar="top=K",
            rich_help_panel=options.EXPERT,
            help="Add the model's distribution at each token: top=20, or top=20,layout=distillkit (or axolotl).",
        ),
    ] = None
    on_error: options.OnErrorOption = "stop"
    rejects: options.Rejects = None
    allow_exec: options.AllowExec = False

    @property
    def layout(self) -> TokenLogprobs | None:
        """What token log-probabilities are written, if any.

        Raises:
            OptionError: The option cannot be read.
        """
        if self.token_logprobs is None:
            return None
        from vsgen.export.packed import parse_token_logprobs

        return parse_token_logprobs(self.token_logprobs)


@dataclass(frozen=True, slots=True)
class RunBudgetGroup(BudgetGroup):
    """What a run may take."""

    patience: Annotated[
        int,
        typer.Option("--patience", metavar="N", min=0, help="Stop after N draws without a new row. 0: never."),
    ] = 20


def run(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    files: FilesGroup,
    rows: RowsGroup,
    model: options.Model = None,
    load: LoadGroup,
    endpoint: EndpointGroup,
    batch: BatchGroup,
    sample: SampleGroup,
    budget: RunBudgetGroup,
    talk: TalkGroup,
    strict: options.Strict = False,
) -> None:
    """Generate rows from a template.

    Draws answers, checks them, drops near-duplicates, adds labels and writes JSONL.

    Exit status: 0 done; 1 fewer rows than -n, or --emit-batch has written calls; 2 wrong template, input or options; 3
    the model failed; 4 the output cannot be written; 5 with --strict: rows are written, but the verdict is bad; 130
    interrupted; 143 terminated; 129 hung up.

    Examples:
        vsgen run support-tickets -n 40 -o tickets.jsonl
        vsgen run reviews.yaml -m Qwen/Qwen2.5-1.5B-Instruct -n 500 -o reviews.jsonl --resume
        vsgen run reviews.yaml products.jsonl -m Qwen/Qwen2.5-1.5B-Instruct -k 10 --rejects lost.jsonl
    """
    from vsgen.jobs.generate import GenerateOptions, Generation

    budget.check()
    places = files.places([input, template, *batch.read], rows.rejects)
    asked = GenerateOptions(
        template=template,
        overrides=[*sample.overrides, *(["dedup=false"] if rows.no_dedup else [])],
        input=input,
        places=places,
        num=rows.num,
        model=batch.choice(load.choice(model), places, endpoint, asks=not budget.dry_run),
        seed=sample.seed,
        max_calls=budget.max_calls,
        max_tokens=budget.max_tokens,
        max_cost=budget.max_cost,
        patience=budget.patience,
        skip_bad_rows=rows.on_error == "skip",
        meta=not rows.no_meta,
        allow_exec=rows.allow_exec,
        token_logprobs=rows.layout,
    )
    task = Generation(asked)
    if budget.dry_run:
        budget.show(task)
        return
    counts = carry_out(task, talk, strict=strict)
    if counts.stopped:
        raise typer.Exit(_SHORT)
