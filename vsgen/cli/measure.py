"""``vsgen measure``: how far a model's answers are from known distributions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import BatchGroup, EndpointGroup, FilesGroup, LoadGroup, TalkGroup
from vsgen.cli.prompts import PromptsGroup, TemplateWithChoices
from vsgen.cli.shell import carry_out


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """How often a model is asked, and what beside the known distributions."""

    panel: ClassVar[str] = options.SAMPLING
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", min=1, help="Replies per prompt. Default: 1000.")
    ] = None
    probes: Annotated[
        bool,
        typer.Option("--probes/--no-probes", help="Also ask 15 prompts without a known distribution. Default: yes."),
    ] = True
    seed: options.Seed = 0


def measure(
    *,
    template: TemplateWithChoices = None,
    input: options.Input = None,
    prompts: PromptsGroup,
    files: FilesGroup,
    model: options.Model = None,
    load: LoadGroup,
    endpoint: EndpointGroup,
    batch: BatchGroup,
    asked: MeasureGroup,
    talk: TalkGroup,
) -> None:
    """Measure a model on prompts whose answer distribution is known.

    Writes one row of figures per prompt: the Wasserstein-1 or total variation distance of the replies, the exact
    divergence of the probabilities, the support of the first token, and the share of distinct answers. Beside each
    figure stands its value for draws from the known distribution itself. The prompts are those of arXiv 2605.11845,
    or a template's.

    Exit status: 0 done; 1 --emit-batch has written calls; 2 wrong template, input or options; 3 the model failed; 4 the
    output cannot be written; 130 interrupted; 143 terminated; 129 hung up.

    Examples:
        vsgen measure -m Qwen/Qwen2.5-1.5B-Instruct --samples 200 -o figures.jsonl
        vsgen measure random-day -m tiny --samples 100 --no-probes
        vsgen measure -m tiny --family poisson --split heldout -n 2 --samples 50 --no-probes
    """
    from vsgen.jobs.measure import Measurement
    from vsgen.jobs.measure_options import MeasureOptions

    places = files.places([template, input, prompts.rows, *batch.read])
    wanted = MeasureOptions(
        choice=prompts.choice(template, input),
        model=batch.choice(load.choice(model), places, endpoint),
        samples=asked.samples,
        seed=asked.seed,
        probes=asked.probes,
        places=places,
    )
    carry_out(Measurement(wanted), talk)
