"""Any causal language model of transformers keeps the laws and draws what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from vsgen.backends.chat.detokenizer import shared_length
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.network import Network
from vsgen.errors import ModelError
from vsgen.ports import Queue, Ticket
from vsgen.testing import check_language_model
from vsgen.values import Answer, Completion, Generate, Message, Prompt, Score

HF: Any = transformers
MakeModel = Callable[..., Path]
RAGGED = [
    Generate(Prompt((Message("user", "a bike light, please " * (1 + i % 4)),)), seed=i, max_tokens=3 + 5 * (i % 4))
    for i in range(12)
]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("llama", {"num_key_value_heads": 2}),
    ("qwen3", {"num_key_value_heads": 1, "head_dim": 8}),
    ("gpt2", {}),
    ("gpt_neox", {}),
    ("mistral", {}),
    ("gemma3_text", {}),
]
_BYTES = range(160 + 0x80, 160 + 0x100)
"""The toy of pieces' tokens of bytes beyond ASCII: ends that the text of a reply is never spelled with."""


def forced(model: Any, ids: list[int], reply: tuple[int, ...]) -> float:
    """log P(reply | ids) by one plain forward pass over everything."""
    with torch.inference_mode():
        scores = model(input_ids=torch.tensor([[*ids, *reply]]), use_cache=False).logits[0].double()
    logp = scores.log_softmax(-1)[len(ids) - 1 : -1]
    return float(logp.gather(1, torch.tensor(reply)[:, None]).sum())


@pytest.mark.parametrize(("kind", "changes"), KINDS)
def test_logp_of_ragged_rows_is_that_of_plain_forward_passes(
    make_model: MakeModel, kind: str, changes: dict[str, Any]
) -> None:
    folder = make_model(kind, **changes)
    ours = open_hf(str(folder), device="cpu", dtype="float64", batch=5)
    plain = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    tokenizer = HF.AutoTokenizer.from_pretrained(folder)
    for call, reply in zip(RAGGED, ours.generate(RAGGED), strict=True):
        ids = tokenizer(f"<|user|>{call.prompt.messages[0].content}<|end|>\n<|assistant|>")["input_ids"]
        assert reply.prompt_tokens == len(ids)
        assert reply.logp == pytest.approx(forced(plain, ids, reply.tokens), abs=2e-4)


@pytest.mark.parametrize(("kind", "changes"), [KINDS[1], KINDS[3], KINDS[6]])
def test_toys_keep_the_laws(make_model: MakeModel, kind: str, changes: dict[str, Any]) -> None:
    model = open_hf(str(make_model(kind, ends=range(60), **changes)), device="cpu", dtype="float64", batch=7)
    check_language_model(model, tolerance=1e-4, canonical=lambda reply: False, marks=("</s>", "<|end|>"))


def test_sentencepiece_toy_keeps_the_laws_in_single_precision(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(spelling="pieces", ends=_BYTES)), device="cpu", dtype="float32", batch=7)
    check_language_model(model, tolerance=1e-3, canonical=lambda reply: False, marks=("<s>", "</s>"))


