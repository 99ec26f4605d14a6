"""``vsgen targets``: known distributions as training rows, or as a measure of a model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import say, user_errors
from vsgen.cli.shell import carry_out, not_resumable, reader_may_go
from vsgen.distributions.names import GridKind, Kind, SplitName

if TYPE_CHECKING:
    from vsgen.jobs.measure import Summary, Tally
    from vsgen.jobs.targets_options import TargetsOptions


def targets(
    template: Annotated[
        str | None,
        typer.Argument(metavar="[TEMPLATE]", help="A template with `choices:`. Default: the paper's distributions."),
    ] = None,
    input: options.Input = None,
    output: options.Output = None,
    num: Annotated[int | None, typer.Option("-n", "--num", min=1, help="Prompts at most.")] = None,
    kind: Annotated[
        Kind, typer.Option(help="values: answers and probabilities; hard: drawn answers; soft: next-token targets.")
    ] = "values",
    family: Annotated[
        str, typer.Option("--family", metavar="NAME,...", help="Only these of the paper's 30 families.")
    ] = "",
    split: Annotated[
        SplitName | None, typer.Option(help="Of the paper's prompts. Default: train; unseen and heldout to evaluate.")
    ] = None,
    selected: Annotated[
        bool, typer.Option("--selected", help="Only the 42 unseen and heldout prompts that the paper prints.")
    ] = False,
    grid: Annotated[
        GridKind | None,
        typer.Option(help="linear (default): evenly spaced, as the paper; quantile: of equal probability."),
    ] = None,
    decimals: Annotated[int | None, typer.Option(help="Of continuous values. Default: 5.")] = None,
    max_bins: Annotated[int | None, typer.Option(help="Values per prompt. Default: 1001; hard 16384.")] = None,
    tokenizer: Annotated[
        str | None, typer.Option(metavar="DIR", help="For --kind soft: a folder, a Hugging Face id, or `tiny`.")
    ] = None,
    paths: Annotated[
        int | None,
        typer.Option(min=1, help="Soft: so many drawn answers per prompt, in DistillKit's keys, in place of the trie."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Hard: answers per prompt, default 16. Evaluate: replies, default 1000.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option("--from", metavar="ROWS", help="Take the distributions of what `vsgen run` wrote.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The answer's field in ROWS. Default: the template's first.")] = None,
    sets: options.Sets = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure a model instead: a row of figures per prompt.")
    ] = False,
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="Evaluate: ask also 15 prompts without a target.")
    ] = True,
    model: options.Model = None,
    seed: options.Seed = 0,
    journal: options.Journal = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    batch: options.Batch = None,
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle: options.AllowPickle = False,
    progress_mode: options.ProgressOption = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Make training targets whose distribution is exactly known, or measure a model on them (arXiv 2605.11845).

    Exit status: 0 done; 2 wrong template, input or flags; 3 the model failed; 4 the output cannot be written; 130
    interrupted.
    """
    with user_errors():
        from vsgen.files.places import Places
        from vsgen.jobs.desk import ModelChoice
        from vsgen.jobs.targets_options import TargetsOptions

        inputs = [name or "" for name in (template, input, rows)]
        job = TargetsOptions(
            template=template,
            input=input,
            overrides=options.overrides(sets),
            rows=rows,
            on=on,
            families=tuple(name.strip() for name in family.split(",") if name.strip()),
            split=split,
            selected=selected,
            kind=kind,
            tokenizer=tokenizer,
            paths=paths,
            samples=samples,
            grid=grid,
            decimals=decimals,
            max_bins=max_bins,
            seed=seed,
            limit=num,
            places=Places(output, None, journal, resume, overwrite, inputs=inputs),
            evaluate=evaluate,
            probes=probes,
            choice=ModelChoice(model, device, dtype, batch, remote_code=trust_remote_code, pickled=allow_pickle),
        )
        if evaluate:
            _evaluate(job, progress_mode, quiet=quiet)
        else:
            _make(job, quiet=quiet)


def _make(job: TargetsOptions, *, quiet: bool) -> None:
    from vsgen.jobs.targets import make

    def tell(text: str) -> None:
        if not quiet:
            say(f"vsgen: {text}")

    begun = time.monotonic()
    with reader_may_go(), not_resumable():
        made = make(job, warn=tell)
    where = job.places.output or "stdout"
    tell(f"{made.rows} rows of {made.prompts} prompts in {time.monotonic() - begun:.1f} s -> {where}")


def _evaluate(job: TargetsOptions, mode: str, *, quiet: bool) -> None:
    from vsgen.jobs.measure import evaluate

    carry_out(partial(evaluate, job), job.places, mode, quiet=quiet, summary=_summary)


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
