"""Scores are those of one plain forward pass per choice."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from vsgen.backends.chat.reader import Placed
from vsgen.backends.decoding import passes as passes_module
from vsgen.backends.decoding.forward import Pass, Passed, Stored
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf.model import open_hf
from vsgen.errors import ChoiceError, ModelError, TooLongError
from vsgen.values import Message, Prompt, Score

HF: Any = transformers
MakeModel = Callable[..., Path]
WORDS = ["billing", "bug", "how-to", "not", "relevant", "card", "payment", "transfer", "refund", "lost"]
PREFIXES = ("not", "not relevant", "not relevant at all", "relevant", "")
UNEQUAL = ("bug", "a question about how-to do something with the machine", "how-to")
BANKING = tuple(
    dict.fromkeys(" ".join(Random(seed).choices(WORDS, k=1 + seed % 4)) + f" {seed % 7}" for seed in range(77))
)
CHAT = Prompt((Message("user", "Which queue? My bike light died in the rain."),))
CUED = Prompt(CHAT.messages, cue="Answer:")
THOUSAND = tuple(dict.fromkeys(" ".join(Random(i).choices(WORDS, k=1 + i % 3)) + f" {i}" for i in range(1000)))


def brute(folder: Path, text: str, choice: str, *, special: bool, ends: Sequence[int] = ()) -> float:
    """log P(prompt + choice + end) - log P(prompt), each by a whole forward pass; any of the ends may follow."""
    model = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = HF.AutoTokenizer.from_pretrained(folder)

    def logp(ids: list[int]) -> float:
        with torch.inference_mode():
            steps = model(input_ids=torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
        return float(steps.gather(1, torch.tensor(ids[1:])[:, None]).sum())

    whole = tokenizer(text + choice, add_special_tokens=special)["input_ids"]
    closed = [logp([*whole, end]) for end in ends or [tokenizer.eos_token_id]]
    before = logp(tokenizer(text, add_special_tokens=special)["input_ids"])
    return float(torch.tensor(closed, dtype=torch.float64).logsumexp(0)) - before


def of_ids(folder: Path, placed: Placed, ends: Sequence[int]) -> float:
    """log P(the one answer and any end | prompt), by one forward pass over the ids."""
    model = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = [*placed.prompt, *placed.answers[0]]
    with torch.inference_mode():
        steps = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    inner = sum(float(steps[at - 1, ids[at]]) for at in range(len(placed.prompt), len(ids)))
    return inner + float(steps[-1, list(ends)].logsumexp(0))


def passed(model: BatchedModel, monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """The passes that a model makes from now on."""
    passes: list[Pass] = []
    tree = model._parts.network.tree

    def passing(before: Stored, nodes: Pass) -> Passed:
        passes.append(nodes)
        return tree(before, nodes)

    monkeypatch.setattr(model._parts.network, "tree", passing)
    return passes


def line_ends(folder: Path) -> list[int]:
    """The tokens that begin with a line feed, by their names in the vocabulary."""
    vocabulary = HF.AutoTokenizer.from_pretrained(folder).get_vocab()
    return sorted(token for name, token in vocabulary.items() if name.startswith(("Ċ", "\n")) or name == "<0x0A>")


@pytest.mark.parametrize("choices", [PREFIXES, UNEQUAL, BANKING], ids=["prefixes", "unequal", "77 classes"])
@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text"])
def test_scores_are_those_of_one_forward_pass_per_choice(
    make_model: MakeModel, kind: str, choices: tuple[str, ...]
) -> None:
    folder = make_model(kind)
    (scores,) = open_hf(str(folder), device="cpu").score([Score(CHAT, choices)])
    text = f"<|user|>{CHAT.messages[0].content}<|end|>\n<|assistant|>"
    some = range(0, len(choices), 1 if len(choices) < 10 else 9)
    expected = [brute(folder, text, choices[i], special=False) for i in some]
    assert [scores.logp[i] for i in some] == pytest.approx(expected, abs=1e-4)


def test_choices_that_merge_with_the_prompt_are_scored_in_their_place(make_model: MakeModel) -> None:
    folder = make_model(spelling="pieces")
    model = open_hf(str(folder), device="cpu")
    text, choices = "My bike", (" light", "s", "")
    (scores,) = model.score([Score(Prompt(prefill=text), choices)])
    assert scores.logp == pytest.approx([brute(folder, text, each, special=True) for each in choices], abs=1e-4)


def test_calls_scored_together_are_scored_as_alone(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    calls = [
        Score(Prompt((Message("user", "a bike light " * (1 + i % 5)),)), (PREFIXES, UNEQUAL)[i % 2]) for i in range(12)
    ]
    calls.append(calls[0])
    for call, together in zip(calls, model.score(calls), strict=True):
        (alone,) = model.score([call])
        assert together.prompt_tokens == alone.prompt_tokens
        assert together.logp == pytest.approx(alone.logp, abs=2e-6)


def test_large_trees_are_scored_in_parts(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    passes = passed(model, monkeypatch)
    (whole,) = model.score([Score(CHAT, BANKING)])
    assert len(passes) <= 3
    passes.clear()
    monkeypatch.setattr(passes_module, "_SCORES", 30 * model._parts.network.vocabulary)
    (parts,) = model.score([Score(CHAT, BANKING)])
    assert len(passes) > 5
    assert max(len(nodes.asked) for nodes in passes) == 30
    assert parts.logp == pytest.approx(whole.logp, abs=2e-6)


def test_a_pass_has_a_bounded_number_of_nodes_and_shared_ones_count_once(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_hf(str(make_model()), device="cpu")
    passes, most = passed(model, monkeypatch), model._limits.tree
    model.score([Score(CHAT, THOUSAND)])
    assert len(passes) > 1
    assert [len(nodes.tokens) for nodes in passes[:-1]] == [most] * (len(passes) - 1)
    assert len(passes[-1].tokens) <= most
    passes.clear()
    alike = tuple(f"how-to do something with the machine {i}" for i in range(100))
    assert sum(len(ids) for ids in model._parts.reader.placed(CHAT, alike).answers) > 2 * most
    model.score([Score(CHAT, (*alike, ""))])
    assert len(passes) == 1


def test_empty_prompt_is_scored_from_the_models_first_token(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(spelling="pieces")), device="cpu")
    (scores,) = model.score([Score(Prompt(), ("bug", ""))])
    assert all(logp < 0 for logp in scores.logp)


def test_several_end_tokens_count_together(make_model: MakeModel) -> None:
    one = open_hf(str(make_model(ends=[5])), device="cpu")
    other = open_hf(str(make_model(ends=[9])), device="cpu")
    both = open_hf(str(make_model(ends=[5, 9])), device="cpu")
    logps = [model.score([Score(CHAT, ("bug",))])[0].logp[0] for model in (one, other, both)]
    first = one.score([Score(CHAT, ("bug",))])[0].logp[0]
    assert max(logps[:2]) < logps[2]
    assert first == pytest.approx(logps[0], abs=1e-5)


def test_model_without_end_token_cannot_score(make_model: MakeModel) -> None:
    folder = make_model(eos_token_id=None)
    for file in ("tokenizer_config.json", "generation_config.json"):
        (folder / file).write_text((folder / file).read_text().replace("eos_token", "nothing"))
    with pytest.raises(ModelError, match="no end-of-text token"):
        open_hf(str(folder), device="cpu").score([Score(CHAT, ("a",))])


# --- models without a chat template


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_after_a_cue_a_choice_is_a_line_of_its_own_after_a_space(make_model: MakeModel, spelling: str) -> None:
    folder = make_model(spelling=spelling, chat=None)
    (scores,) = open_hf(str(folder), device="cpu").score([Score(CUED, PREFIXES[:4])])
    ends = [HF.AutoTokenizer.from_pretrained(folder).eos_token_id, *line_ends(folder)]
    assert len(ends) > 1
    text = f"{CUED.messages[0].content}\n\nAnswer:"
    expected = [brute(folder, text, f" {choice}", special=True, ends=ends) for choice in PREFIXES[:4]]
    assert scores.logp == pytest.approx(expected, abs=1e-4)


def test_without_a_cue_a_choice_is_scored_as_it_is_and_ended_by_the_end_of_text_alone(make_model: MakeModel) -> None:
    folder = make_model(chat=None)
    (scores,) = open_hf(str(folder), device="cpu").score([Score(CHAT, PREFIXES)])
    text = CHAT.messages[0].content  # a lone message is continued as it stands
    assert scores.logp == pytest.approx([brute(folder, text, each, special=True) for each in PREFIXES], abs=1e-4)


def test_a_chat_model_does_not_heed_the_cue(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu")
    (cued,), (plain,) = model.score([Score(CUED, PREFIXES)]), model.score([Score(CHAT, PREFIXES)])
    assert cued.logp == pytest.approx(plain.logp, abs=1e-5)


def test_an_end_of_text_that_is_a_line_feed_counts_once(make_model: MakeModel) -> None:
    plain = make_model(chat=None)
    feed = line_ends(plain)[0]
    folder = make_model(chat=None, ends=[feed])
    (scores,) = open_hf(str(folder), device="cpu").score([Score(CUED, ("bug",))])
    ends = sorted({feed, HF.AutoTokenizer.from_pretrained(folder).eos_token_id, *line_ends(folder)})
    text = f"{CUED.messages[0].content}\n\nAnswer:"
    assert scores.logp[0] == pytest.approx(brute(folder, text, " bug", special=True, ends=ends), abs=1e-4)


def test_all_one_line_replies_share_a_probability_of_at_most_one(make_model: MakeModel) -> None:
    model = open_hf(str(make_model(chat=None)), device="cpu")
    (scores,) = model.score([Score(CUED, THOUSAND)])
    assert 0 < math.fsum(map(math.exp, scores.logp)) <= 1


# --- what cannot be scored


def of_words(folder: Path, *, lower: bool = False) -> BatchedModel:
    """The model with a tokenizer that knows a few words only and has no bytes to fall back on."""
    core = Tokenizer(models.WordLevel({"</s>": 0, "<unk>": 1, "which": 2, "bug": 3, "not": 4, "relevant": 5}, "<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if lower:
        core.normalizer = normalizers.Lowercase()
    for file in folder.glob("*token*"):
        file.unlink()
    HF.PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", unk_token="<unk>").save_pretrained(folder)
    return open_hf(str(folder), device="cpu")


def test_a_choice_that_the_tokenizer_cannot_write_is_named(make_model: MakeModel) -> None:
    model = of_words(make_model(chat=None))
    prompt = Prompt((Message("user", "which strange words"),), cue="which")
    (scores,) = model.score([Score(prompt, ("bug", "not", "not relevant"))])
    assert all(-100 < logp < 0 for logp in scores.logp)
    for choices, named in (
        (("bug", "billing"), "billing"),
        (("Bug", "bug"), "Bug"),
        (("not", "not a bug"), "not a bug"),
    ):
        with pytest.raises(ChoiceError, match=f"cannot write '{named}'; use other words"):
            model.score([Score(prompt, choices)])


def test_two_choices_that_are_written_alike_are_both_named(make_model: MakeModel) -> None:
    model = of_words(make_model(chat=None), lower=True)
    with pytest.raises(ChoiceError, match="writes 'bug' and 'Bug' alike; use other words"):
        model.score([Score(Prompt((Message("user", "which"),), cue="which"), ("bug", "not", "Bug"))])


@pytest.mark.parametrize("choice", ["b</s>", "b</s>ug", "</s>"])
@pytest.mark.parametrize("base", [{"chat": None}, {"spelling": "pieces"}, {}], ids=["bytes", "pieces", "chat"])
def test_a_choice_that_spells_the_end_of_text_is_scored_as_text(
    make_model: MakeModel, base: dict[str, Any], choice: str
) -> None:
    folder = make_model(**base)
    model = open_hf(str(folder), device="cpu")
    apart = HF.AutoTokenizer.from_pretrained(folder)
    for prompt in (CHAT, CUED, Prompt(prefill="My")):
        (scores,) = model.score([Score(prompt, ("bug", choice))])
        (alone,) = model.score([Score(prompt, ("bug",))])
        assert scores.logp[0] == pytest.approx(alone.logp[0], abs=1e-5)
        placed = model._parts.reader.placed(prompt, (choice,))
        assert apart.eos_token_id not in placed.answers[0]
        assert scores.logp[1] == pytest.approx(of_ids(folder, placed, model._parts.closing(prompt)), abs=1e-4)
    assert model.remarks()


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_a_choice_of_two_lines_is_named_where_a_line_is_a_reply_and_scored_elsewhere(
    make_model: MakeModel, spelling: str
) -> None:
    model = open_hf(str(make_model(spelling=spelling, chat=None)), device="cpu")
    for choice in ("bug\nrefund", "bug\n"):
        with pytest.raises(ChoiceError, match="contains a token that ends a reply"):
            model.score([Score(CUED, ("bug", choice))])
        (scores,) = model.score([Score(CHAT, ("bug", choice))])
        assert all(-1000 < logp < 0 for logp in scores.logp)


def test_an_end_in_the_prompt_is_not_the_choices(make_model: MakeModel) -> None:
    end = HF.AutoTokenizer.from_pretrained(make_model(chat=None))("bi")["input_ids"]
    model = open_hf(str(make_model(chat=None, ends=end)), device="cpu")
    asked = Prompt(prefill="bi")
    assert model._parts.reader.placed(asked, ("lling", " bike")).rest == tuple(end)
    (scores,) = model.score([Score(asked, ("lling", " bike"))])
    assert all(-1000 < logp < 0 for logp in scores.logp)
    with pytest.raises(ChoiceError, match="'!bi' contains"):
        model.score([Score(asked, ("lling", "!bi"))])


@pytest.mark.parametrize("chat", [True, False])
def test_a_call_that_is_too_long_says_by_how_much_and_one_that_just_fits_is_scored(
    make_model: MakeModel, chat: bool
) -> None:
    folder = make_model() if chat else make_model(spelling="pieces")
    model = open_hf(str(folder), device="cpu")
    choices = ("bug", "how-to do something")

    def prompt(letters: int) -> Prompt:
        return Prompt((Message("user", "q" * letters),), cue="Answer:")

    with pytest.raises(TooLongError) as caught:
        model.score([Score(prompt(600), choices)])
    assert caught.value.context == 512
    assert f"{caught.value.tokens} tokens and the model's context only 512" in str(caught.value)
    fits = 600 - (caught.value.tokens - 512)
    (scores,) = model.score([Score(prompt(fits), choices)])
    assert all(logp < 0 for logp in scores.logp)
    with pytest.raises(TooLongError) as caught:
        model.score([Score(prompt(fits + 1), choices)])
    assert caught.value.tokens == 513


# --- many choices, other names


def test_a_thousand_choices_are_scored_as_one_by_one(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu")
    (scores,) = model.score([Score(CHAT, THOUSAND)])
    some = THOUSAND[::97]
    alone = [one.logp[0] for one in model.score([Score(CHAT, (choice,)) for choice in some])]
    assert list(scores.logp[::97]) == pytest.approx(alone, abs=1e-4)
    (back,) = model.score([Score(CHAT, THOUSAND[::-1])])
    assert back.logp[::-1] == pytest.approx(scores.logp, abs=1e-4)


def renamed(folder: Path, to: Path, spelling: str) -> Path:
    """The same model, whose tokens have other numbers."""
    model = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = HF.AutoTokenizer.from_pretrained(folder)
    new = list(range(len(tokenizer)))
    Random(11).shuffle(new)
    with torch.no_grad():
        for weight in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            weight[new] = weight[: len(new)].clone()
    for settings in (model.config, model.generation_config):
        settings.eos_token_id = new[tokenizer.eos_token_id]
        settings.bos_token_id = None if tokenizer.bos_token_id is None else new[tokenizer.bos_token_id]
    model.save_pretrained(to)
    tokenizer.save_pretrained(to)
    spec = json.loads((to / "tokenizer.json").read_text())
    spec["model"]["vocab"] = {name: new[token] for name, token in spec["model"]["vocab"].items()}
    for added in spec["added_tokens"]:
        added["id"] = new[added["id"]]
    spec["added_tokens"].sort(key=lambda added: added["id"])
    if spelling == "pieces":
        for special in spec["post_processor"]["special_tokens"].values():
            special["ids"] = [new[token] for token in special["ids"]]
    (to / "tokenizer.json").write_text(json.dumps(spec))
    return to


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_other_numbers_of_the_tokens_leave_the_scores_unchanged(
    make_model: MakeModel, tmp_path: Path, spelling: str
) -> None:
    folder = make_model(spelling=spelling)
    other = renamed(folder, tmp_path / "renamed", spelling)
    words = [HF.AutoTokenizer.from_pretrained(each)("My bike")["input_ids"] for each in (folder, other)]
    assert words[0] != words[1]
    calls = [Score(CUED, PREFIXES), Score(CHAT, UNEQUAL), Score(Prompt(prefill="My bike"), (" light", "s", ""))]
    one, two = (open_hf(str(each), device="cpu").score(calls) for each in (folder, other))
    for found, again in zip(one, two, strict=True):
        assert again.logp == pytest.approx(found.logp, abs=1e-4)


def sentence_ends(folder: Path) -> list[int]:
    """The tokens that are a period, by their names in the vocabulary."""
    vocabulary = HF.AutoTokenizer.from_pretrained(folder).get_vocab()
    return sorted(token for name, token in vocabulary.items() if name.rstrip("Ġ Ċ") == ".")


OPENED = Prompt(CHAT.messages, prefill="The queue is", cue="The queue is")
PLAIN = Prompt(prefill="My bike light died.\nQueue:", cue="Queue:")


@pytest.mark.slow
@pytest.mark.parametrize(("prompt", "text"), [(OPENED, None), (PLAIN, PLAIN.prefill)], ids=["chat", "plain"])
def test_after_a_cue_that_opens_the_reply_lines_and_sentences_end_a_choice(
    make_model: MakeModel, prompt: Prompt, text: str | None
) -> None:
    folder = make_model()
    model = open_hf(str(folder), device="cpu")
    chat = f"<|user|>{CHAT.messages[0].content}<|end|>\n<|assistant|>{OPENED.prefill}"
    ends, lines, periods = [*model._parts.ends], line_ends(folder), sentence_ends(folder)
    assert lines and periods
    for choices, closing in ((("bug", "how-to"), lines + periods), (("bug", "v1.2"), lines)):
        (found,) = model.score([Score(prompt, choices)])
        whole = [*dict.fromkeys(ends + closing)]
        expected = [brute(folder, text or chat, f" {one}", special=text is not None, ends=whole) for one in choices]
        assert found.logp == pytest.approx(expected, abs=1e-4)


def test_a_prefill_that_does_not_end_with_the_cue_leads_a_chat_model_nowhere(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu")
    prompt = Prompt(CHAT.messages, prefill="The queue is", cue="Answer:")
    uncued = replace(prompt, cue="")
    led, plain = model.score([Score(prompt, PREFIXES), Score(uncued, PREFIXES)])
    assert led == plain
