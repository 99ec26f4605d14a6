"""Method power and token-level rows where the model is behind a URL."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving

TEMPLATE = """\
version: 1
name: reviews
prompt: Write one short product review.
output: {field: text, max_chars: 200}
sampling: {method: power, k: 2, max_tokens: 12, power: {engine: smc, particles: 3, check_every: 6}}
dedup: false
"""


def test_a_run_of_method_power_over_http_makes_rows_with_lessons_and_is_resumed_without_a_request(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    template, out = tmp_path / "reviews.yaml", tmp_path / "out.jsonl"
    template.write_text(TEMPLATE)
    with serving(Plan(model="tiny")) as server:
        asked = ["--endpoint", server.url, "-m", "tiny", "-n", 2, "--token-logprobs", "top=5"]
        done = vsgen("run", template, *asked, "-o", out)
        assert done.exit_code == 0, done.output
        requests, written = server.counts.requests, out.read_bytes()
        out.rename(out.with_name("out.jsonl.part"))
        assert vsgen("run", template, *asked, "-o", out, "--resume").exit_code == 0
        assert (server.counts.requests, out.read_bytes()) == (requests, written)
    assert "processed_logprobs" in done.output
    made = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(made) == 2
    for row in made:
        assert row["meta"]["engine"] == "smc" and row["meta"]["logp"] < 0, row["meta"]
        assert row["token_logprobs"]["top"] == 5


def test_a_server_that_names_no_tokens_is_refused_before_anything_is_drawn(vsgen: Vsgen, tmp_path: Path) -> None:
    template, out = tmp_path / "reviews.yaml", tmp_path / "out.jsonl"
    template.write_text(TEMPLATE)
    with serving(Plan()) as server:
        done = vsgen("run", template, "--endpoint", server.url, "-m", "echo", "-n", 2, "-o", out)
        template.write_text(TEMPLATE.replace("method: power", "method: direct"))
        rows = vsgen("run", template, "--endpoint", server.url, "-m", "echo", "-n", 2, "--token-logprobs", "top=5")
    assert (done.exit_code, rows.exit_code) == (2, 2), done.output + rows.output
    assert "method power: echo@" in done.output and "ids of tokens" in done.output and "vLLM" in done.output
    assert "--token-logprobs: echo@" in rows.output and "vLLM" in rows.output
    assert not out.exists()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("vsgen endpoint")]


@pytest.mark.slow
def test_a_measurement_over_http_knows_the_support_as_far_as_tokens_are_listed(vsgen: Vsgen) -> None:
    asked = ["measure", "random-day", "--samples", 5, "--no-probes", "-m", "tiny"]
    with serving(Plan(model="tiny")) as server:
        done = vsgen(*asked, "--endpoint", server.url)
    assert done.exit_code == 0, done.output
    here = [json.loads(line) for line in vsgen(*asked).stdout.splitlines()]
    there = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row.get("support") for row in there] == [row.get("support") for row in here]


@pytest.mark.slow
def test_replies_of_a_server_that_cannot_be_constrained_are_steered_to_valid_ones(vsgen: Vsgen, tmp_path: Path) -> None:
    """No grammar is sent with calls of power sampling, and many replies are longer than 40 characters."""
    template, summary = tmp_path / "reviews.yaml", tmp_path / "summary.json"
    template.write_text(TEMPLATE.replace("max_chars: 200", "max_chars: 40").replace("max_tokens: 12", "max_tokens: 24"))
    kept = dict[str, float]()
    with serving(Plan(model="tiny")) as server:
        asked = ("run", template, "--endpoint", server.url, "-m", "tiny", "-n", 12, "--max-calls", 12)
        for name, how in {"free": "", "valid": ", potentials: {valid: true}"}.items():
            power = f"sampling.power={{alpha: 1, engine: smc, particles: 6, check_every: 12{how}}}"
            done = vsgen(*asked, "--set", power, "--summary", summary)
            assert done.exit_code in (0, 1), done.output
            kept[name] = json.loads(summary.read_text())["acceptance"]
    assert kept["valid"] > kept["free"] + 0.2