def test_finished_rows_leave_and_cost_nothing(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu", batch=4)
    rows: list[int] = []
    step = Network.step

    def spy(self: Network, tokens: Any, lengths: Any, buffers: Any) -> torch.Tensor:
        rows.append(len(tokens))
        return step(self, tokens, lengths, buffers)

    monkeypatch.setattr(Network, "step", spy)
    replies = model.generate(RAGGED)
    assert sum(rows) == sum(len(reply.tokens) for reply in replies)
    assert max(rows) == 4
    assert sum(count < 4 for count in rows) < max(call.max_tokens for call in RAGGED)


def computed(model: BatchedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of every prompt, or part of one, that the model computes ahead from now on."""
    tokens: list[int] = []
    prefetch = Network.prefetch

    def spy(self: Network, prompts: Any, *trunk: Any) -> Any:
        tokens.extend(len(prompt) for prompt in prompts)
        return prefetch(self, prompts, *trunk)

    monkeypatch.setattr(Network, "prefetch", spy)
    return tokens


def test_shared_prompts_are_computed_once(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu", batch=8)
    tokens = computed(model, monkeypatch)
    prompts = [Prompt((Message("user", text),)) for text in ("red", "a blue bike")]
    model.generate([Generate(prompts[i % 2], seed=i, max_tokens=4) for i in range(24)])
    assert len(tokens) == 2


def relatives(n: int) -> list[Generate]:
    """Calls whose prompts begin alike, one of them as all do, and one of another kind."""
    asked = "The espresso machine leaks and the cafe wants a refund, so write down what "
    ends = [*(f"number {i} {'says, please ' * (i % 4)}" for i in range(n - 2)), ""]
    texts = [*(asked + end for end in ends), "Something else: my bike light died in the rain, twice; a new one please."]
    return [Generate(Prompt((Message("user", text),)), seed=i, max_tokens=8) for i, text in enumerate(texts)]


def finished(queue: Queue) -> dict[int, Answer]:
    """All answers of a queue, by their place."""
    found: dict[int, Answer] = {}
    for _ in range(500):
        found.update((ticket.place, answer) for ticket, answer in queue.work())
    return found


@pytest.mark.parametrize(("kind", "changes"), [KINDS[1], KINDS[3], KINDS[5], KINDS[6]])
def test_a_reply_is_the_same_whatever_its_prompt_shares(
    make_model: MakeModel, kind: str, changes: dict[str, Any]
) -> None:
    model = open_hf(str(make_model(kind, **changes)), device="cpu", dtype="float64", batch=5)
    calls = relatives(14)
    expected = [model.generate([call])[0] for call in calls]
    assert model.generate(calls) == expected
    assert model.generate(calls[::-1]) == expected[::-1]
    streamed = model.decoder()  # what is remembered of earlier prompts changes nothing either
    for i, call in enumerate(calls):
        streamed.submit(Ticket(0, i), call)
        assert finished(streamed) == {i: expected[i]}


def test_what_prompts_begin_with_is_computed_once(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu", batch=20)
    calls = relatives(14)
    ids = [tuple(model._parts.reader.ids(call.prompt))[:-1] for call in calls]
    common = shared_length(ids[:-1])
    tokens = computed(model, monkeypatch)
    decoder = model.decoder()
    for i, call in enumerate(calls):
        decoder.submit(Ticket(0, i), call)
    finished(decoder)
    assert sum(tokens) == common + sum(len(each) - common for each in ids[:-1]) + len(ids[-1])
    tokens.clear()
    decoder.submit(Ticket(0, 99), calls[3])  # after all others have left
    finished(decoder)
    assert sum(tokens) == len(ids[3]) - common


def test_what_follows_a_cue_ends_with_its_line_on_a_base_model_and_not_on_a_chat_model(make_model: MakeModel) -> None:
    asked = (Message("user", "Which queue?"),)
    cued = [Generate(Prompt(asked, cue="Answer:"), seed=seed, max_tokens=200, stop=("%",)) for seed in range(12)]
    base = open_hf(str(make_model(chat=None)), device="cpu")
    free = [replace(call, prompt=Prompt(asked, prefill="\n\nAnswer:")) for call in cued]  # the same text, without a cue
    replies, whole = base.generate(cued), base.generate(free)
    assert replies == base.generate([replace(call, stop=("%", "\n")) for call in free])
    several = [i for i, reply in enumerate(whole) if "\n" in reply.text]
    assert 3 <= len(several) < len(cued)
    for i, reply in enumerate(replies):
        assert reply.text == whole[i].text.partition("\n")[0]
        assert reply.stopped or i not in several
    chat = open_hf(str(make_model()), device="cpu")
    found = chat.generate(cued)
    assert found == chat.generate([replace(call, prompt=Prompt(asked)) for call in cued])
    assert any("\n" in reply.text for reply in found)


def test_sampling_settings_of_the_model_are_not_applied(make_model: MakeModel) -> None:
    sampling = {"do_sample": True, "top_k": 1, "temperature": 0.01, "repetition_penalty": 9.0}
    plain = open_hf(str(make_model()), device="cpu").generate(RAGGED)
    tuned = open_hf(str(make_model(sampling=sampling)), device="cpu").generate(RAGGED)
    assert [reply.tokens for reply in plain] == [reply.tokens for reply in tuned]


def test_any_of_several_end_tokens_ends_a_reply(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(ends=range(100))), device="cpu")
    calls = [Generate(RAGGED[0].prompt, seed=seed, max_tokens=60) for seed in range(20)]
    replies = model.generate(calls)
    assert len({reply.tokens[-1] for reply in replies if reply.stopped}) > 3
    for reply in replies:
        assert all(token >= 100 for token in reply.tokens[:-1])
        assert reply.stopped == (reply.tokens[-1] < 100)


def test_context_cuts_a_reply_and_refuses_a_prompt(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(max_position_embeddings=40)), device="cpu")
    short, long = Prompt(prefill="a b c"), Prompt(prefill="x " * 50)
    (reply,) = model.generate([Generate(short, seed=0, max_tokens=100)])
    assert reply.prompt_tokens + len(reply.tokens) == 40
    assert not reply.stopped
    with pytest.raises(ModelError, match=r"the prompt has \d+ tokens and the model's context only 40"):
        model.generate([Generate(long, seed=0)])
    with pytest.raises(ModelError, match="context only 40"):
        model.score([Score(long, ("a",))])


def test_rows_are_bounded_by_memory_but_one_always_runs(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", batch=8)
    expected = model.generate(RAGGED)
    model._limits = type(model._limits)(rows=8, tokens=1, forward=1, tree=1)
    assert [reply.tokens for reply in model.generate(RAGGED)] == [reply.tokens for reply in expected]


@pytest.mark.parametrize("kind", ["mamba", "bloom"])
def test_model_that_heeds_no_mask_is_refused(make_model: MakeModel, kind: str) -> None:
    with pytest.raises(ModelError, match=f"{kind} models are not supported"):
        open_hf(str(make_model(kind)), device="cpu")


def test_scores_that_are_not_finite_are_an_error(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu")
    network: Any = model._parts.network
    with torch.no_grad():
        next(network._model.parameters()).fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        model.generate(RAGGED[:1])


def test_completion_of_a_plain_prompt_has_no_template(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu")
    (reply,) = model.generate([Generate(Prompt(prefill="bug"), seed=0, max_tokens=1)])
    assert isinstance(reply, Completion)
    assert reply.prompt_tokens < 4
