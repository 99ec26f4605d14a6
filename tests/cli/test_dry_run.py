"""An estimate asks nobody, and is near what is then taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from tests.cli.tickets import CATEGORY, tickets, write

PRICES = ("--set", "prices.input=1", "--set", "prices.output=4")
NOWHERE = ("--endpoint", "https://llm.example.com/v1", "-m", "some-model-7b")


def estimate(vsgen: Vsgen, *words: object) -> dict[str, Any]:
    shown = vsgen(*words, "--dry-run", "--json")
    assert shown.exit_code == 0, shown.output
    made: dict[str, Any] = json.loads(shown.stdout)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vs", "direct", "vs-multi"])
def test_a_dry_run_is_near_the_run(vsgen: Vsgen, tmp_path: Path, method: str) -> None:
    asked = ("run", "support-tickets", "-m", "tiny", "-n", 20, "--method", method, *PRICES)
    plan = estimate(vsgen, *asked)
    summary = tmp_path / "summary.json"
    assert vsgen(*asked, "--summary", summary).exit_code == 0
    made = json.loads(summary.read_text())
    now, used = made["usage"]["now"], made["calls"]
    assert plan["calls"] <= used["generate"] + used["score"] <= 2 * plan["calls"]
    calls = used["generate"] + used["score"]
    each, estimated = now["prompt_tokens"] / calls, plan["prompt_tokens"] / plan["calls"]
    assert 0.5 < each / estimated < 2
    assert now["cost"] < plan["most"]["cost"] * 2


def test_a_dry_run_opens_no_endpoint_needs_no_key_and_writes_nothing(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    plan = estimate(vsgen, "run", "support-tickets", *NOWHERE, "-n", 20, *PRICES, "-o", out)
    assert plan["noun"] == "draws" and plan["units"] == 4 and plan["rows"] == 20
    assert [(part["name"], part["calls"]) for part in plan["parts"]] == [("answers", 4), ("label category", 20)]
    assert plan["cost"] == pytest.approx(sum(part["cost"] for part in plan["parts"]))
    assert plan["most"]["cost"] > plan["cost"] > 0
    assert list(tmp_path.iterdir()) == []


def test_the_table_has_the_parts_their_sum_and_what_has_no_price(vsgen: Vsgen) -> None:
    shown = vsgen("run", "support-tickets", *NOWHERE, "-n", 20, "--dry-run", *PRICES, "--max-cost", 0.0001).stdout
    names = [line.split("  ")[0] for line in shown.splitlines()[1:]]
    assert names[:5] == ["", "answers", "label category", "total", "at most"]
    assert "--max-cost 0.000100: the estimate is more than that" in shown
    unpriced = vsgen("run", "support-tickets", *NOWHERE, "-n", 20, "--dry-run").stdout
    assert "without prices: answers, label category (`prices:` in the template" in unpriced


def test_labels_are_estimated_from_their_rows(vsgen: Vsgen, tmp_path: Path) -> None:
    short, long = ([{"text": "x" * size} for _ in range(7)] for size in (40, 4000))
    plans = []
    for name, made in (("short", short), ("long", long)):
        rows = write(tmp_path / f"{name}.jsonl", made)
        plans.append(estimate(vsgen, "label", rows, *CATEGORY, *NOWHERE, *PRICES))
    assert [plan["calls"] for plan in plans] == [7, 7]
    assert plans[1]["prompt_tokens"] - plans[0]["prompt_tokens"] == 7 * 990


def test_rows_that_can_be_read_only_once_and_rows_without_a_text_are_refused(vsgen: Vsgen, tmp_path: Path) -> None:
    piped = vsgen("label", "-", *CATEGORY, *NOWHERE, "--dry-run")
    assert piped.exit_code == 2 and "--dry-run: <stdin> can be read only once; give the rows as a file" in piped.stderr
    rows = write(tmp_path / "rows.jsonl", [{"text": "a ticket"}])
    unlisted = vsgen("label", rows, "--name", "queue", "--choices", "queues", *NOWHERE, "--dry-run")
    assert unlisted.exit_code == 2 and "queues" in unlisted.stderr


def test_json_needs_a_dry_run(vsgen: Vsgen, tmp_path: Path) -> None:
    for words in (("run", "support-tickets"), ("label", write(tmp_path / "rows.jsonl", tickets(1)), *CATEGORY)):
        ended = vsgen(*words, "-m", "tiny", "--json")
        assert ended.exit_code == 2 and "--json: needs --dry-run" in ended.stderr
