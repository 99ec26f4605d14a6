"""``vsgen targets``: known distributions as training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import PlaceGroup, TalkGroup
from vsgen.cli.prompts import PromptsGroup, TemplateWithChoices
from vsgen.cli.shell import carry_out
from vsgen.distributions.names import Kind


@dataclass(frozen=True, slots=True)
class TargetsGroup:
    """What is made of each prompt."""

    panel: ClassVar[str] = "Targets"
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind", help="values: answers and probabilities; hard: drawn answers; soft: next-token targets."
        ),
    ] = "values"
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", min=1, help="hard: answers per prompt. Default: 16.")
    ] = None
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="MODEL",
            callback=options.some_model,
            help="soft: a folder, a Hugging Face id, or tiny.",
        ),
    ] = None
    trust_remote_code: Annotated[
        bool,
        typer.Option(
            "--trust-remote-code",
            rich_help_panel=options.EXPERT,
            help="soft: run Python code that comes with the tokenizer.",
        ),
    ] = False
    paths: Annotated[
        int | None,
        typer.Option(
            "--paths",
            metavar="N",
            min=1,
            help="soft: N drawn answers per prompt, in the layout of DistillKit, instead of the trie.",
        ),
    ] = None
    seed: options.Seed = 0


def targets(
    *,
    template: TemplateWithChoices = None,
    input: options.Input = None,
    prompts: PromptsGroup,
    made: TargetsGroup,
    place: PlaceGroup,
    summary: options.Summary = None,
    quiet: options.Quiet = False,
) -> None:
    """Make training rows from known distributions.

    The prompts are those of arXiv 2605.11845, or a template's. `vsgen measure` measures a model on them.

    Exit status: 0 done; 2 wrong template, input or options; 3 the tokenizer cannot be used; 4 the output cannot be
    written; 130 interrupted.

    Examples:
        vsgen targets -o targets.jsonl
        vsgen targets random-day --kind hard --samples 32 -o days.jsonl
        vsgen targets --family poisson --split heldout --kind soft --tokenizer tiny -o soft.jsonl
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
        places=Places(place.output, overwrite=place.overwrite, inputs=inputs, summary=summary, journaled=False),
    )
    carry_out(TargetRows(asked), TalkGroup("none", quiet))
