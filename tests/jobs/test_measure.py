"""A model that is the target itself, and others, measured: exactly, or within what chance explains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.distributions.spelling import PROMPT, Characters
from tests.engine.inline import moved, queues_of
from vsgen.backends.known import ALL
from vsgen.backends.table import TableModel
from vsgen.distributions.discretise import Grid
from vsgen.distributions.families import pick_families
from vsgen.distributions.paper import paper_targets
from vsgen.distributions.soft import spell
from vsgen.distributions.target import Target
from vsgen.flows.observe import Observed
from vsgen.jobs.measure import Reading, prompts
from vsgen.jobs.measure_options import MeasureOptions
from vsgen.jobs.measure_rows import Summary, of_probe
from vsgen.jobs.targets_options import TargetChoice
from vsgen.ports import Teacher
from vsgen.values import Completion, Generate, Score, Scores

DIGITS = Characters("-.0123456789")
LETTERS = Characters("abcd")
FAIR = Target("fair", "letters", {}, PROMPT, ("a", "b", "c", "d"), (0.25,) * 4)
JOB = MeasureOptions(TargetChoice(template="letters.yaml"), samples=400)
"""Only the targets: no prompts without one."""


def paper(family: str) -> Target:
    return next(iter(paper_targets(pick_families([family]), ("unseen", "heldout"), Grid(decimals=1, max_bins=64))))


def oracle(target: Target, characters: Characters) -> TableModel:
    """The language model that answers with the target's own probabilities."""
    trie = spell(target, characters).trie
    table: dict[tuple[int, ...], list[float]] = {}
    for node in range(len(trie.parents)):
        below = [0.0] * (characters.end + 1)
        for child in trie.children(node).tolist():
            below[int(trie.tokens[child])] = float(trie.probs[child])
        table[tuple(trie.tokens[trie.path(node)].tolist())] = below
    return TableModel.of(characters.alphabet, table, length=int(trie.depths.max()))


def found(
    targets: Sequence[Target], model: Any, characters: Characters | None, job: MeasureOptions = JOB
) -> list[Reading]:
    teach = ALL if isinstance(model, Teacher) else 0
    flows = prompts(job, iter(targets), characters, teach=teach)
    return list(moved(flows, queues_of(model), most=lambda: 4))


def measured(target: Target, model: Any, characters: Characters | None, job: MeasureOptions = JOB) -> dict[str, Any]:
    (one,) = found([target], model, characters, job)
    return one.row


@pytest.mark.parametrize("family", ["gaussian", "cauchy", "exponential", "binomial", "poisson", "truncnorm"])
def test_the_target_itself_has_no_divergence_and_is_as_far_away_as_chance_explains(family: str) -> None:
    target = paper(family)
    row = measured(target, oracle(target, DIGITS), DIGITS)
    assert row["kl"] == pytest.approx(0, abs=1e-9)
    assert row["kl_per_token"] == pytest.approx(0, abs=1e-9)
    assert row["valid"] == 1
    assert 0 < row["w1"] < 4 * row["w1_expected"]  # its spread is about half of its mean
    assert row["support"] == row["support_expected"]
    assert row["unique"] == pytest.approx(row["unique_expected"], abs=0.2)  # 4 standard errors of at most 1/2 in 100


def test_a_shifted_model_is_as_far_away_as_it_is_shifted() -> None:
    target = Target("two", "two", {}, PROMPT, ("1", "2", "3", "4"), (0.25,) * 4, numeric=True)
    shifted = replace(target, values=("3", "4", "5", "6"))
    row = measured(target, oracle(shifted, DIGITS), DIGITS, replace(JOB, samples=4000))
    assert row["w1"] == pytest.approx(2, abs=4 * row["w1_expected"])
    assert row["w1_normalized"] == pytest.approx(row["w1"] / 2)
    assert row["kl"] == math.inf


def test_divergence_is_the_exact_one_and_is_also_said_per_token() -> None:
    other = oracle(replace(FAIR, probs=(0.7, 0.15, 0.1, 0.05)), LETTERS)
    row = measured(FAIR, other, LETTERS)
    truth = math.fsum(0.25 * math.log(0.25 / p) for p in (0.7, 0.15, 0.1, 0.05))
    assert row["kl"] == pytest.approx(truth, abs=1e-12)
    assert row["kl_per_token"] == pytest.approx(truth / 2, abs=1e-12)
    assert (row["support"], row["support_expected"]) == (3, 4)
    assert row["tv"] == pytest.approx(0.45, abs=4 * math.sqrt(0.21 / 400))
    assert row["tv_expected"] < 0.05


