"""The distillation example: its measures are what they are called, soft labels teach more, and make runs it all."""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from statistics import mean, stdev
from types import ModuleType
from typing import Any

import pytest
import torch

from vsgen.tiny.grammar.products import PRODUCTS
from vsgen.tiny.grammar.script import perform
from vsgen.tiny.grammar.source import write
from vsgen.tiny.grammar.tasks import ticket_source
from vsgen.tiny.grammar.tickets import CLASSES, PRIOR
from vsgen.tiny.oracle import Oracle

EXAMPLE = Path(__file__).parents[2] / "examples" / "distill"


def imported(name: str) -> ModuleType:
    """A module of the example."""
    spec = importlib.util.spec_from_file_location(f"distill_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


train, truth = imported("train"), imported("truth")


def test_a_student_of_soft_labels_is_nearer_to_the_true_posterior_than_one_of_hard_or_sampled_labels() -> None:
    taught, asked = written(200, Random(0)), written(200, Random(1))
    results = [*train.compare(taught, asked, sizes=[50], seeds=4, steps=80)]
    for measure in ("excess", "variation", "calibration"):
        of = {name: [getattr(r.figures, measure) for r in results if r.target == name] for name in train.TARGETS}
        for other in ("hard", "sampled"):
            gains = [b - a for a, b in zip(of["soft"], of[other], strict=True)]
            assert mean(gains) > 4 * stdev(gains) / math.sqrt(4)


def test_students_differ_in_nothing_but_their_targets() -> None:
    texts = written(40, Random(2))
    one, same, other = (train.taught(texts.features, texts.teacher, texts.features, seed=s, steps=5) for s in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_targets_are_the_teachers_distribution_its_mode_or_a_draw() -> None:
    teacher = torch.tensor([[0.5, 0.3, 0.2]]).repeat(4000, 1)
    targets = train.targets(teacher, torch.Generator().manual_seed(0))
    assert torch.equal(targets["soft"], teacher)
    assert targets["hard"].tolist() == [[1, 0, 0]] * 4000
    assert targets["smoothed"][0].tolist() == pytest.approx([0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3])
    assert set(targets["sampled"].sum(1).tolist()) == {1.0}
    for share, p in zip(targets["sampled"].mean(0).tolist(), (0.5, 0.3, 0.2), strict=True):
        assert abs(share - p) < 4 * math.sqrt(p * (1 - p) / 4000)


def test_the_posterior_itself_has_no_distance_and_no_calibration_error() -> None:
    posterior = written(100, Random(3)).truth
    found = train.figures(posterior, posterior)
    assert (found.excess, found.variation, found.calibration) == pytest.approx((0, 0, 0), abs=1e-6)


def test_a_student_that_is_surer_than_the_posterior_pays_for_it() -> None:
    posterior, predicted = torch.tensor([[0.6, 0.4], [0.3, 0.7]]), torch.tensor([[0.95, 0.05], [0.05, 0.95]])
    found = train.figures(predicted, posterior)
    first = 0.6 * math.log(0.6 / 0.95) + 0.4 * math.log(0.4 / 0.05)
    second = 0.7 * math.log(0.7 / 0.95) + 0.3 * math.log(0.3 / 0.05)
    assert found.excess == pytest.approx((first + second) / 2)
    assert found.variation == pytest.approx((0.35 + 0.25) / 2)
    assert found.calibration == pytest.approx(0.95 - 0.65)
    assert found.right == pytest.approx(0.65)


def test_the_truth_of_a_ticket_is_bayes_rule_and_a_slip_has_none() -> None:
    ticket = "How do I reset my desk lamp? I bought it last week. Thank you for your help."
    bug, how_to = 0.25 * (8 / 106) * 0.08, 0.50 * 0.28 * 0.12
    found = truth.posterior(Oracle(), row(ticket, (0.1, 0.1, 0.8)))
    assert found == pytest.approx({"billing": 0, "bug": bug / (bug + how_to), "how-to": how_to / (bug + how_to)})
    assert (
        truth.posterior(Oracle(), row("How do I reset my buy lamp? Thank you for your help.", (0.1, 0.1, 0.8))) is None
    )


@pytest.mark.slow
def test_the_target_makes_texts_trains_students_and_prints_what_they_came_to(tmp_path: Path) -> None:
    folder, build = tmp_path / "distill", tmp_path / "distill" / "build"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("build", "__pycache__"))
    small = ["TRAIN=24", "TEST=9", "SIZES=8 20", "SEEDS=2", "STEPS=10"]
    make = ["make", "-C", str(folder), f"VSGEN={sys.executable} -m vsgen", f"PYTHON={sys.executable}", *small]
    subprocess.run([*make, "build/train.jsonl", "build/test.set"], check=True, capture_output=True)
    known = truth.read(build / "train.jsonl")
    assert len(known) == 24
    new = [
        f"I need help with my desk lamp. I bought it last week. {end}"
        for end in ("Fix it now!", "Many thanks in advance.")
    ]
    new = [text for text in new if text not in {one["text"] for one in known}]
    rows = [*(row(text, (0.4, 0.3, 0.3)) for text in new), row("No such ticket.", (0.2, 0.3, 0.5)), known[0]]
    (build / "test.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    run = subprocess.run(make, check=True, capture_output=True, text=True)
    assert f"test: {len(rows)} texts, less 1 that are in train too and 1 outside of the grammar" in run.stderr
    assert [one["text"] for one in truth.read(build / "truth.jsonl")] == new
    results = truth.read(build / "results.jsonl")
    assert len(results) == 2 + 2 * 2 * len(train.TARGETS)
    lines = (build / "results.txt").read_text().splitlines()
    assert lines[0].startswith(f"{len(new)} test texts")
    excess = [one["figures"]["excess"] for one in results if (one["target"], one["texts"]) == ("soft", 20)]
    assert any(line.split()[:3] == ["20", "soft", f"{mean(excess):.4f}"] for line in lines)
    assert "\n".join(lines) in run.stdout


def written(n: int, rng: Random) -> Any:
    """Tickets as the grammar writes them, with a teacher who knows their posterior."""
    drawn = [perform(write(ticket_source(rng.choice(PRODUCTS), rng.choice([*PRIOR]))), rng) for _ in range(n)]
    posterior = torch.tensor([one.posterior for _, one in drawn])
    texts = ["".join(step.text for step in steps) for steps, _ in drawn]
    return train.Texts(train.features(texts), posterior, posterior)


def row(text: str, probs: tuple[float, ...]) -> dict[str, Any]:
    """A row of vsgen run."""
    return {"text": text, "labels": {"category": {"probs": dict(zip(CLASSES, probs, strict=True))}}}
