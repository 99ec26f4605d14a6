"""Power sampling on transformers: what a real model is asked, what is kept of it, and what comes out, exactly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.sampling.power.exact import noise, play, variation
from vsgen.backends.decoding.memory import Memory
from vsgen.backends.hf.model import open_hf
from vsgen.ports import Ticket
from vsgen.sampling.power import mh, smc
from vsgen.sampling.power.method import power
from vsgen.sampling.power.plain import draws, parted
from vsgen.sampling.settings import Engine, Power, Sampling, Settings
from vsgen.values import Completion, Generate, Message, Prompt

HF: Any = transformers
MakeModel = Callable[..., Path]
Tokens = tuple[int, ...]
ALPHA = 2.0
END = 4


class Four:
    """A random Llama that knows four tokens: three symbols and the end; all its replies can be enumerated."""

    def __init__(self, folder: Path, *, scale: float, batch: int = 64) -> None:
        self.model = open_hf(str(folder), device="cpu", dtype="float64", batch=batch)
        self.plain = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
        ours: Any = self.model._parts.network
        with torch.no_grad():
            for network in (ours._model, self.plain):
                network.lm_head.weight.mul_(scale)

    def law(self, prompt: Sequence[int], alpha: float, end: int) -> dict[Tokens, float]:
        """p^alpha of every reply of at most `end` tokens, by plain forward passes over whole sequences."""
        return {tokens: math.exp(alpha * logp) for tokens, logp in self._grow(tuple(prompt), (), 0.0, end)}

    def logp(self, prompt: Sequence[int], tokens: Tokens) -> float:
        rows = self._rows([*prompt, *tokens])
        return float(sum(rows[len(prompt) + i - 1, token] for i, token in enumerate(tokens)))

    def _grow(self, prompt: Tokens, tokens: Tokens, logp: float, left: int) -> Iterator[tuple[Tokens, float]]:
        if not left or (tokens and tokens[-1] == 3):
            yield tokens, logp
            return
        row = self._rows([*prompt, *tokens])[-1].tolist()
        for token in range(4):
            yield from self._grow(prompt, (*tokens, token), logp + row[token], left - 1)

    def _rows(self, ids: Sequence[int]) -> Any:
        with torch.inference_mode():
            return self.plain(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].log_softmax(-1)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Four:
    folder = tmp_path_factory.mktemp("four")
    vocabulary = {"a": 0, "b": 1, "c": 2, "</s>": 3}
    whole = Tokenizer(models.WordLevel(vocabulary, unk_token="a"))
    whole.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    HF.PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="</s>", bos_token="a").save_pretrained(folder)
    config = HF.LlamaConfig(
        vocab_size=4, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        eos_token_id=3, bos_token_id=0, max_position_embeddings=64,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(4)  # noqa: TID251
        HF.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return Four(folder, scale=60.0)


PROMPT = Prompt(prefill="ab")
IDS = (0, 1)
ASKED = Generate(PROMPT, seed=0, max_tokens=END)


def test_engines_and_enumeration_agree_and_low_temperature_does_not(four: Four) -> None:
    law = four.law(IDS, ALPHA, END)
    count = 1500
    bound = noise(law, count)
    chains = play(mh.chains(mh.Plan(ALPHA, count, 2, 10, END), ASKED, Random(0)), four.model.generate)
    plan = smc.Plan(ALPHA, 24, 1, 0.5)
    sweeps = [play(smc.sweep(plan, ASKED, Random(seed)), four.model.generate) for seed in range(200)]
    low, _ = parted(play(draws(ASKED, ALPHA, count, Random(0)), four.model.generate))
    assert variation(Counter(one.draft.tokens for one in chains), law) < bound
    assert variation(Counter(one.draft.tokens for one in sweeps), law) < noise(law, 200)
    assert variation(Counter(one.tokens for one in low), law) > 2 * bound


def test_log_z_of_a_sweep_is_that_of_all_replies(four: Four) -> None:
    exact = math.fsum(four.law(IDS, ALPHA, END).values())
    plan = smc.Plan(ALPHA, 200, 2, 0.9)
    found = [math.exp(play(smc.sweep(plan, ASKED, Random(seed)), four.model.generate).log_z) for seed in range(20)]
    assert math.fsum(found) / 20 == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("engine", ["auto", "smc", "mh", "is", "low-temperature", "best-of-n"])
def test_logp_of_every_candidate_is_that_of_a_fresh_forward_pass(four: Four, engine: Engine) -> None:
    how = Settings(
        Sampling(method="power", k=6, max_tokens=12, power=Power(engine=engine, alpha=4.0, check_every=3, ess=0.9))
    )
    asked = Prompt((Message("user", "abc"),))
    replies: dict[tuple[object, object], float] = {}

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        found = four.model.generate(calls)
        for call, reply in zip(calls, found, strict=True):
            tokens = (*call.prefix, *reply.tokens)
            ids = four.model._parts.reader.ids(call.prompt)
            replies[reply.text.strip(), reply.stopped] = four.logp(ids, tokens)
            assert reply.logp == pytest.approx(four.logp(ids, tokens) - four.logp(ids, call.prefix), abs=1e-5)
        return found

    drawn = play(power(how, asked, Random(0)), answer)
    assert drawn.candidates
    for one in drawn.candidates:
        key = one.fields["text"], one.details["ended"]
        assert one.logp == pytest.approx(replies[key], abs=1e-5)


@pytest.mark.parametrize("written", ["a", "ab</s>ba", "</s>"])
def test_the_stop_token_in_the_prompt_and_a_prompt_of_one_token(
    four: Four, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer: Any = four.model._parts.tokenizer
    monkeypatch.setattr(tokenizer.source, "chat_template", written)  # a text cannot hold the stop token
    asked = replace(ASKED, prompt=Prompt((Message("user", ""),)))
    ids = four.model._parts.reader.ids(asked.prompt)
    assert len(ids) == len(written.replace("</s>", "$"))
    law = four.law(ids, ALPHA, END)
    chains = play(mh.chains(mh.Plan(ALPHA, 800, 1, 15, 12), asked, Random(0)), four.model.generate)
    assert variation(Counter(one.draft.tokens for one in chains), law) < noise(law, 800)


def test_a_reply_may_end_at_once_or_never(four: Four) -> None:
    law = four.law(IDS, 1.0, END)
    assert law[(3,)] > 0.001
    chains = play(mh.chains(mh.Plan(0.5, 300, 2, 3, 12), ASKED, Random(0)), four.model.generate)
    found = {one.draft.tokens: one.draft for one in chains}
    assert found[(3,)].ended
    assert found[(3,)].text == ""
    cut = [draft for draft in found.values() if not draft.ended]
    assert cut
    assert all(len(draft.tokens) == END for draft in cut)


def test_several_stop_tokens_and_the_models_own_settings(make_model: MakeModel) -> None:
    """A generation_config with filters and penalties changes nothing; each of its end tokens ends a reply."""
    settings = {"top_k": 3, "top_p": 0.2, "temperature": 0.1, "repetition_penalty": 9.0, "do_sample": True}
    ends = tuple(range(100, 140))
    plain = open_hf(str(make_model(ends=ends)), device="cpu", dtype="float64")
    biased = open_hf(str(make_model(ends=ends, sampling=settings)), device="cpu", dtype="float64")
    asked = Generate(Prompt(prefill="The"), seed=0, max_tokens=20)
    states = play(mh.chains(mh.Plan(1.5, 20, 2, 3, 12), asked, Random(0)), plain.generate)
    again = play(mh.chains(mh.Plan(1.5, 20, 2, 3, 12), asked, Random(0)), biased.generate)
    assert [one.draft.tokens for one in states] == [one.draft.tokens for one in again]
    assert [one.draft.logps for one in states] == [one.draft.logps for one in again]
    last = {one.draft.tokens[-1] for one in states if one.draft.ended}
    assert len(last) > 1
    assert last <= {*ends, plain._parts.ends[0], plain._parts.ends[-1]}


def test_no_filter_is_applied_silently(make_model: MakeModel) -> None:
    """transformers' own default keeps fifty tokens; here all of the vocabulary may come."""
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    asked = Generate(Prompt(prefill="The"), seed=0, max_tokens=1)
    drafts, _ = parted(play(draws(asked, 0.1, 600, Random(0)), model.generate))
    assert len({draft.tokens for draft in drafts}) > 150


