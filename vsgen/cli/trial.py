"""``vsgen try``: one draw in full, for whoever writes the template."""

from __future__ import annotations

import time

from vsgen.cli import options
from vsgen.cli.groups import LoadGroup, SampleGroup
from vsgen.cli.printed import show


def try_(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    num: options.Draws = 1,
    model: options.Model = None,
    load: LoadGroup,
    sample: SampleGroup,
    allow_exec: options.AllowExec = False,
) -> None:
    """Show a draw in full: the prompt as the model reads it, its replies, the rows, the rejects and the verdict.

    It is the draw that `vsgen run` makes first with the same seed, except that repeats are looked for in this draw
    alone. Nothing is written to disk.

    Exit status: 0 shown; 2 wrong template, input or flags; 3 the model failed; 130 interrupted.
    """
    from vsgen.cli.shown import draw_lines
    from vsgen.jobs.trial import Trial, TrialOptions

    trial = Trial(
        TrialOptions(
            template=template,
            overrides=sample.overrides,
            input=input,
            draws=num,
            model=load.choice(model),
            seed=sample.seed,
            allow_exec=allow_exec,
        )
    )
    begun = time.monotonic()
    for one in trial.draws():
        seconds = time.monotonic() - begun
        show(*draw_lines(one, trial, seconds))
        begun = time.monotonic()