def test_without_a_tokenizer_only_what_is_counted_in_tokens_is_missing() -> None:
    row = measured(FAIR, oracle(FAIR, LETTERS), None)
    assert row["kl"] == pytest.approx(0, abs=1e-12)
    assert (row["kl_per_token"], row["support_expected"], row["support"]) == (None, None, 4)


class Silent:
    """Says what is no number, and no distributions."""

    name = "silent"

    def generate(self, calls: Sequence[Generate]) -> list[Completion]:
        return [Completion("I would rather not.") for _ in calls]

    def score(self, calls: Sequence[Score]) -> list[Scores]:
        return [Scores((-1.0,) * len(call.choices)) for call in calls]


def test_what_cannot_be_measured_is_null_with_its_share_of_valid_replies_beside() -> None:
    row = measured(paper("poisson"), Silent(), DIGITS)
    assert row["valid"] == 0
    assert (row["w1"], row["w1_normalized"], row["w1_expected"], row["support"]) == (None,) * 4
    assert row["unique"] == 0.01
    letters = measured(FAIR, Silent(), LETTERS)
    assert (letters["valid"], letters["tv"], letters["tv_expected"]) == (0, None, None)


def test_a_target_whose_middle_half_is_one_value_has_no_normalized_distance() -> None:
    target = paper("bernoulli")
    row = measured(target, oracle(target, DIGITS), DIGITS)
    assert target.probs == pytest.approx((0.9, 0.1))
    assert row["w1_normalized"] is None and row["w1"] is not None


def test_measures_do_not_depend_on_what_else_is_measured() -> None:
    model = oracle(FAIR, LETTERS)
    both = found([replace(FAIR, id="first"), FAIR], model, LETTERS)
    assert both[1].row == measured(FAIR, model, LETTERS)
    assert measured(FAIR, model, LETTERS, replace(JOB, seed=1)) != both[1].row


def test_answers_that_cannot_be_scored_are_told_and_leave_the_rest() -> None:
    class Refusing(Silent):
        def score(self, calls: Sequence[Score]) -> list[Scores]:
            from vsgen.errors import CallError

            raise CallError("no such token")

    (one,) = found([FAIR], Refusing(), LETTERS)
    assert one.row["kl"] is None and one.row["kl_per_token"] is None and one.row["unique"] == 0.01
    assert one.problem == "fair: the answers cannot be scored: no such token"


def test_the_papers_prompts_are_followed_by_open_ones_and_questions() -> None:
    job = replace(JOB, choice=TargetChoice(), samples=5)
    rows = [one.row for one in found([paper("poisson")], Silent(), DIGITS, job)]
    assert [row["kind"] for row in rows] == ["target", *["open"] * 10, *["quiz"] * 5]
    assert rows[1]["unique"] == 0.2 and rows[1]["support"] is None
    assert (rows[-1]["valid"], rows[-1]["tv"], rows[-1]["tv_expected"]) == (0.0, None, None)


def test_positions_are_counted_over_the_replies_that_name_one() -> None:
    replies = ("Answer: A", "Answer: A", "Answer: B", "no idea")
    row = of_probe(Observed("quiz/00", replies))
    assert row["positions"] == {"A": 2, "B": 1, "C": 0, "D": 0}
    assert row["valid"] == 0.75
    assert row["tv"] == pytest.approx((2 / 3 - 1 / 4 + 1 / 3 - 1 / 4 + 1 / 2) / 2)


def test_the_summary_weighs_families_equally_and_leaves_out_what_is_null() -> None:
    summary = Summary()

    def rows() -> Iterator[dict[str, object]]:
        yield {"kind": "target", "family": "f", "kl": 1.0, "valid": 1.0, "w1_normalized": None}
        yield {"kind": "target", "family": "f", "kl": 3.0, "valid": 0.0, "w1_normalized": 0.5}
        yield {"kind": "target", "family": "f", "kl": 2.0, "valid": 0.5, "w1_normalized": 0.5}
        yield {"kind": "target", "family": "f", "kl": 2.0, "valid": 0.5, "w1_normalized": 1e9}
        yield {"kind": "target", "family": "g", "kl": 6.0, "valid": 1.0, "w1_normalized": None}
        yield {"kind": "open", "family": "open", "unique": 0.5}

    for row in rows():
        summary.add(row)
    assert list(summary.means()) == [
        ("f", 4, {"valid": 0.5, "w1_normalized": 0.5, "kl": 2.0}),
        ("g", 1, {"valid": 1.0, "kl": 6.0}),
        ("open", 1, {"unique": 0.5}),
        ("mean of families", 5, {"valid": 0.75, "w1_normalized": 0.5, "kl": 4.0}),
    ]
