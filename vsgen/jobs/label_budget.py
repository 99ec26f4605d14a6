"""What the next row of ``vsgen label`` may take of the user's budgets."""

from __future__ import annotations

import math
from collections.abc import Callable

from vsgen.jobs.budget import Budget
from vsgen.jobs.label_flips import more_ways
from vsgen.jobs.label_options import LabelOptions
from vsgen.jobs.plan import Plan


def budget_of_rows(options: LabelOptions, plan: Callable[[], Plan], *, times: int, flips: bool) -> Budget:
    """The budgets, with the most that a row can take; without any, nothing is planned.

    Args:
        options: What the user allows.
        plan: Estimates what one row takes.
        times: How often the row is labelled, once for each form that is tried.
        flips: It is asked about in other orders too.
    """
    if options.max_calls is None and options.max_tokens is None and options.max_cost is None:
        return Budget()
    made = plan()
    return Budget(
        calls=math.ceil(made.most.calls) * times,
        tokens=sum(label.most[1] * (1 + flips * more_ways(label)) for label in options.template.labels),
        max_calls=options.max_calls,
        max_tokens=options.max_tokens,
        usd=(made.most_usd or 0.0) * times,
        max_cost=options.max_cost,
        unit="row",
        replies="calls",
    )
