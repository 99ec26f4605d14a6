"""The model's own probability beside the stated one, end to end."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Vsgen
from vsgen.backends.open import open_model
from vsgen.sampling.direct import plain
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.values import Score

FAST = ("--set", "dedup.embedder=hash", "--set", "labels=[]", "-m", "tiny")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def draws(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["id"].rpartition(".")[0], []).append(row)
    return found


def test_logp_is_that_of_the_answer_to_the_plain_task_and_is_in_rejects_too(vsgen: Vsgen, tmp_path: Path) -> None:
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    keep = ("--set", "logp=true", "--set", "keep=logp < -1")
    ended = vsgen("run", "random-item", "-n", 8, "-o", out, "--rejects", rejects, *keep, *FAST)
    assert ended.exit_code == 0, ended.stderr
    model, template = open_model("tiny"), load_template("random-item")
    rows = lines(out)
    for row in rows:
        assert row["meta"]["logp"] < -1 and row["meta"]["basis"] == "verbalized"
        asked = plain(Renderer(template).prompt(row["meta"]["variables"]), ("text",))
        (said,) = model.score([Score(asked, (row["text"],))])
        assert row["meta"]["logp"] == pytest.approx(said.logp[0], abs=1e-4)
    assert all("logp" in row["meta"] for row in lines(rejects))
    assert "stated probabilities and the model's own: rank correlation" in ended.stderr


def test_weights_model_make_the_models_own_shares_of_each_draw(vsgen: Vsgen, tmp_path: Path) -> None:
    out, rejects = tmp_path / "out.jsonl", tmp_path / "rejects.jsonl"
    flags = ("-n", 12, "-o", out, "--rejects", rejects, "--no-dedup", "--set", "weights=model")
    assert vsgen("run", "random-item", *flags, *FAST).exit_code == 0
    for rows in draws([*lines(out), *lines(rejects)]).values():
        assert math.fsum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-4)
        scored = [row for row in rows if row["meta"]["logp"] is not None]
        assert all(row["meta"]["basis"] == "model" and "verbalized" in row["meta"] for row in rows)
        once = [row for row in scored if [one["text"] for one in scored].count(row["text"]) == 1]
        for row, other in itertools.pairwise(once):
            ratio = math.exp(row["meta"]["logp"] - other["meta"]["logp"])
            assert row["probability"] == pytest.approx(other["probability"] * ratio, rel=1e-3)


def test_a_killed_run_goes_on_with_the_same_bytes(vsgen: Vsgen, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    flags = ("run", "random-item", "-n", 10, "--set", "weights=model", *FAST)
    assert vsgen(*flags, "-o", whole).exit_code == 0
    journal = (tmp_path / "whole.jsonl.journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "part.jsonl.journal").write_bytes(b"".join(journal[: len(journal) // 2]))
    assert vsgen(*flags, "-o", part, "--resume").exit_code == 0
    assert part.read_bytes() == whole.read_bytes()


def test_direct_pays_for_no_score(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    flags = ("--method", "direct", "--set", "logp=true", "--no-dedup", "-n", 6)
    assert vsgen("run", "random-item", *flags, "-o", out, *FAST).exit_code == 0
    calls = {one["kind"] for one in lines(tmp_path / "out.jsonl.journal")}
    assert "score" not in calls
    assert all(row["meta"]["logp"] < 0 for row in lines(out))


@pytest.mark.parametrize(
    ("sets", "problem"),
    [
        (("weights=stated", "sampling.method=direct"), "weights: method direct states no probabilities"),
        (("weights=models",), "weights: must be 'stated', 'model' or 'uniform', got 'models'; did you mean 'model'?"),
        (("keep=logp > -3",), "which is only computed with 'logp: true'; add that to the template"),
        (("logp=maybe",), "logp: must be true or false"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    vsgen: Vsgen, sets: tuple[str, ...], problem: str
) -> None:
    ended = vsgen("check", "random-item", *(word for one in sets for word in ("--set", one)))
    assert ended.exit_code == 2
    assert problem in ended.stderr
