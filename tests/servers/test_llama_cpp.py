"""A real model in llama.cpp's server. It computes with 8-bit activations, so its numbers are near ours and not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import MODEL
from tests.servers.asking import answers, asked, found, scores
from tests.servers.conftest import Vsgen, rows
from tests.servers.serve import LLAMA, llama
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.open import open_model
from vsgen.values import Score

pytestmark = [
    pytest.mark.llama,
    pytest.mark.skipif(not LLAMA.exists(), reason="make test-llama builds llama.cpp"),
]
ROUGHLY = 0.4
"""Nats."""
MOODS = ("positive", "negative", "neutral")
REVIEW = asked("Is this review positive, negative or neutral? Reply with one word.\n\nThe lamp broke after two days.")
KIT = """\
version: 1
name: kit
prompt: Write a one-sentence customer opinion about a folding kayak.
output: {field: text, max_chars: 300}
sampling: {method: vs, k: 4, max_tokens: 400}
labels:
- name: mood
  classes: [positive, negative, neutral]
  prompt: "Is this review positive, negative or neutral?\\n\\n{{ text }}"
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with llama(MODEL, tmp_path_factory.mktemp("llama") / "log") as served:
        yield served


def test_what_llama_cpp_can_is_found(url: str) -> None:
    shown = found(url, "smol", Chat()).can
    assert (shown.json_schema, shown.top_logprobs, shown.prompt_logprobs) == ("full", 20, False)
    assert shown.prefill and shown.seed and shown.top_k and shown.stop and not shown.pattern


def test_choices_scored_step_by_step_are_near_those_of_this_process(url: str) -> None:
    (answer,) = scores(answers(url, "smol", Chat(), [Score(REVIEW, MOODS)], Abilities(top_logprobs=20, prefill=True)))
    (truth,) = open_model(str(MODEL)).score([Score(REVIEW, MOODS)])
    assert not answer.upper and answer.logp == pytest.approx(truth.logp, abs=ROUGHLY)


def test_lists_held_to_their_schema_become_labeled_rows(vsgen: Vsgen, url: str, tmp_path: Path) -> None:
    template, out, lost = tmp_path / "kit.yaml", tmp_path / "out.jsonl", tmp_path / "lost.jsonl"
    template.write_text(KIT)
    done = vsgen("run", template, "--endpoint", url, "-m", "smol", "-n", 8, "-o", out, "--rejects", lost)
    assert done.exit_code == 0, done.output
    made = rows(out)
    assert len(made) == 8
    assert not [one for one in rows(lost) if one["reason"] == "malformed"]
    for row in made:
        assert sum(row["labels"]["mood"]["probs"].values()) == pytest.approx(1, abs=1e-5)
        assert row["labels"]["mood"]["label_mass"] < 1


def test_a_text_is_labeled(vsgen: Vsgen, url: str, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "The lamp broke after two days."}))
    words = ["--name", "mood", "--classes", ",".join(MOODS), "--endpoint", url, "-m", "smol"]
    done = vsgen("label", texts, *words)
    assert done.exit_code == 0, done.output
    label = json.loads(done.stdout)["labels"]["mood"]
    assert label["probs"].keys() == set(MOODS) and 0 < label["label_mass"] < 1
