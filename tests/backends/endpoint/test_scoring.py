from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import ok, talk
from tests.backends.endpoint.toy import Toy
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions, document
from vsgen.backends.endpoint.wire import Abilities, Unreadable
from vsgen.values import Generate, Message, Prompt, Refused, Score, Scores

CHOICES = ("billing", "bill", "shipping", "other")
PROMPT = Prompt((Message("user", "Is it billing or shipping"),), cue="Answer:")
ASKED = "[u]Is it billing or shipping[/u][a]"
CALL = Score(PROMPT, CHOICES)
VLLM = Abilities(prompt_logprobs=True, top_logprobs=20, prefill=True)
LLAMA = Abilities(top_logprobs=20, prefill=True)
OPENAI = Abilities(top_logprobs=20)


def truth(toy: Toy, choice: str) -> float:
    return toy.logp(choice + "</a>", ASKED)


def scores(toy: Toy, can: Abilities, call: Score = CALL) -> Scores:
    answer = talk(Chat().dialog(call, "m", can), toy).answer
    assert isinstance(answer, Scores), answer
    return answer


def test_choices_read_as_prompts_have_exactly_the_models_own_probabilities() -> None:
    toy = Toy()
    found = scores(toy, VLLM)
    assert found.logp == pytest.approx([truth(toy, one) for one in CHOICES], abs=1e-9)
    assert not found.lower and not found.upper
    assert len(toy.requests) == len(CHOICES) + 1


def test_a_prefill_stands_before_the_choices() -> None:
    toy = Toy()
    found = scores(toy, VLLM, Score(Prompt(PROMPT.messages, "so "), CHOICES))
    expected = [toy.logp(f"{one}</a>", f"{ASKED}so ") for one in CHOICES]
    assert found.logp == pytest.approx(expected, abs=1e-9)


def test_choices_walked_with_all_tokens_listed_are_exact() -> None:
    toy = Toy(top=100)
    found = scores(toy, LLAMA)
    assert found.logp == pytest.approx([truth(toy, one) for one in CHOICES], abs=1e-9)
    assert not found.upper


@pytest.mark.parametrize("can", [LLAMA, OPENAI])
@pytest.mark.parametrize("top", [1, 3, 8, 20, 40])
def test_bounds_hold_the_truth_however_little_is_listed(can: Abilities, top: int) -> None:
    toy = Toy(top)
    found = scores(toy, can)
    for i, choice in enumerate(CHOICES):
        lower, upper = (found.lower or found.logp)[i], (found.upper or found.logp)[i]
        if can is LLAMA:
            assert lower - 1e-9 <= truth(toy, choice) <= upper + 1e-9
        assert lower <= found.logp[i] <= upper
    assert min(found.logp) > -math.inf, "what is not listed is not zero"


def step(**probs: float) -> Any:
    return [{"token": text.replace("_", " "), "logprob": math.log(p)} for text, p in probs.items()]


