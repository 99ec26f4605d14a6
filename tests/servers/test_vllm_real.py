"""A real model in vLLM says what it says in this process, and writes rows as good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.real import MODEL
from tests.servers.asking import answers, asked, found, replies, scores
from tests.servers.conftest import Vsgen, rows
from tests.servers.serve import VLLM, vllm
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.open import open_model
from vsgen.values import Completion, Generate, Score, Teach

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not VLLM.exists(), reason="make test-vllm installs vLLM"),
]
NEAR = 1e-3
CAN = Abilities(
    "tight", pattern=True, logprobs=True, top_logprobs=20, prompt_logprobs=True, seed=True, prefill=True, top_k=True
)
NARROW = '{"top_k": 20, "repetition_penalty": 1.2}'
"""Settings that come with many models: vLLM applies them to every request that has none of its own."""
MOODS = ("positive", "negative", "neutral")
REVIEW = asked("Is this review positive, negative or neutral? Reply with one word.\n\nThe lamp broke after two days.")
KIT = """\
version: 1
name: kit
prompt: Write a one-sentence customer opinion about a folding kayak.
output: {field: text, max_chars: 300}
sampling: {method: vs, k: 4, max_tokens: 400}
"""
DAY = asked("Name a random day of the week.")


@pytest.fixture(scope="module")
def url(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("vllm") / "log"
    with vllm(real, "smol", log, "--override-generation-config", NARROW) as served:
        yield served


@pytest.fixture(scope="module")
def smol() -> BatchedModel:
    model = open_model(str(MODEL))
    assert isinstance(model, BatchedModel)
    return model


def test_what_vllm_can_is_found(url: str) -> None:
    shown = found(url, "smol", Chat()).can
    assert (shown.json_schema, shown.top_logprobs, shown.prompt_logprobs) == ("tight", 20, True)
    assert shown.prefill and shown.seed and shown.top_k and shown.pattern


def test_whole_choices_have_the_probabilities_that_they_have_in_this_process(url: str, smol: BatchedModel) -> None:
    calls = [Score(REVIEW, MOODS), Score(asked(REVIEW.messages[0].content, "It is"), tuple(f" {one}" for one in MOODS))]
    for answer, truth in zip(scores(answers(url, "smol", Chat(), calls, CAN)), smol.score(calls), strict=True):
        assert answer.logp == pytest.approx(truth.logp, abs=NEAR) and not answer.upper


@pytest.mark.parametrize("prefill", [True, False])
def test_bounds_hold_the_probabilities_of_this_process(url: str, smol: BatchedModel, prefill: bool) -> None:
    can = Abilities(top_logprobs=20, prefill=prefill, temperature=True)
    (answer,) = scores(answers(url, "smol", Chat(), [Score(REVIEW, MOODS)], can))
    (truth,) = smol.score([Score(REVIEW, MOODS)])
    lower, upper = answer.lower or answer.logp, answer.upper or answer.logp
    assert all(low - NEAR <= logp <= up + NEAR for low, logp, up in zip(lower, truth.logp, upper, strict=True))


def test_the_likeliest_reply_is_the_same(url: str, smol: BatchedModel) -> None:
    calls = [Generate(one, 1, temperature=0.0, max_tokens=40) for one in (DAY, REVIEW, asked("Write a haiku."))]
    theirs, ours = replies(answers(url, "smol", Chat(), calls, CAN)), smol.generate(calls)
    assert [one.text for one in theirs] == [one.text for one in ours]


def test_replies_are_drawn_from_the_models_whole_distribution_whatever_settings_come_with_it(
    url: str, smol: BatchedModel
) -> None:
    count = 300
    (taught,) = smol.teach([Teach(DAY, "x", 20)])
    top = {spell(smol, token) for token in np.frombuffer(taught.top_ids, "<u4")[:20].tolist()}
    beyond = 1 - float(np.exp(np.frombuffer(taught.top_logps, "<f4")[:20]).sum())
    drawn = answers(url, "smol", Chat(), [Generate(DAY, seed, max_tokens=1) for seed in range(count)], CAN)
    share = sum(not isinstance(one, Completion) or one.text not in top for one in drawn) / count
    assert abs(share - beyond) < 4 * (beyond * (1 - beyond) / count) ** 0.5


def test_lists_are_held_to_their_schema(vsgen: Vsgen, url: str, tmp_path: Path) -> None:
    template, out, lost = tmp_path / "kit.yaml", tmp_path / "out.jsonl", tmp_path / "lost.jsonl"
    template.write_text(KIT)
    done = vsgen("run", template, "--endpoint", url, "-m", "smol", "-n", 8, "-o", out, "--rejects", lost)
    assert done.exit_code == 0, done.output
    assert len(rows(out)) == 8
    assert not [one for one in rows(lost) if one["reason"] == "malformed"]


def spell(model: BatchedModel, token: int) -> str:
    """A token's text."""
    return model._parts.tokenizer.decode([token])
