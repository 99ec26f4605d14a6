"""``vsgen measure``: how far a model's answers are from known distributions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from vsgen.cli import options
from vsgen.cli.groups import FilesGroup, LoadGroup, TalkGroup
from vsgen.cli.prompts import PromptsGroup, TemplateWithChoices
from vsgen.cli.shell import carry_out

if TYPE_CHECKING:
    from vsgen.jobs.measure import Summary, Tally


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """How often a model is asked, and what beside the known distributions."""

    panel: ClassVar[str] = options.SAMPLING
    samples: Annotated[
        int | None, typer.Option("--samples", metavar="N", min=1, help="Replies per prompt. Default: 1000.")
    ] = None
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="Ask also 15 prompts without a known distribution.")
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
    asked: MeasureGroup,
    talk: TalkGroup,
) -> None:
    """Measure a model on prompts whose distribution is exactly known (arXiv 2605.11845): a row of figures per prompt.

    Wasserstein-1 or total variation of its replies, the exact divergence of its probabilities, the support of its
    first step, the share of different answers; beside each what draws from the distribution itself would show.

    Exit status: 0 done; 2 wrong template, input or flags; 3 the model failed; 4 the output cannot be written; 130
    interrupted.
    """
    from vsgen.jobs.measure import evaluate
    from vsgen.jobs.measure_options import MeasureOptions

    wanted = MeasureOptions(
        choice=prompts.choice(template, input),
        model=load.choice(model),
        samples=asked.samples,
        seed=asked.seed,
        probes=asked.probes,
        places=files.places([template, input, prompts.rows]),
    )
    carry_out(partial(evaluate, wanted), wanted.places, talk.progress, quiet=talk.quiet, summary=_summary)


def _summary(tally: Tally, seconds: float, where: str) -> list[str]:
    """The closing lines: what was measured, in counts that add up; then the means."""
    asked = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.paid.items())) or "none"
    unscored = f" · {tally.unscored} whose answers could not be scored" if tally.unscored else ""
    return [
        f"vsgen: {tally.kept} prompts measured in {seconds:.1f} s -> {where}",
        f"  {tally.tokens:,} tokens · calls made now: {asked}{unscored}",
        *_table(tally.summary),
    ]


def _table(summary: Summary) -> Iterator[str]:
    """Means by family, aligned."""
    from vsgen.jobs.measure import COLUMNS

    titles = [name.replace("w1_normalized", "W1/IQR").replace("_per_", "/") for name in COLUMNS]
    yield f"{'':18}{'prompts':>8}" + "".join(f"{title:>10}" for title in titles)
    for family, count, means in summary.means():
        cells = (f"{means[name]:>10.4g}" if name in means else f"{'-':>10}" for name in COLUMNS)
        yield f"{family:18}{count:>8}" + "".join(cells)
