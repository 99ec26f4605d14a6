"""``vsgen try``: a draw whole, for the eyes of who writes the template."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import user_errors
from vsgen.cli.shell import not_resumable, reader_may_go

if TYPE_CHECKING:
    from vsgen.jobs.trial import TrialOptions


def try_(
    template: options.TemplateName,
    input: options.Input = None,
    draws: Annotated[int, typer.Option("-n", "--num", min=1, help="Draws to show.")] = 1,
    model: options.Model = None,
    method: options.Method = None,
    k: options.K = None,
    temperature: options.Temperature = None,
    sets: options.Sets = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    trust_remote_code: options.TrustRemoteCode = False,
    allow_pickle: options.AllowPickle = False,
    allow_exec: options.AllowExec = False,
) -> None:
    """Show a draw whole: the prompt as the model reads it, its replies, the rows, the rejects and the verdict.

    It is the draw that `vsgen run` makes first with the same seed, but that repeats are looked for in this draw alone.
    Nothing is written to disk.

    Exit status: 0 shown; 2 wrong template, input or flags; 3 the model failed; 130 interrupted.
    """
    with user_errors():
        from vsgen.jobs.desk import ModelChoice
        from vsgen.jobs.trial import TrialOptions

        job = TrialOptions(
            template=template,
            overrides=options.overrides(sets, method=method, k=k, temperature=temperature),
            input=input,
            draws=draws,
            model=ModelChoice(model, device, dtype, remote_code=trust_remote_code, pickled=allow_pickle),
            seed=seed,
            allow_exec=allow_exec,
        )
        with reader_may_go(), not_resumable():
            _show(job)


def _show(job: TrialOptions) -> None:
    from vsgen.cli.shown import draw_lines
    from vsgen.jobs.trial import Trial

    trial = Trial(job)
    begun = time.monotonic()
    for one in trial.draws():
        seconds = time.monotonic() - begun
        typer.echo("\n".join(draw_lines(one, trial, seconds)))
        begun = time.monotonic()
