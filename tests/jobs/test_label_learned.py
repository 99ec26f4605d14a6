"""What is learned of labels from gold rows, some of which cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vsgen.errors import InputError
from vsgen.flows.label import Labels
from vsgen.jobs.label_gold import Gold
from vsgen.jobs.label_learned import Learned
from vsgen.jobs.label_rows import Labelled
from vsgen.labels.conformal import choosing, fit_sets
from vsgen.labels.names import FORMS
from vsgen.labels.settings import Label
from vsgen.labels.soft import label_of
from vsgen.values import Row, Unlabelled

CLASSES = ("a", "b")
LABEL = Label(name="x", classes=CLASSES, prompt="?")


def learned(golds: Sequence[str | None], failed: Sequence[int] = (), *, tried: bool = False) -> Learned:
    """Every label but those that failed has another probability; sets are made at .8."""
    rows = [Row(i, {"x": gold}, f"g:{i + 1}") for i, gold in enumerate(golds)]
    found = Learned([LABEL], gold=Gold(rows, 2), level=0.8)
    for row in rows:
        p = (row.index + 1) / (len(rows) + 1)
        made = Unlabelled("no class") if row.index in failed else label_of("nominal", {"a": p, "b": 1 - p}, 0.5)
        labels: Labels = {"x": made}
        found.add_known(Labelled(row, labels, tried=dict.fromkeys(FORMS, labels) if tried else None))
    assert found.complete
    return found


def test_gold_rows_that_are_null_or_without_a_label_are_left_out_and_counted() -> None:
    found = learned(["a", "b", None, *["a"] * 9], failed=[1])
    (one,) = found.calibrate()
    assert len(one.gold) == 10
    (line,) = found.left_out("x")
    assert line == "  gold rows left out: 3 with null in 'x', 1 of 11 that could not be labeled (g:2: no class)"


def test_gold_rows_of_which_none_is_labeled_are_an_error() -> None:
    with pytest.raises(InputError, match=r"^g:1: label x: no class; so with all 2 gold rows; reword"):
        learned(["a", "b"], failed=[0, 1]).calibrate()


@pytest.mark.parametrize("tried", [True, False])
def test_rows_that_chose_a_form_never_choose_the_size_of_sets_even_if_others_are_left_out(tried: bool) -> None:
    golds = ["a", "b", "b", "a", "b"] * 6
    found = learned(golds, failed=[0, 2, 3], tried=tried)
    (one,) = found.calibrate()
    left = [i for i in range(30) if i not in {0, 2, 3}]
    kept = [choosing(30, 0.8)[i] for i in left] if tried else None
    made = found(Labelled(Row(0), {"x": label_of("nominal", {"a": 0.6, "b": 0.4}, 0.5)})).labels["x"]
    assert not isinstance(made, Unlabelled)
    expected = fit_sets(one.raw, one.gold, 0.8, kept=kept)
    assert made.details["set"] == [CLASSES[at] for at in expected([0.6, 0.4])]
    assert found._corrections["x"].sets == expected
