"""``vsgen run``: rows from a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import FilesGroup, LoadGroup, SampleGroup, TalkGroup
from vsgen.cli.shell import carry_out

if TYPE_CHECKING:
    from vsgen.export.packed import TokenLogprobs

_SHORT = 1


@dataclass(frozen=True, slots=True)
class RowsGroup:
    """Which answers become rows, and what a row holds."""

    panel: ClassVar[str] = "Rows"
    num: Annotated[
        int | None,
        typer.Option("-n", "--num", metavar="N", min=1, help="Rows to keep; draws until there are so many."),
    ] = None
    no_dedup: Annotated[bool, typer.Option("--no-dedup", help="Keep repeats.")] = False
    no_meta: options.NoMeta = False
    token_logprobs: Annotated[
        str | None,
        typer.Option(
            "--token-logprobs",
            metavar="top=K",
            help="The model's distribution at each token of kept answers: top=20[,layout=distillkit|axolotl].",
        ),
    ] = None
    on_error: options.OnErrorOption = "stop"

    @property
    def layout(self) -> TokenLogprobs | None:
        """What token log-probabilities are written, if any.

        Raises:
            OptionError: The option cannot be read.
        """
        from vsgen.export.packed import parse_token_logprobs

        return None if self.token_logprobs is None else parse_token_logprobs(self.token_logprobs)


@dataclass(frozen=True, slots=True)
class LimitsGroup:
    """When a run ends short of what is wanted."""

    panel: ClassVar[str] = "Limits"
    max_calls: Annotated[
        int | None, typer.Option("--max-calls", metavar="N", min=1, help="Draw no more replies than this.")
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", min=1, help="Draw no more tokens than this in all.")
    ] = None
    patience: Annotated[
        int, typer.Option("--patience", metavar="N", min=0, help="Stop after N draws with nothing new; 0: never.")
    ] = 20


def run(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    rows: RowsGroup,
    files: FilesGroup,
    rejects: options.Rejects = None,
    model: options.Model = None,
    load: LoadGroup,
    sample: SampleGroup,
    limits: LimitsGroup,
    talk: TalkGroup,
    allow_exec: options.AllowExec = False,
    strict: options.Strict = False,
) -> None:
    """Make a dataset: draw, drop repeats, label, and stream JSONL.

    Exit status: 0 done; 1 done but short of -n; 2 wrong template, input or flags; 3 the model failed; 4 the output
    cannot be written; 5 --strict: all is written, but the verdict is bad; 130 interrupted; 143 terminated.
    """
    from vsgen.jobs.generate import GenerateOptions, Generation

    asked = GenerateOptions(
        template=template,
        overrides=[*sample.overrides, *(["dedup=false"] if rows.no_dedup else [])],
        input=input,
        places=files.places([input, template], rejects),
        num=rows.num,
        model=load.choice(model),
        seed=sample.seed,
        max_calls=limits.max_calls,
        max_tokens=limits.max_tokens,
        patience=limits.patience,
        skip_bad_rows=rows.on_error == "skip",
        meta=not rows.no_meta,
        allow_exec=allow_exec,
        token_logprobs=rows.layout,
    )
    counts = carry_out(Generation(asked), talk.progress, quiet=talk.quiet, strict=strict)
    if counts.stopped:
        raise typer.Exit(_SHORT)
