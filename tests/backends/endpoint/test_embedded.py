"""The wires against the embedded model in a server's form: what they read is what it says in this process."""

from __future__ import annotations

import pytest

from tests.backends.endpoint.dialogs import talk
from tests.backends.endpoint.examining import examine
from tests.backends.endpoint.own import served
from tests.endpoint.own_model import OwnModel
from vsgen.backends.endpoint.abilities import Found
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.backends.open import open_model
from vsgen.labels.words import question
from vsgen.ports import LanguageModel
from vsgen.values import Score, Scores

CLASSES = ("positive", "negative")
CALL = Score(question("Which sentiment does this text have: I love this warm soup", CLASSES), CLASSES)
LISTING = Abilities(top_logprobs=20, prefill=True)


@pytest.fixture(scope="module")
def own() -> OwnModel:
    return OwnModel("tiny")


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return open_model("tiny")


def scored(own: OwnModel, can: Abilities) -> Scores:
    answer = talk(Chat().dialog(CALL, "tiny", can), served(own)).answer
    assert isinstance(answer, Scores)
    return answer


@pytest.mark.parametrize("can", [Abilities(prompt_logprobs=True), LISTING])
def test_every_exact_way_of_scoring_gives_the_probabilities_of_this_process(
    own: OwnModel, tiny: LanguageModel, can: Abilities
) -> None:
    found = scored(own, can)
    assert found.logp == pytest.approx(tiny.score([CALL])[0].logp, abs=1e-5)
    assert not found.upper


@pytest.mark.parametrize("top", [1, 2, 5])
@pytest.mark.parametrize("prefill", [True, False])
def test_bounds_hold_what_the_model_says_in_this_process(
    own: OwnModel, tiny: LanguageModel, top: int, prefill: bool
) -> None:
    found = scored(own, Abilities(top_logprobs=top, prefill=prefill))
    for i, truth in enumerate(tiny.score([CALL])[0].logp):
        assert (found.lower or found.logp)[i] - 1e-5 <= truth <= (found.upper or found.logp)[i] + 1e-5


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (
            Chat(),
            {
                "json_schema",
                "pattern",
                "logprobs",
                "top_logprobs",
                "prompt_logprobs",
                "seed",
                "top_k",
                "tokens",
                "listed",
            },
        ),
        (Completions(), {"json_schema", "pattern", "logprobs", "prompt_logprobs", "tokens", "listed"}),
    ],
)
def test_what_the_embedded_model_can_is_found_by_trying(own: OwnModel, wire: Wire, expected: set[str]) -> None:
    dialog = examine(wire, "tiny")
    try:
        request = next(dialog)
        while True:
            request = dialog.send(served(own)(request))
    except StopIteration as end:
        found: Found = end.value
    assert found.problem is None
    able = {name for name in Abilities.__slots__ if getattr(found.can, name) != getattr(Abilities(), name)}
    assert expected <= able <= expected | {"prefill", "seed", "top_k"}  # a model this small may not write a story
