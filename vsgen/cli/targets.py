"""``vsgen targets``: known distributions as training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperCommand

from vsgen.cli import options
from vsgen.cli.prompts import PromptsGroup, TemplateWithChoices
from vsgen.cli.shell import carry_out
from vsgen.distributions.names import Kind
from vsgen.errors import OptionError


class Targets(TyperCommand):
    """The command, which says where its former option ``--evaluate`` went, whatever else stands beside it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command.

        Raises:
            OptionError: ``--evaluate`` is one of them.
        """
        if "--evaluate" in args:
            raise OptionError("--evaluate: is a command of its own: vsgen measure, with the same options")
        return super().parse_args(ctx, args)


@dataclass(frozen=True, slots=True)
class TargetsGroup:
    """What is made of each prompt."""

    panel: ClassVar[str] = "Targets"
    kind: Annotated[
        Kind,
        typer.Option("--kind", help="values: answers, probabilities; hard: drawn answers; soft: next-token targets."),
    ] = "values"
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", min=1, help="Hard: answers per prompt. Default: 16.")
    ] = None
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", metavar="DIR", help="Soft: a folder, a Hugging Face id, or `tiny`.")
    ] = None
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Soft: run Python code that comes with the tokenizer.")
    ] = False
    paths: Annotated[
        int | None,
        typer.Option(
            "--paths",
            metavar="N",
            min=1,
            help="Soft: this many drawn answers per prompt, in DistillKit's keys, instead of the trie.",
        ),
    ] = None
    seed: options.Seed = 0


def targets(
    *,
    template: TemplateWithChoices = None,
    input: options.Input = None,
    prompts: PromptsGroup,
    made: TargetsGroup,
    output: options.Output = None,
    summary: options.Summary = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> None:
    """Make training targets whose distribution is exactly known (arXiv 2605.11845); `vsgen measure` measures a model.

    Exit status: 0 done; 2 wrong template, input or flags; 3 the tokenizer cannot be used; 4 the output cannot be
    written; 130 interrupted.
    """
    from vsgen.files.places import Places
    from vsgen.jobs.targets import TargetRows
    from vsgen.jobs.targets_options import TargetsOptions

    inputs = [name or "" for name in (template, input, prompts.rows)]
    asked = TargetsOptions(
        choice=prompts.choice(template, input),
        kind=made.kind,
        tokenizer=made.tokenizer,
        remote_code=made.trust_remote_code,
        paths=made.paths,
        samples=made.samples,
        seed=made.seed,
        places=Places(output, overwrite=overwrite, inputs=inputs, summary=summary, journaled=False),
    )
    carry_out(TargetRows(asked), "none", quiet=quiet)
