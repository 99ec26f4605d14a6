"""Replies drawn by ids of tokens: a server says what the model says in this process, with both probabilities."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import Server, asked_of, ok, talk
from tests.backends.endpoint.examining import examine
from tests.backends.endpoint.own import served
from tests.endpoint.own_model import OwnModel
from tests.sampling.power.exact import PROMPT, TABLE, noise, play, target, variation
from tests.sampling.power.exact import replies as every_reply
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.needs import FALLBACKS, missing
from vsgen.backends.endpoint.tokens import _Laid
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Wire
from vsgen.backends.open import open_model
from vsgen.ports import LanguageModel
from vsgen.probability import logs
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.power import smc
from vsgen.sampling.settings import Power, Sampling, Settings
from vsgen.testing import PROMPTS, check_resumable
from vsgen.values import Completion, Generate, Message, Prompt, Refused, Score, Scores, Taught, Teach

RAW = Abilities(tokens=True, listed=20, seed=True, prefill=True)
PROCESSED = replace(RAW, processed_logprobs=True)
CHAT = Prompt((Message("user", "Name a random color."),))
STORY = Prompt((Message("system", "Be brief."), Message("user", "Write a story about a dog.")), "The ")
TEXT = Prompt(prefill="The sky is")
CALLS = [
    Generate(prompt, seed=seed, temperature=heat, max_tokens=9, stop=stop, resumable=True)
    for prompt in (CHAT, STORY)
    for seed, heat, stop in ((1, 0.5, ()), (2, 1.0, (".",)), (3, 1.6, ("e",)))
]


@pytest.fixture(scope="module")
def models() -> dict[bool, OwnModel]:
    return {processed: OwnModel("tiny", processed=processed) for processed in (False, True)}


@pytest.fixture
def raw(models: dict[bool, OwnModel]) -> OwnModel:
    models[False].start_anew()  # whatever test ran before
    return models[False]


@pytest.fixture
def processed(models: dict[bool, OwnModel]) -> OwnModel:
    models[True].start_anew()
    return models[True]


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return open_model("tiny")


@dataclass
class Over:
    """A model that a wire asks, call by call."""

    server: Server
    can: Abilities
    wire: Wire
    name: str = "tiny"

    def said(self, call: Generate) -> Said:
        return talk(self.wire.dialog(call, "tiny", self.can), self.server)

    def generate(self, calls: Sequence[Generate]) -> list[Completion]:
        answers = [self.said(call).answer for call in calls]
        assert all(isinstance(one, Completion) for one in answers), answers
        return [one for one in answers if isinstance(one, Completion)]

    def score(self, calls: Sequence[Score]) -> list[Scores]:
        raise NotImplementedError


def over(own: OwnModel, can: Abilities, wire: Wire | None = None, **change: Any) -> Over:
    return Over(served(own, **change), can, wire or Chat())


def check_same(found: Sequence[Completion], truth: Sequence[Completion]) -> None:
    for one, other in zip(found, truth, strict=True):
        assert (one.tokens, one.text, one.stopped) == (other.tokens, other.text, other.stopped)
        assert one.logps == pytest.approx(other.logps, abs=1e-5)
        assert one.logqs == pytest.approx(other.logqs, abs=1e-5)
        assert (one.logp, one.logq) == pytest.approx((other.logp, other.logq), abs=1e-5)
        assert one.prompt_tokens == other.prompt_tokens


def halves(calls: Sequence[Generate], model: LanguageModel) -> list[Generate]:
    """The calls that go on with the middle of what a model replies to others."""
    replies = model.generate(calls)
    return [
        replace(call, prefix=reply.tokens[: len(reply.tokens) // 2])
        for call, reply in zip(calls, replies, strict=True)
        if len(reply.tokens) > 1
    ]


def test_what_is_drawn_from_the_listed_tokens_is_what_this_process_draws_from_as_many(
    raw: OwnModel, tiny: LanguageModel
) -> None:
    calls = [replace(call, top_k=20) for call in CALLS]
    every = [*calls, *halves(calls, tiny)]
    check_same(over(raw, RAW).generate([replace(call, top_k=0) for call in every]), tiny.generate(every))


def test_what_is_drawn_from_all_tokens_is_what_this_process_draws(processed: OwnModel, tiny: LanguageModel) -> None:
    every = [*CALLS, *halves(CALLS, tiny)]
    check_same(over(processed, PROCESSED).generate(every), tiny.generate(every))


def test_a_text_is_continued_by_ids_as_well(raw: OwnModel, tiny: LanguageModel) -> None:
    call = Generate(TEXT, 4, 0.5, top_k=20, max_tokens=9, resumable=True)
    every = [call, *halves([call], tiny)]
    check_same(over(raw, RAW, Completions()).generate(every), tiny.generate(every))


def test_a_reply_over_http_may_be_interrupted_and_continued(raw: OwnModel) -> None:
    check_resumable(over(raw, RAW), 1e-5, [one for one in PROMPTS if one.messages][:1])


def test_a_stop_string_that_a_prefix_begins_ends_the_reply_where_it_does_in_this_process(
    raw: OwnModel, tiny: LanguageModel
) -> None:
    (whole,) = tiny.generate([Generate(STORY, 5, 0.5, top_k=20, max_tokens=12, resumable=True)])
    for cut in range(1, min(6, len(whole.tokens) - 2)):
        before, after = (tiny_text(raw, whole.tokens[:at]) for at in (cut, cut + 2))
        stop = after[max(0, len(before) - 2) :]
        call = Generate(STORY, 5, 0.5, top_k=20, max_tokens=9, prefix=whole.tokens[:cut], stop=(stop,), resumable=True)
        check_same(over(raw, RAW).generate([call]), tiny.generate([call]))


def tiny_text(own: OwnModel, tokens: Sequence[int]) -> str:
    return own._parts.tokenizer.decode(tokens)


def test_a_prompt_is_laid_out_once(raw: OwnModel) -> None:
    model, routes = over(raw, RAW), list[str]()
    inner = model.server

    def noted(request: Request) -> Response:
        routes.append(request.path)
        return inner(request)

    model.server = noted
    model.generate([CALLS[0], replace(CALLS[0], seed=8), replace(CALLS[0], prefix=(71,))])
    assert routes == ["chat/completions", "completions", "completions", "completions", "completions"]


def test_what_is_drawn_hangs_on_nothing_that_a_server_takes_from_its_model() -> None:
    chat = Chat()
    chat._tokens._known["m", CHAT] = _Laid((1, 2))
    _, body = asked_of(chat.dialog(replace(CALLS[1], schema="{}", pattern="a"), "m", RAW))
    assert body == {
        "model": "m",
        "prompt": [1, 2],
        "max_tokens": 9,
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 20,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": 2,
        "stop": ["."],
        "logprobs": 20,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
    }


def drawing(choice: Mapping[str, Any]) -> Said:
    """What comes of a reply to a call whose prompt is known."""
    chat = Chat()
    chat._tokens._known["m", CHAT] = _Laid((1, 2))
    return talk(chat.dialog(replace(CALLS[0], max_tokens=2), "m", replace(RAW, listed=2)), lambda _: ok(body(choice)))


def body(choice: Mapping[str, Any]) -> dict[str, Any]:
    top = {"token_id:5": math.log(0.5), "token_id:6": math.log(0.3)}
    plain = {
        "text": "x",
        "finish_reason": "length",
        "token_ids": [6],
        "logprobs": {"token_logprobs": [math.log(0.3)], "top_logprobs": [top]},
    }
    return {"choices": [{**plain, **choice}], "usage": {"prompt_tokens": 2, "completion_tokens": 1}}


def logprobs(own: object, top: object) -> dict[str, Any]:
    return {"logprobs": {"token_logprobs": own, "top_logprobs": top}}


def test_log_q_is_that_of_the_listed_tokens_at_the_temperature() -> None:
    answer = drawing({}).answer
    assert isinstance(answer, Completion)
    assert answer.logps == pytest.approx((math.log(0.3),), abs=1e-6)
    assert answer.logqs == pytest.approx((math.log(0.09 / 0.34),), abs=1e-6)


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        (logprobs([-3.0], [{"token_id:6": -3.0, "token_id:5": -0.2, "token_id:7": -1.9}]), "ignores top_k"),
        (logprobs([-1.0], [{"token_id:6": -1.0}]), "lists 1 tokens in place of 2"),
    ],
)
def test_a_server_that_does_not_draw_as_it_is_asked_to_is_refused(choice: Mapping[str, Any], why: str) -> None:
    answer = drawing(choice).answer
    assert isinstance(answer, Refused) and why in answer.problem


@pytest.mark.parametrize(
    "choice",
    [
        {"token_ids": None},
        {"token_ids": []},
        {"token_ids": [1, 2, 3]},
        {"token_ids": [True]},
        {"token_ids": [-1]},
        {"finish_reason": "abort"},
        {"text": None},
        {"logprobs": None},
        logprobs([0.7], [{"token_id:6": -1.0}]),
        logprobs([None], [{"token_id:6": -1.0}]),
        logprobs([-9999.0], [{"token_id:6": -9999.0}]),
        logprobs([-1.0], [{"six": -1.0}]),
        logprobs([-1.0], [{"token_id:" + "9" * 99: -1.0}]),
        logprobs([-1.0], []),
        logprobs([-1.0], [[-1.0]]),
        logprobs([math.nan], [{"token_id:6": -1.0}]),
    ],
)
def test_a_reply_that_does_not_state_its_tokens_is_of_no_use(choice: Mapping[str, Any]) -> None:
    with pytest.raises(Exception, match=r"reply|JSON"):
        drawing(choice)


def table(request: Request) -> Response:
    """The exact toy model as a server; its prompt is the one token 99."""
    asked = orjson.loads(request.body)
    prompt = asked["prompt"]
    if asked.get("echo"):
        texts = ["?" + TABLE.spell(one[1:]) for one in prompt]
        return ok({"choices": [{"index": i, "text": text} for i, text in enumerate(texts)]})
    if isinstance(prompt, str):
        return ok({"choices": [{"prompt_token_ids": [99]}]})
    prefix, heat = tuple(prompt[1:]), asked["temperature"]
    call = Generate(PROMPT, asked["seed"], heat, max_tokens=asked["max_tokens"], prefix=prefix, resumable=True)
    (reply,) = TABLE.generate([call])
    places = [TABLE.probs(PROMPT, (*prefix, *reply.tokens[:at])) for at in range(len(reply.tokens))]
    listed = [{f"token_id:{token}": max(logp, -9999.0) for token, logp in enumerate(logs(one))} for one in places]
    stated = {"token_logprobs": reply.logps, "top_logprobs": listed}
    end = {"text": reply.text, "finish_reason": "stop" if reply.stopped else "length"}
    return ok({"choices": [{**end, "token_ids": reply.tokens, "logprobs": stated}]})


def seeded(calls: Sequence[Generate]) -> list[Generate]:
    """The calls with seeds that servers take as they are."""
    return [replace(call, seed=call.seed % 2**31) for call in calls]


def test_every_call_of_power_sampling_is_answered_as_by_the_model_itself() -> None:
    model = Over(table, RAW, Completions())
    prefixes = [
        reply.tokens[:cut] for reply, _ in every_reply(TABLE, Generate(PROMPT, 0, max_tokens=3)) for cut in (0, 2)
    ]
    calls = [
        Generate(PROMPT, seed, heat, max_tokens=4 - len(prefix), prefix=prefix, resumable=True)
        for seed, prefix in enumerate(dict.fromkeys(prefixes))
        for heat in (0.25, 1.0, 2.0)
        if TABLE.end not in prefix
    ]
    check_same(model.generate(calls), [replace(one, prompt_tokens=1) for one in TABLE.generate(calls)])


@pytest.mark.slow
def test_sweeps_over_completions_pick_by_p_alpha() -> None:
    model, law = Over(table, RAW, Completions()), target(TABLE, 2.0, 4)
    plan = smc.Plan(alpha=2.0, particles=16, stretch=2, ess=0.5)
    asked = Generate(PROMPT, seed=0, max_tokens=4)

    def pick(seed: int) -> tuple[int, ...]:
        return play(smc.sweep(plan, asked, Random(seed)), model.generate).draft.tokens

    assert variation(Counter(map(pick, range(400))), law) < noise(law, 400)
    low = {reply.tokens: q for reply, q in every_reply(TABLE, replace(asked, temperature=0.5))}
    assert variation(low, law) > 1.5 * noise(law, 400)  # which the same test tells from the power law


@pytest.mark.parametrize("engine", ["auto", "smc", "mh"])
def test_a_draw_over_completions_is_the_draw_of_this_process(engine: str, raw: OwnModel, tiny: LanguageModel) -> None:
    how = Power.model_validate({"engine": engine, "particles": 3, "check_every": 4, "steps": 2, "blocks": 2})
    sampler = open_sampler(Settings(Sampling(method="power", k=2, max_tokens=8, power=how)))
    model = over(raw, RAW)
    found = play(sampler(CHAT, Random(5)), model.generate)
    truth = play(
        sampler(CHAT, Random(5)),
        lambda calls: tiny.generate([replace(call, top_k=20, pattern=None) for call in seeded(calls)]),
    )
    assert [one.fields for one in found.candidates] == [one.fields for one in truth.candidates]
    assert [one.logp for one in found.candidates] == pytest.approx([one.logp for one in truth.candidates], abs=1e-4)
    assert [one.weight for one in found.candidates] == pytest.approx([one.weight for one in truth.candidates], abs=1e-4)
    assert (found.basis, found.notes) == (truth.basis, truth.notes)


ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 1 << 64) | st.floats() | st.text(max_size=4) | st.just("stop"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["logprob", "7", "token_id:7"]), inner),
    max_leaves=4,
)


def members(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value: what holds it, and its name or number there."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [place for name, inner in items for place in [(value, name), *members(inner)]]


@pytest.mark.slow
@pytest.mark.parametrize("can", [RAW, PROCESSED])
@pytest.mark.parametrize("call", [CALLS[0], replace(CALLS[2], prefix=(71, 19)), Teach(CHAT, "blue", 3)])
def test_no_value_in_any_place_of_a_reply_crashes_the_reader_or_becomes_a_number_that_is_none(
    can: Abilities, call: Generate | Teach, request: pytest.FixtureRequest
) -> None:
    own: OwnModel = request.getfixturevalue("processed" if can.processed_logprobs else "raw")
    honest: list[Response] = []
    server = served(own)

    def noted(request: Request) -> Response:
        honest.append(server(request))
        return honest[-1]

    can = replace(can, prompt_logprobs=True)
    talk(Chat().dialog(call, "tiny", can), noted)

    @given(st.data())
    def law(data: st.DataObject) -> None:
        bodies = [orjson.loads(one.body) for one in honest]
        holder, name = data.draw(st.sampled_from(members(data.draw(st.sampled_from(bodies)))))
        holder[name] = data.draw(ODD)
        sent = iter(bodies)
        try:
            answer = talk(
                Chat().dialog(call, "tiny", can), lambda _: Response(200, {}, json.dumps(next(sent, None)).encode())
            )
        except Unreadable:
            return
        if isinstance(answer.answer, Completion | Taught):
            numbers = [*answer.answer.logps, *getattr(answer.answer, "logqs", ())]
            assert all(one <= 0 for one in numbers), numbers
        else:
            assert isinstance(answer.answer, Refused)

    law()


def test_where_ids_are_not_to_be_had_power_sampling_and_rows_are_refused_with_what_to_do() -> None:
    call, row = CALLS[0], Teach(CHAT, "blue")
    for wire in (Chat(), Completions(), Messages()):
        problem = wire.lacks(call, Abilities())
        assert problem is not None and "power sampling" in problem
        assert wire.lacks(replace(call, resumable=False, prefix=(1,)), Abilities()) == problem
    assert "ids of tokens" in (Messages().lacks(call, RAW) or "")
    assert Chat().lacks(call, RAW) is None
    assert "token-level rows" in (Chat().lacks(row, RAW) or "")
    rows = replace(RAW, prompt_logprobs=True)
    assert Chat().lacks(row, rows) is None
    assert "top=20" in (Chat().lacks(replace(row, top=21), rows) or "")
    assert "--wire chat" in (Completions().lacks(row, rows) or "")
    assert "above 2" in (Chat().lacks(replace(call, temperature=2.5), RAW) or "")
    assert "top_p" in (Chat().lacks(replace(call, top_p=0.9), RAW) or "")
    assert Chat().lacks(replace(call, top_p=0.9), PROCESSED) is None


def test_it_is_said_once_that_tokens_are_drawn_from_those_that_are_listed_and_held_to_no_form() -> None:
    call = replace(CALLS[0], pattern="a")
    able = replace(RAW, pattern=True, json_schema="full")
    assert missing(call, able) == ("pattern", "processed_logprobs")
    assert missing(call, replace(able, processed_logprobs=True)) == ("pattern",)
    assert "--max-logprobs" in FALLBACKS["processed_logprobs"]


def seen(server: Server, wire: Wire) -> tuple[Abilities, Mapping[str, str]]:
    dialog = examine(wire, "tiny", {"tokens"})
    try:
        request = next(dialog)
        while True:
            request = dialog.send(server(request))
    except StopIteration as end:
        return end.value.can, end.value.reasons


@pytest.mark.parametrize("wire", [Chat, Completions])
@pytest.mark.parametrize("kind", ["raw", "processed"])
def test_whose_log_probabilities_are_stated_is_found_by_trying(
    kind: str, wire: Callable[[], Wire], request: pytest.FixtureRequest
) -> None:
    can, reasons = seen(served(request.getfixturevalue(kind)), wire())
    assert (can.tokens, can.processed_logprobs, can.listed, reasons) == (True, kind == "processed", 20, {})


def begun(ids: list[int]) -> list[int]:
    """Without what follows the mark that opens a reply."""
    return ids[: ids.index(5) + 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body | {"top_k": 0},
        lambda body: body | {"temperature": 1.0},
        lambda body: body | {"return_token_ids": False},
        lambda body: body | {"return_tokens_as_token_ids": False},
        lambda body: body | {"prompt": begun(body["prompt"])} if type(body.get("prompt", [""])[0]) is int else body,
    ],
    ids=["ignores top_k", "ignores temperature", "no ids", "no ids of alternatives", "forgets the prefix"],
)
@pytest.mark.parametrize("kind", ["raw", pytest.param("processed", marks=pytest.mark.slow)])
def test_a_server_that_takes_what_it_does_not_heed_cannot_do_power_sampling(
    kind: str, change: Callable[[dict[str, Any]], dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    can, _ = seen(served(request.getfixturevalue(kind), change=change), Chat())
    assert not can.tokens


@pytest.mark.parametrize(("most", "listed"), [(19, 5), (150, 100)])
def test_how_many_tokens_are_listed_is_found(
    raw: OwnModel, monkeypatch: pytest.MonkeyPatch, most: int, listed: int
) -> None:
    monkeypatch.setattr("tests.endpoint.own_model._MOST", most)
    can, _ = seen(served(raw), Chat())
    assert (can.tokens, can.listed) == (True, listed)
