"""Method power on the command line: rows, warnings, errors, and bytes that depend on nothing but the seed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen

RUN = ("run", "arithmetic", "--model", "tiny", "--no-dedup", "-k", "2")
SMC = ("--set", "sampling.power.engine=smc", "--set", "sampling.power.particles=4")
MH = ("--set", "sampling.power.engine=mh", "--set", "sampling.power.steps=2")


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_rows_say_their_answer_whether_it_is_right_and_how_they_were_drawn(vsgen: Vsgen) -> None:
    result = vsgen(*RUN, "-n", 4)
    assert result.exit_code == 0
    for row in rows(result.stdout):
        meta = row["meta"]
        assert (meta["method"], meta["basis"], meta["engine"], meta["alpha"], meta["ended"]) == (
            *("power", "power"),
            *("is", 4.0, True),
        )
        assert row["text"].endswith(f"The answer is {meta['answer']}.")
        values = meta["variables"]
        right = values["a"] * values["b"] + sum(values[n] for n in "cegi") - sum(values[n] for n in "dfh")
        assert meta["correct"] is (meta["answer"] == str(right))
        assert row["labels"]["answer"]["probs"][meta["answer"]] > 0
        assert meta["logp"] < 0 < meta["evaluations"]


@pytest.mark.parametrize("how", [SMC, pytest.param(MH, marks=pytest.mark.slow)])
def test_bytes_depend_neither_on_the_batch_nor_on_where_a_run_went_on(
    vsgen: Vsgen, tmp_path: Path, how: tuple[str, ...]
) -> None:
    out = tmp_path / "sums.jsonl"
    assert vsgen(*RUN, *how, "-n", 4, "-o", out, "--batch", 3).exit_code == 0
    whole, journal = out.read_bytes(), tmp_path / "sums.jsonl.journal"
    out.unlink()
    kept = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(kept[: len(kept) // 2]))
    again = vsgen(*RUN, *how, "-n", 4, "-o", out, "--overwrite", "--batch", 50)
    assert again.exit_code == 0
    assert out.read_bytes() == whole
    out.unlink()
    assert "calls made now: none" in vsgen(*RUN, *how, "-n", 4, "-o", out, "--overwrite").stderr
    assert out.read_bytes() == whole


def test_replies_that_are_all_cut_and_a_flattening_alpha_are_told_once(vsgen: Vsgen) -> None:
    result = vsgen(*RUN, "-n", 8, "--set", "sampling.max_tokens=5", "--set", "sampling.power.alpha=0.9")
    assert result.exit_code == 0
    assert result.stderr.count("cut at sampling.max_tokens") == 1
    assert result.stderr.count("alpha is below 1") == 1
    assert not any(row["meta"]["ended"] for row in rows(result.stdout))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("sampling.power.alpha=0", "sampling.power.alpha: must be > 0, got 0"),
        ("sampling.power.particles=1", "sampling.power.particles: must be >= 2, got 1"),
        ("sampling.temperature=0.7", "sampling.temperature: cannot be combined with method power"),
        ("output.answer=nothing", "output.answer: must be an output field ('text'), or a regular expression with one"),
    ],
)
def test_mistakes_end_with_2_and_one_line(vsgen: Vsgen, setting: str, told: str) -> None:
    result = vsgen(*RUN, "--set", setting)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_budget_bounds_what_a_draw_may_take(vsgen: Vsgen) -> None:
    result = vsgen(*RUN, *SMC, "--max-tokens", 2000)
    assert result.exit_code == 1
    assert "--max-tokens: " in result.stderr
    assert "the next draw may need" in result.stderr


def test_check_shows_one_turn_and_asks_no_model(vsgen: Vsgen) -> None:
    result = vsgen("check", "arithmetic", "-n", 1, "--set", "sampling.power.engine=smc")
    assert result.exit_code == 0
    assert result.stdout.count("[user]") == 1


TICKETS = ("run", "support-tickets", "-m", "tiny", "--method", "power", "-k", 3, "-n", 3, "--no-dedup")
BILLING = "potentials: {labels: [{label: category, class: billing, strength: 3, looks: true}]}"


def test_a_class_that_is_a_factor_steers_what_is_drawn_and_is_in_the_estimate(vsgen: Vsgen) -> None:
    short = ("--set", "sampling.max_tokens=40")
    how = (*short, "--set", f"sampling.power={{alpha: 1, engine: smc, particles: 8, {BILLING}}}")
    plain = (*short, "--set", "sampling.power={alpha: 1, engine: smc, particles: 2}")
    steered, free = (vsgen(*TICKETS, *each, "--seed", 1) for each in (how, plain))
    assert (steered.exit_code, free.exit_code) == (0, 0), steered.output
    billing = [[row["labels"]["category"]["probs"]["billing"] for row in rows(one.stdout)] for one in (steered, free)]
    assert min(billing[0]) > 0.5 > min(billing[1])
    for row in rows(steered.stdout):
        assert row["meta"]["log_factor"] == pytest.approx(
            3 * math.log(row["labels"]["category"]["probs"]["billing"]), abs=1e-3
        )
    plan = json.loads(vsgen(*TICKETS, *how, "--dry-run", "--json").stdout)
    assert {part["name"]: part["calls"] for part in plan["parts"]}["potential: label category"] == 3 * 8 * 5


def test_a_draw_that_nothing_can_make_possible_is_rejects_with_their_reason(vsgen: Vsgen, tmp_path: Path) -> None:
    lost, never = tmp_path / "lost.jsonl", "output.correct=answer == ''"
    how = "sampling.power={engine: is, potentials: {correct: true}}"
    result = vsgen(*RUN, "-n", 2, "--max-calls", 4, "--set", how, "--set", never, "--rejects", lost)
    assert result.exit_code == 1, result.output
    assert "make all replies of a draw impossible" in result.stderr
    found = rows(lost.read_text())
    assert found
    assert {(one["reason"], one["detail"]) for one in found} == {
        ("filter", "potential correct: output.correct does not hold")
    }
    draws: dict[str, float] = {}
    for one in found:
        name = one["id"].rpartition(".")[0]
        draws[name] = draws.get(name, 0.0) + one["probability"]
    assert list(draws.values()) == pytest.approx([1.0] * len(draws))
