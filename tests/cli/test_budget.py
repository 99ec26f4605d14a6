"""Budgets end a run and labels, which go on from there with a higher one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from tests.cli.tickets import CATEGORY, tickets, write
from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.server import Server, serving
from vsgen.money import dollars


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with serving(Plan(model="tiny")) as server:
        yield server


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_a_run_over_http_ends_at_its_cost_and_goes_on_with_a_higher_one(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    out, summary = tmp_path / "out.jsonl", tmp_path / "summary.json"
    prices = ("--set", "prices.input=1", "--set", "prices.output=4")
    asked = ("run", "support-tickets", "--endpoint", served.url, "-m", "tiny", "-n", 20, *prices, "-o", out)
    ended = vsgen(*asked, "--max-cost", 0.008, "--summary", summary)
    assert ended.exit_code == 1, ended.output
    assert (
        "--max-cost: $0.00" in ended.stderr and "of $0.00800 is used, and the next draw may cost $0.00" in ended.stderr
    )
    short = json.loads(summary.read_text())
    assert 0 < short["rows"] < 20 and 0 < short["cost"] <= 0.008
    assert short["usage"]["earlier"]["cost"] == 0 and short["usage"]["now"]["prompt_tokens"] > 0

    before = served.counts.requests
    done = vsgen(*asked, "--resume", "--max-cost", 1, "--summary", summary)
    assert done.exit_code == 0, done.output
    whole = json.loads(summary.read_text())
    assert whole["rows"] == 20 and served.counts.requests > before
    assert whole["usage"]["earlier"]["cost"] == pytest.approx(short["cost"])
    assert whole["cost"] == pytest.approx(short["cost"] + whole["usage"]["now"]["cost"])
    assert f"(${dollars(short['cost'])} of it earlier)" in done.stderr


@pytest.mark.slow
def test_a_server_without_prices_has_tokens_but_no_cost_and_no_budget(
    vsgen: Vsgen, served: Server, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.json"
    asked = ("run", "support-tickets", "--endpoint", served.url, "-m", "tiny", "-n", 2)
    assert vsgen(*asked, "--summary", summary).exit_code == 0
    made = json.loads(summary.read_text())
    assert made["cost"] is None and made["usage"]["now"]["reply_tokens"] >= made["tokens"] > 0
    refused = vsgen(*asked, "--max-cost", 1)
    assert refused.exit_code == 2
    assert (
        "the prices of tiny are not known; add 'prices:' to the template, in USD per million tokens" in refused.stderr
    )


SHORT = """\
version: 1
name: short
prompt: Say something.
dedup: false
sampling: {method: direct, k: 1, max_tokens: 5}
prices: {input: 1, output: 4}
"""


@pytest.mark.slow
@pytest.mark.parametrize("shares", [{}, {"filtered": 0.3}, {"error-200": 0.2, "429": 0.1}])
def test_what_a_server_is_paid_stays_within_the_budget_however_many_requests_are_in_flight(
    vsgen: Vsgen, tmp_path: Path, shares: dict[Trouble, float]
) -> None:
    template, summary = tmp_path / "short.yaml", tmp_path / "summary.json"
    template.write_text(SHORT)
    with serving(Plan(latency=0.02, shares=shares)) as server:
        asked = ("run", template, "--endpoint", server.url, "-m", "echo", "-n", 5000, "--on-error", "skip")
        ended = vsgen(*asked, "--max-cost", 0.006, "--summary", summary)
    assert ended.exit_code == 1, ended.output
    made = json.loads(summary.read_text())
    now, paid = made["usage"]["now"], sum(server.counts.served.values())  # each took 10 and 5 tokens
    assert 0.005 < made["cost"] <= 0.006
    assert now["prompt_tokens"] == 10 * now["reply_tokens"] / 5
    assert paid - now["prompt_tokens"] / 10 <= 8, "but for those that find out what the server can do"


@pytest.mark.parametrize("limit", [("--max-calls", 3), ("--max-cost", 0.0003)])
def test_labels_end_at_their_budget_and_go_on_with_a_higher_one(
    vsgen: Vsgen, tmp_path: Path, limit: tuple[object, ...]
) -> None:
    rows, out, whole = write(tmp_path / "rows.jsonl", tickets(8)), tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    prices = ("--set", "prices.input=1", "--set", "prices.output=4")
    asked = ("label", rows, *CATEGORY, "-m", "tiny", *prices)
    assert vsgen(*asked, "-o", whole).exit_code == 0
    ended = vsgen(*asked, "-o", out, *limit)
    assert ended.exit_code == 1 and f"short: {len(lines(out))} rows; {limit[0]}: " in ended.stderr, ended.output
    assert 0 < len(lines(out)) < 8
    assert whole.read_bytes().startswith(out.read_bytes())
    assert vsgen(*asked, "-o", out, "--resume").exit_code == 0
    assert out.read_bytes() == whole.read_bytes()


def test_a_budget_that_bears_all_rows_of_labels_ends_nothing(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.jsonl", tickets(3))
    ended = vsgen("label", rows, *CATEGORY, "-m", "tiny", "--max-calls", 3)
    assert ended.exit_code == 0 and len(ended.stdout.splitlines()) == 3, ended.output


def test_labels_whose_budget_ends_before_calibration_are_not_written(vsgen: Vsgen, tmp_path: Path) -> None:
    rows, gold = write(tmp_path / "rows.jsonl", tickets(3)), write(tmp_path / "gold.jsonl", tickets(5, seed=1))
    ended = vsgen("label", rows, *CATEGORY, "-m", "tiny", "--calibrate", gold, "--max-calls", 4)
    assert ended.exit_code == 1 and ended.stdout == "", ended.output
    assert "--max-calls: all 4 are used" in ended.stderr
