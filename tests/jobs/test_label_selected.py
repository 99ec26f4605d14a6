"""What rows are selected by is known to be there before they are paid for."""

from __future__ import annotations

import pytest

from tests.labels.asking import section
from vsgen.errors import OptionError
from vsgen.jobs.label_selected import require_criterion
from vsgen.labels.select import Selection

DISAGREEMENT = Selection("disagreement", 0.2)


@pytest.mark.parametrize(
    ("how", "got"),
    [
        ({}, "one model and one order"),
        ({"method": "decisions"}, "one model and one order"),
        ({"method": "verbalized"}, "one model and one trace or statement"),
        ({"method": "reasoning", "replies": 1}, "one model and one trace or statement"),
        ({"method": "votes"}, "votes have none"),
    ],
)
def test_a_label_that_has_no_disagreement_is_refused_before_anything_is_asked(how: dict[str, object], got: str) -> None:
    label = section(classes=("a", "b"), **how)
    with pytest.raises(OptionError, match=f"--select disagreement: .*{got}"):
        require_criterion(DISAGREEMENT, label)
    require_criterion(Selection("margin", 0.2), label)


@pytest.mark.parametrize(
    "how", [{"permutations": 2}, {"method": "reasoning"}, {"method": "verbalized", "replies": 2}, {"model": ["a", "b"]}]
)
def test_several_orders_traces_statements_or_models_can_disagree(how: dict[str, object]) -> None:
    require_criterion(DISAGREEMENT, section(classes=("a", "b"), **how))
