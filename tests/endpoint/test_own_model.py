"""The embedded model behind a URL says what it says in this process: replies, and the probabilities of choices."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.backends.open import open_model
from vsgen.engine.mailbox import Mailbox
from vsgen.ports import LanguageModel, Ticket
from vsgen.values import Answer, Call, Completion, Generate, Message, Prompt, Score, Scores

ASKED = Prompt((Message("user", "Name a random color."),))
CAN = Abilities("full", seed=True, prefill=True, prompt_logprobs=True, top_logprobs=20, logprobs=True)


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return open_model("tiny")


def answered(wire: Wire, calls: Sequence[Call], can: Abilities = CAN) -> list[Answer]:
    with serving(Plan(model="tiny")) as server:
        mailbox = Mailbox()
        target = Target(read_address(server.url), None, wire, "tiny", can)
        executor = Transport(Settings(), Random(0)).executor(target, mailbox)
        for number, call in enumerate(calls):
            executor.submit(Ticket(number, number), call)
        executor.flush()
        executor.close(cancel=False)
        return [answer for _, answer in sorted(mailbox.wait(0))]


def test_a_draw_with_a_seed_is_the_same(tiny: LanguageModel) -> None:
    calls = [Generate(ASKED, seed=seed, max_tokens=20) for seed in range(3)]
    replies = answered(Chat(), calls)
    assert [reply.text for reply in replies if isinstance(reply, Completion)] == [
        reply.text for reply in tiny.generate(calls)
    ]


@pytest.mark.parametrize("wire", [Chat(), Completions()])
def test_whole_choices_have_the_probabilities_that_they_have_in_this_process(wire: Wire, tiny: LanguageModel) -> None:
    prompt = ASKED if isinstance(wire, Chat) else Prompt((Message("user", "The sky is blue."),), cue="Color:")
    call = Score(prompt, ("red", "blue", "turquoise"))
    (found,) = answered(wire, [call])
    assert isinstance(found, Scores), found
    if isinstance(wire, Chat):
        assert found.logp == pytest.approx(tiny.score([call])[0].logp, abs=1e-3)
    else:
        assert all(-60 < logp < 0 for logp in found.logp)