class Forgetful(Memory):
    """Keeps nothing."""

    def find(self, ids: Tokens, start: int) -> None:
        return None


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "gpt2"])
def test_kept_keys_and_values_change_nothing(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    folder = str(make_model(kind, ends=range(60)))
    asked = Generate(Prompt(prefill="The espresso machine"), seed=0, max_tokens=24, stop=("zq",))
    plan = smc.Plan(2.0, 8, 5, 0.9)

    def drawn() -> tuple[smc.Sweep, Sequence[mh.State]]:
        decoder = open_hf(folder, device="cpu", dtype="float64", batch=7).decoder()
        return play(smc.sweep(plan, asked, Random(1)), through(decoder)), play(
            mh.chains(mh.Plan(2.0, 5, 2, 4, 12), asked, Random(1)), through(decoder)
        )

    kept = drawn()
    monkeypatch.setattr("vsgen.backends.decoding.decode.Memory", Forgetful)
    assert drawn() == kept


def through(decoder: Any) -> Callable[[Sequence[Generate]], Sequence[Completion]]:
    """Answers from one decoder, whose memory lives on from batch to batch."""

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        found: dict[int, Completion] = {}
        for place, call in enumerate(calls):
            decoder.submit(Ticket(0, place), call)
        while len(found) < len(calls):
            found.update((ticket.place, reply) for ticket, reply in decoder.work())
        return [found[place] for place in range(len(calls))]

    return answer


def test_a_prefix_that_was_drawn_is_not_computed_again(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    computed: list[int] = []
    network: Any = model._parts.network
    plain = network.prefetch

    def counted(prompts: Sequence[Sequence[int]], *trunk: Any) -> Any:
        computed.extend(len(prompt) for prompt in prompts)
        return plain(prompts, *trunk)

    monkeypatch.setattr(network, "prefetch", counted)
    decoder = model.decoder()
    asked = Generate(Prompt(prefill="The bike light"), seed=0, max_tokens=40)
    play(mh.chains(mh.Plan(2.0, 4, 4, 5, 12), asked, Random(0)), through(decoder))
    assert computed == [len(model._parts.reader.ids(asked.prompt)) - 1]  # the prompt, once for all chains and moves


def test_a_grammar_confines_replies_and_logq_says_so(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    schema = (
        '{"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 99}}, "required": ["n"]}'
    )
    asked = Generate(Prompt(prefill="Say n."), seed=0, max_tokens=30, schema=schema)
    plan = smc.Plan(2.0, 8, 3, 0.9)
    sweep = play(smc.sweep(plan, asked, Random(0)), model.generate)
    assert sweep.draft.ended
    assert sweep.draft.text.startswith('{"n": ')
    states = play(mh.chains(mh.Plan(2.0, 3, 2, 4, 12), asked, Random(0)), model.generate)
    assert all(one.draft.text.endswith("}") for one in states if one.draft.ended)
    assert all(one.draft.logp < sum(one.draft.logqs) for one in states)


@pytest.mark.parametrize("engine", ["auto", "smc", "mh"])
@pytest.mark.parametrize("room", [7, 8, 12])
def test_a_context_that_is_full_ends_a_reply_and_no_run(make_model: MakeModel, engine: Engine, room: int) -> None:
    """Also where it is full exactly at the end of a stretch or a block."""
    model = open_hf(str(make_model(max_position_embeddings=64)), device="cpu", dtype="float64")
    text = "a"
    while len(model._parts.reader.ids(direct(text))) < 64 - room:
        text += " a"
    assert len(model._parts.reader.ids(direct(text))) == 64 - room
    how = Settings(
        Sampling(
            method="power", k=3, max_tokens=16, power=Power(engine=engine, alpha=3.0, check_every=4, ess=1.0, steps=3)
        )
    )
    drawn = play(power(how, direct(text), Random(0)), model.generate)
    assert [one.details["ended"] for one in drawn.candidates] == [False] * 3
    assert [note for note in drawn.notes if "the model's context" in note]


def direct(text: str) -> Prompt:
    return Prompt((Message("user", text),))
