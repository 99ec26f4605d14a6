"""Power sampling and token-level rows of the embedded model in vLLM: what this process draws, weighs and says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.servers.asking import answers, asked, found, replies
from tests.servers.serve import VLLM, vllm
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.open import open_model
from vsgen.ports import LanguageModel, Teacher
from vsgen.tiny import WEIGHTS
from vsgen.values import Completion, Generate, Taught, Teach

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not VLLM.exists(), reason="make test-vllm installs vLLM"),
]
NEAR = 1e-3
CITY = asked("Name a random city.")
REVIEW = asked("Write one short product review.", system="Be brief.")


@pytest.fixture(scope="module", params=["raw", "processed"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Abilities]]:
    """Its URL, and what is found out about it."""
    log, mode = tmp_path_factory.mktemp("vllm") / "log", f"{request.param}_logprobs"
    with vllm(WEIGHTS, "tiny", Path(log), "--logprobs-mode", mode) as url:
        can = found(url, "tiny", Chat()).can
        assert (can.tokens, can.processed_logprobs, can.listed) == (True, request.param == "processed", 20)
        yield url, can


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return open_model("tiny")


def check_weighed(reply: Completion, call: Generate, can: Abilities, tiny: LanguageModel) -> None:
    """Both log-probabilities of each token are those that it has in this process, whatever seed drew it."""
    assert isinstance(tiny, Teacher)
    model = tiny._parts  # type: ignore[attr-defined]
    ids, kept = model.reader.ids(call.prompt), 0 if can.processed_logprobs else can.listed
    drawn = [*call.prefix, *reply.tokens]
    with model.network.computing():
        every = model.network.along([tuple(ids)], [tuple(drawn)], model.ends, model.network.vocabulary)
    for at, (token, logp, logq) in enumerate(zip(reply.tokens, reply.logps, reply.logqs, strict=True)):
        place = len(call.prefix) + at
        listed = np.sort(every.top_logps[0, place].astype(float))[::-1][: kept or None] / call.temperature
        own = float(every.logps[0, place])
        assert logp == pytest.approx(own, abs=NEAR), token
        log_z = math.log(np.exp(listed - listed.max()).sum()) + listed.max()
        assert logq == pytest.approx(own / call.temperature - log_z, abs=NEAR), token


def test_tokens_have_the_probabilities_of_this_process_and_replies_go_on_from_ids(
    server: tuple[str, Abilities], tiny: LanguageModel
) -> None:
    url, can = server
    calls = [
        Generate(prompt, seed=seed, temperature=heat, max_tokens=12, resumable=True)
        for prompt in (CITY, REVIEW)
        for seed, heat in enumerate((0.25, 0.5, 1.0, 2.0))
    ]
    whole = replies(answers(url, "tiny", Chat(), calls, can))
    for call, reply in zip(calls, whole, strict=True):
        check_weighed(reply, call, can, tiny)
    frozen = [replace(call, temperature=0.01) for call in calls[::4]]
    begun = replies(answers(url, "tiny", Chat(), frozen, can))
    rests = [
        replace(call, prefix=reply.tokens[: len(reply.tokens) // 2])
        for call, reply in zip(frozen, begun, strict=True)
        if len(reply.tokens) > 1
    ]
    assert rests
    for call, rest in zip(rests, replies(answers(url, "tiny", Chat(), rests, can)), strict=True):
        (reply,) = [one for one, first in zip(begun, frozen, strict=True) if first.prompt == call.prompt]
        assert call.prefix + rest.tokens[: len(reply.tokens) - len(call.prefix)] == reply.tokens
        assert rest.text.startswith(reply.text)


def test_token_level_rows_are_those_of_this_process(server: tuple[str, Abilities], tiny: LanguageModel) -> None:
    url, can = server
    assert isinstance(tiny, Teacher)
    calls = [Teach(prompt, answer, 5) for prompt in (CITY, REVIEW) for answer in ("Paris", "It works well.", "")]
    for one, truth in zip(answers(url, "tiny", Chat(), calls, can), tiny.teach(calls), strict=True):
        assert isinstance(one, Taught), one
        assert (one.prompt_tokens, one.tokens, one.top_ids) == (truth.prompt_tokens, truth.tokens, truth.top_ids)
        assert one.logps == pytest.approx(truth.logps, abs=NEAR)
        tops = [np.frombuffer(each.top_logps, "<f4") for each in (one, truth)]
        assert tops[0] == pytest.approx(tops[1], abs=NEAR)
