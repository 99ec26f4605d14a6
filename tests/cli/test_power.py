"""Method power on the command line: rows, warnings, errors, and bytes that depend on nothing but the seed."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("how", [SMC, MH])
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