def walked(steps: dict[str, Any], *choices: str) -> Scores:
    """Choices along steps that are listed by what the reply begins with."""

    def server(request: Any) -> Any:
        last = orjson.loads(request.body)["messages"][-1]
        top = steps[last["content"] if last["role"] == "assistant" else ""]
        return ok({"choices": [{"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}], "usage": {}})

    answer = talk(Chat().dialog(Score(Prompt(PROMPT.messages), choices), "m", LLAMA), server).answer
    assert isinstance(answer, Scores), answer
    return answer


def test_tokens_of_one_text_are_one_token_since_llama_cpp_names_none_that_ends() -> None:
    end = [{"token": "", "logprob": math.log(0.9)}, {"token": "", "logprob": math.log(0.0005)}]
    found = walked({"": step(Monday=0.2, x=0.7), "Monday": [*end, *step(x=0.01)]}, "Monday")
    assert found.logp == pytest.approx([math.log(0.2 * 0.9005)]) and not found.upper


def test_a_beginning_that_is_not_the_choices_own_token_does_not_bound_it() -> None:
    steps = {
        "": step(so=0.4, T=0.3, Monday=0.2),
        "T": step(uesday=0.0001, he=0.9),
        "Tuesday": [*step(x=0.1), {"token": "</s>", "logprob": math.log(0.8)}],
    }
    found = walked(steps, "Tuesday")
    assert found.lower[0] == pytest.approx(math.log(0.3 * 0.0001 * 0.8))
    assert found.upper[0] == pytest.approx(math.log(0.1))  # what the first step leaves


def test_without_prefill_one_request_bounds_each_choice_by_its_first_token() -> None:
    toy = Toy(top=100)
    found = scores(toy, OPENAI)
    assert len(toy.requests) == 1
    assert found.upper == pytest.approx([toy.logp(one, ASKED) for one in ("bill", "bill", "ship", "other")], abs=1e-9)
    assert found.logp[0] == found.logp[1] == pytest.approx(found.upper[0] - math.log(2))
    assert set(found.lower) == {-math.inf}


def test_no_grammar_is_sent_and_the_temperature_is_the_models_own() -> None:
    toy = Toy()
    scores(toy, LLAMA)
    for _, body in toy.requests:
        assert not {"response_format", "structured_outputs"} & body.keys()
        assert body["temperature"] == 1.0


def test_a_first_token_that_begins_with_a_space_is_the_same_word() -> None:
    stated = [{"token": " yes", "logprob": math.log(0.5)}, {"token": "yes", "logprob": math.log(0.25)}]
    place = {**stated[0], "top_logprobs": stated}
    reply = {"choices": [{"message": {"content": "x"}, "logprobs": {"content": [place]}}]}
    answer = talk(Chat().dialog(Score(PROMPT, ("yes", "no")), "m", OPENAI), lambda _: ok(reply)).answer
    assert isinstance(answer, Scores)
    assert answer.upper == pytest.approx([math.log(0.75), math.log(0.25)])
    assert answer.logp == pytest.approx([math.log(0.75), math.log(0.125)])


def test_completions_score_all_choices_in_one_request_between_bounds() -> None:
    toy = Toy()
    answer = talk(Completions().dialog(CALL, "m", VLLM), toy).answer
    text = document(PROMPT)
    assert isinstance(answer, Scores) and len(toy.requests) == 1
    assert answer.lower == pytest.approx([toy.logp(f" {one}\n", text) for one in CHOICES], abs=1e-9)
    assert answer.upper == pytest.approx([toy.logp(f" {one}", text) for one in CHOICES], abs=1e-9)


@pytest.mark.parametrize(
    ("can", "words"),
    [
        (Abilities(), "votes or method: verbalized"),
        (Abilities(top_logprobs=20, reasoning=True), "votes or method: verbalized"),
    ],
)
def test_a_server_without_log_probabilities_is_refused_with_what_does_without(can: Abilities, words: str) -> None:
    assert words in str(Chat().lacks(CALL, can))
    answer = talk(Chat().dialog(CALL, "m", can), Toy()).answer
    assert isinstance(answer, Refused)


def test_a_refusal_of_one_step_is_the_calls() -> None:
    error = {"error": {"message": "You are not allowed to request logprobs from this model"}}
    for can in (VLLM, OPENAI):
        answer = talk(Chat().dialog(CALL, "m", can), lambda _: ok(error, 400)).answer
        assert isinstance(answer, Refused) and "not allowed to request logprobs" in answer.problem


@pytest.mark.parametrize(
    "stated",
    [
        None,
        [],
        [None, {}],
        [None, {"x": {"logprob": -1}}],
        [None, {"1": {"logprob": "-1"}}],
        [None, {"1": {"logprob": 2}}],
        [None, {"1": -1}],
        [None, None],
        {"0": None},
    ],
)
def test_prompt_logprobs_of_another_form_are_asked_again(stated: Any) -> None:
    reply = {"choices": [{"message": {"content": "x"}}], "prompt_logprobs": stated}
    with pytest.raises(Unreadable):
        talk(Chat().dialog(CALL, "m", VLLM), lambda _: ok(reply))
    with pytest.raises(Unreadable):
        choices = [{"index": i, "text": "x", "prompt_logprobs": stated} for i in range(5)]
        talk(Completions().dialog(CALL, "m", VLLM), lambda _: ok({"choices": choices}))


@pytest.mark.parametrize(
    "top",
    [
        None,
        [{"token": "a"}],
        [{"token": 1, "logprob": -1}],
        [{"token": "a", "logprob": True}],
        [{"token": "a", "logprob": 3}],
        [{"token": "b", "logprob": -0.1}, {"token": "c", "logprob": -0.1}],
    ],
)
def test_top_logprobs_that_are_no_distribution_are_asked_again(top: Any) -> None:
    place = {"token": "a", "logprob": -0.1, "top_logprobs": top}
    reply = {"choices": [{"message": {"content": "a"}, "logprobs": {"content": [place]}}]}
    with pytest.raises(Unreadable):
        talk(Chat().dialog(CALL, "m", OPENAI), lambda _: ok(reply))


@given(st.lists(st.text("abeilnopst", min_size=1, max_size=6), min_size=2, max_size=5, unique=True))
def test_any_choices_are_scored_exactly_where_prompts_are_read(choices: list[str]) -> None:
    toy = Toy()
    found = scores(toy, VLLM, Score(PROMPT, tuple(choices)))
    assert found.logp == pytest.approx([truth(toy, one) for one in choices], abs=1e-9)


def test_a_reply_of_completions_has_the_tokens_that_the_server_names() -> None:
    call = Generate(Prompt(prefill="Once"), seed=3, max_tokens=5)
    choice = {"text": " a", "finish_reason": "stop", "token_ids": [7, 2]}
    reply = {"choices": [{**choice, "logprobs": {"token_logprobs": [-0.5, -0.25]}}], "usage": {"prompt_tokens": 1}}
    can = Abilities(tokens=True, logprobs=True)
    answer = talk(Completions().dialog(call, "m", can), lambda _: ok(reply)).answer
    assert (answer.tokens, answer.logp, answer.logq) == ((7, 2), -0.75, -0.75)  # type: ignore[union-attr]
    held = Generate(Prompt(prefill="Once"), seed=3, max_tokens=5, pattern="a|b", temperature=0.5)
    answer = talk(Completions().dialog(held, "m", can), lambda _: ok(reply)).answer
    assert (answer.tokens, answer.logp, answer.logq) == ((7, 2), None, None)  # type: ignore[union-attr]


def test_a_conversation_without_a_template_is_the_document_that_models_in_process_read() -> None:
    from vsgen.backends.chat.reader import _document

    turns = (Message("system", "Be brief."), Message("user", "A joke"))
    for prompt in (PROMPT, Prompt(turns), Prompt(turns, "So"), Prompt(turns[1:], "So"), Prompt(prefill="Once")):
        assert document(prompt) == (_document(prompt) if prompt.messages else prompt.prefill)


def test_a_line_ends_the_reply_that_a_cue_leads_to() -> None:
    call = Generate(PROMPT, seed=1)
    reply = {"choices": [{"text": " billing\nAnd more", "finish_reason": "length"}]}
    answer = talk(Completions().dialog(call, "m", Abilities()), lambda _: ok(reply)).answer
    assert answer.text == " billing" and answer.stopped  # type: ignore[union-attr]


OPENED = Prompt(PROMPT.messages, prefill="It is", cue="It is")


@pytest.mark.parametrize("top", [5, 100])
@pytest.mark.parametrize("can", [VLLM, LLAMA, OPENAI])
def test_an_open_line_bounds_choices_that_a_line_or_a_sentence_may_end(can: Abilities, top: int) -> None:
    toy = Toy(top)
    prefill = can.prefill or can.prompt_logprobs
    call = Score(OPENED if prefill else PROMPT, CHOICES)
    found = scores(toy, can, call)
    lead = f"{ASKED}It is" if prefill else ASKED
    ends = ("</a>", "\n", ".") if prefill else ("</a>",)
    truths = [sum(math.exp(toy.logp(f"{' ' if prefill else ''}{one}{end}", lead)) for end in ends) for one in CHOICES]
    bounds = zip(found.lower or found.logp, truths, found.upper or found.logp, strict=True)
    for low, truth_, high in bounds:
        assert low - 1e-9 <= math.log(truth_) <= high + 1e-9
    if can is LLAMA and top == 100:  # all is listed, and what is likely is walked to its end
        likely = [(low, high) for low, high in zip(found.lower, found.upper, strict=True) if high > -17.5]
        assert len(likely) > 1 and all(low == high for low, high in likely)


def test_an_open_line_gives_a_choice_that_begins_another_only_its_own_part() -> None:
    toy = Toy()
    found = scores(toy, VLLM, Score(OPENED, ("bill", "billing")))
    begun = [math.exp(toy.logp(f" {one}", f"{ASKED}It is")) for one in ("bill", "billing")]
    assert [math.exp(one) for one in found.upper] == pytest.approx(begun)
    assert [math.exp(one) for one in found.logp] == pytest.approx([begun[0] - begun[1], begun[1]])


def test_an_open_line_is_plain_text_on_the_wire_of_completions() -> None:
    toy, prompt = Toy(), Prompt(prefill="Is it\nIt is", cue="It is")
    assert document(prompt) == prompt.prefill
    assert document(OPENED) == f"{PROMPT.messages[0].content}\n\nIt is"
    answer = talk(Completions().dialog(Score(prompt, CHOICES), "m", VLLM), toy).answer
    assert isinstance(answer, Scores)
    assert answer.lower == pytest.approx([toy.logp(f" {one}\n", prompt.prefill) for one in CHOICES], abs=1e-9)


def test_plain_text_is_refused_by_the_wire_of_turns_with_what_to_do() -> None:
    problem = Chat().lacks(Score(Prompt(prefill="Mood:", cue="Mood:"), CHOICES), VLLM)
    assert problem is not None and "--wire completions may have it" in problem and "form: turns needs none" in problem
