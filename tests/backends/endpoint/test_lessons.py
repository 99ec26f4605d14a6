"""Token-level rows over chat: the distributions along an answer are those of this process."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest

from tests.backends.endpoint.dialogs import Server, ok, talk
from tests.backends.endpoint.own import served
from tests.endpoint.own_model import OwnModel
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.open import open_model
from vsgen.ports import Teacher
from vsgen.values import Answer, Message, Prompt, Refused, Taught, Teach

CAN = Abilities(tokens=True, listed=20, prompt_logprobs=True, prefill=True)
ASKED = Prompt((Message("system", "Be brief."), Message("user", "Name a random color.")))


@pytest.fixture(scope="module")
def server() -> Server:
    return served(OwnModel("tiny"))


@pytest.fixture(scope="module")
def tiny() -> Teacher:
    model = open_model("tiny")
    assert isinstance(model, Teacher)
    return model


def taught(call: Teach, server: Server) -> Answer:
    return talk(Chat().dialog(call, "tiny", CAN), server).answer


@pytest.mark.parametrize("answer", ["blue", "", " dark blue", "blue\n", "0xQ7#Zk", "Blau, aber schön: 7!"])
@pytest.mark.parametrize("prefill", ["", "The color is "])
def test_a_row_is_what_this_process_makes_of_the_same_answer(
    answer: str, prefill: str, server: Server, tiny: Teacher
) -> None:
    call = Teach(Prompt(ASKED.messages, prefill), answer, 5)
    found, (truth,) = taught(call, server), tiny.teach([call])
    assert isinstance(found, Taught), found
    assert (found.prompt_tokens, found.tokens, found.width) == (truth.prompt_tokens, truth.tokens, truth.width)
    assert found.logps == pytest.approx(truth.logps, abs=1e-5)
    assert found.top_ids == truth.top_ids
    stated, own = (np.frombuffer(one.top_logps, "<f4") for one in (found, truth))
    assert stated == pytest.approx(own, abs=1e-5)


def spoiled(place: Any) -> Server:
    """A server whose conversations are their characters between two tokens, and which lists the same at each place."""

    def answer(request: Request) -> Response:
        asked = orjson.loads(request.body)
        ids = [1, *map(ord, asked["messages"][-1]["content"]), 2, 3]
        stated = [{str(token): {"logprob": -1.0}} | place for token in ids[1:]]
        return ok({"prompt_token_ids": ids, "prompt_logprobs": [None, *stated], "choices": [{}]})

    return answer


def test_what_the_model_never_writes_is_impossible_and_not_very_improbable() -> None:
    found = taught(Teach(ASKED, "a", 2), spoiled({"7": {"logprob": -9999.0}}))
    assert isinstance(found, Taught)
    assert found.tokens == (97, 2)
    assert np.frombuffer(found.top_logps, "<f4").tolist() == [-1.0, -math.inf] * 2


def test_an_answer_without_an_end_is_refused() -> None:
    def endless(request: Request) -> Response:
        ids = [1, *map(ord, orjson.loads(request.body)["messages"][-1]["content"])]
        stated = [None, *({str(token): {"logprob": -1.0}} for token in ids[1:])]
        return ok({"prompt_token_ids": ids, "prompt_logprobs": stated})

    found = taught(Teach(ASKED, "blue", 2), endless)
    assert isinstance(found, Refused) and "no end of a turn" in found.problem


@pytest.mark.parametrize("place", [[], {"x": {"logprob": -1.0}}, {"7": {"logprob": "?"}}, {"7": {"logprob": 2.0}}])
def test_places_that_are_none_are_of_no_use(place: Any) -> None:
    def server(request: Request) -> Response:
        return ok({"prompt_token_ids": [1, 2], "prompt_logprobs": [None, place]})

    with pytest.raises(Exception, match="the reply"):
        taught(Teach(ASKED, "blue", 2), server)
