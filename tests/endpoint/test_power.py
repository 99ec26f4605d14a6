"""Power sampling of the embedded model over HTTP draws what this process draws."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.backends.open import open_model
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.source import Flows
from vsgen.flow import play
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import Power, Sampling
from vsgen.sampling.settings import Settings as SamplerSettings
from vsgen.values import Distribution, Generate, Message, Prompt

ASKED = Prompt((Message("user", "Write one short product review."),))


def sampler(engine: str) -> SamplerSettings:
    how = Power.model_validate({"engine": engine, "particles": 3, "check_every": 4, "steps": 1, "blocks": 2})
    return SamplerSettings(Sampling(method="power", k=2, max_tokens=8, power=how))


@pytest.mark.parametrize(("engine", "processed"), [("smc", False), ("mh", True)])
def test_draws_over_http_are_those_of_this_process(engine: str, processed: bool) -> None:
    can = Abilities(tokens=True, processed_logprobs=processed, listed=20, seed=True)
    draw, kept = open_sampler(sampler(engine)), 0 if processed else 20
    with serving(Plan(model="tiny", processed=processed)) as server:
        mailbox = Mailbox()
        target = Target(read_address(server.url), None, Chat(), "tiny", can)
        executor = Transport(Settings(), Random(0)).executor(target, mailbox)
        try:
            flows = Flows(draw(ASKED, Random(seed)) for seed in range(2))
            found = list(drive(flows, {Generate: executor}, mailbox))
        finally:
            executor.close(cancel=True)
    tiny = open_model("tiny")
    for seed, one in enumerate(found):
        truth: Distribution = play(
            draw(ASKED, Random(seed)),
            lambda calls: tiny.generate(
                [
                    replace(call, seed=call.seed % 2**31, top_k=kept, pattern=None)
                    for call in calls
                    if isinstance(call, Generate)
                ]
            ),
        )
        assert [each.fields for each in one.candidates] == [each.fields for each in truth.candidates]
        for each, other in zip(one.candidates, truth.candidates, strict=True):
            assert (each.logp, each.weight) == pytest.approx((other.logp, other.weight), abs=1e-4)
