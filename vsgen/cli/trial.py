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
    """Make one draw and show all of it.

    Shows the prompt as the model reads it, the replies, the rows, the rejects and the verdict. It is the first draw of
    `vsgen run` with the same seed, but duplicates are searched for in this draw only. Nothing is written to disk.

    Exit status: 0 done; 2 wrong template, input or options; 3 the model failed; 130 interrupted.

    Examples:
        vsgen try support-tickets
        vsgen try reviews.yaml -m Qwen/Qwen2.5-1.5B-Instruct -n 3
        vsgen try reviews.yaml products.jsonl -m Qwen/Qwen2.5-1.5B-Instruct --method direct
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
