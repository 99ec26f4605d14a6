"""``vsgen try``: one draw in full, for whoever writes the template."""

from __future__ import annotations

import time

from vsgen.cli import options
from vsgen.cli.groups import EndpointGroup, LoadGroup, SampleGroup, TalkGroup
from vsgen.cli.printed import show
from vsgen.cli.shell import shown


def try_(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    num: options.Draws = 1,
    model: options.Model = None,
    load: LoadGroup,
    endpoint: EndpointGroup,
    sample: SampleGroup,
    talk: TalkGroup,
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
    from vsgen.jobs.activity import Activity
    from vsgen.jobs.trial import Trial, TrialOptions

    asked = TrialOptions(
        template=template,
        overrides=sample.overrides,
        input=input,
        draws=num,
        model=endpoint.choice(load.choice(model)),
        seed=sample.seed,
        allow_exec=allow_exec,
    )
    activity = Activity()
    with shown(activity.progress, talk):
        trial = Trial(asked, activity)
    draws = trial.draws()
    while True:
        begun = time.monotonic()
        with shown(activity.progress, talk):  # it is gone when the draw is printed
            one = next(draws, None)
        if one is None:
            return
        show(*draw_lines(one, trial, time.monotonic() - begun))
