"""The embedded model in numpy keeps the laws, needs no torch, and is the model that transformers loads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
import threadpoolctl
import torch
import transformers

from vsgen.backends.chat.reader import Reader
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.hf import draw as reference
from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.backends.numeric.draw import draw, knobs
from vsgen.backends.numeric.network import Network
from vsgen.backends.numeric.reading import _top, along
from vsgen.backends.numeric.tokenizer import PlainTokenizer
from vsgen.backends.open import open_model
from vsgen.sampling import prompts
from vsgen.testing import check_language_model
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Message, Prompt, Score, Teach

HF: Any = transformers
MARK = "<|user|>"
TEXTS = [
    "Name a random day of the week.",
    "Größe: 37,5 °C\n\n\t日本 ✓",
    f"{MARK}Say no.",
    "",
    " a  b\n",
    "12.50 <|eos|>",
]
SCHEMA = '{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}'
KNOBS = ((2, 1.0, None, 1.0), (3, 0.5, SCHEMA, 1.0), (4, 1.3, None, 0.9), (5, 0.0, None, 1.0))
NEEDS = """
import sys
from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.values import Generate, Message, Prompt, Score, Teach
model, prompt = open_model("tiny"), Prompt((Message("user", "Name a random day of the week."),))
model.generate([Generate(prompt, seed=0, max_tokens=9), Generate(prompt, seed=0, max_tokens=9, schema=sys.argv[1])])
model.score([Score(prompt, ("Monday", "<|user|>"))])
model.teach([Teach(prompt, "Monday", top=3)])
assert open_tokenizer("tiny").facts() is not None
print(*sorted({"torch", "transformers", "sentence_transformers"} & sys.modules.keys()))
"""


def asked(text: str, k: int = 3) -> Prompt:
    system = prompts.verbalized(("text",), k, p_max=None, reasoning=False)
    return Prompt((Message("system", system), Message("user", text)))


def plain_scores(rows: Sequence[Sequence[int]]) -> list[np.ndarray[Any, Any]]:
    model = HF.AutoModelForCausalLM.from_pretrained(WEIGHTS, dtype=torch.float64)
    with torch.inference_mode():
        return [model(input_ids=torch.tensor([list(row)])).logits[0].numpy() for row in rows]


def test_embedded_model_keeps_the_laws() -> None:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    assert model.name.startswith("tiny@")
    marks = ("<|user|>", "<|eos|>")
    check_language_model(model, tolerance=2e-6, canonical=lambda reply: len(reply.tokens) == 1, marks=marks)


def test_score_of_a_canonical_reply_is_its_logp() -> None:
    model = open_model("tiny")
    prompt = Prompt((Message("user", "Name a day of the week."),))
    replies = model.generate([Generate(prompt, seed=seed, max_tokens=30) for seed in range(8)])
    words = [reply for reply in replies if reply.stopped and reply.text.isalpha()]
    (scores,) = model.score([Score(prompt, tuple(reply.text for reply in words))])
    assert len(words) >= 4
    assert scores.logp == pytest.approx([reply.logp for reply in words], abs=2e-6)


def test_nothing_of_it_imports_torch_or_transformers() -> None:
    ended = subprocess.run([sys.executable, "-c", NEEDS, SCHEMA], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_logits_agree_with_transformers_however_the_tokens_are_fed() -> None:
    rng, network = Random(0), Network(WEIGHTS)
    rows = [tuple(rng.randrange(6, network.vocabulary) for _ in range(length)) for length in (9, 30, 900)]
    plain = plain_scores(rows)
    with network.computing():
        for trunk in (0, 4):
            shared = network.ahead([rows[0][:trunk]])[0] if trunk else ()
            begun = [(*rows[0][:trunk], *row[trunk:]) for row in rows]
            expected = plain_scores(begun) if trunk else plain
            cache = network.running(3, 3000)
            cache.reserve(3, 900)
            for i, stored in enumerate(network.ahead([row[trunk:-4] for row in begun], shared)):
                cache.insert(i, stored)
            lengths = [len(row) - 4 for row in begun]
            first = network.step([row[-4] for row in begun], lengths, cache)
            fed = [row[-3 : len(row) - i] for i, row in enumerate(begun)]
            rest = network.chunks(fed, [length + 1 for length in lengths], cache)
            for i, scores in enumerate(expected):
                assert np.abs(first[i] - scores[-4]).max() < 1e-4
            wanted = np.concatenate([scores[-3 : len(scores) - i] for i, scores in enumerate(expected)])
            assert np.abs(rest - wanted).max() < 1e-4


def test_replies_scores_and_lessons_are_those_of_transformers() -> None:
    ours, theirs = open_model("tiny"), open_hf(str(WEIGHTS), device="cpu", dtype="float64")
    assert isinstance(ours, BatchedModel)
    topics = ("Name a random colour.", "Tell a short joke about a cat.", f"Name a random city. {MARK}")
    calls = [
        Generate(asked(topic, k), seed=k, max_tokens=60, temperature=temperature, schema=schema, top_p=top_p)
        for topic in topics
        for k, temperature, schema, top_p in (
            (2, 1.0, None, 1.0),
            (3, 0.5, SCHEMA, 1.0),
            (4, 1.3, None, 0.9),
            (5, 0.0, None, 1),
        )
    ]
    for one, two in zip(ours.generate(calls), theirs.generate(calls), strict=True):
        assert (one.tokens, one.text, one.prompt_tokens) == (two.tokens, two.text, two.prompt_tokens)
        assert (one.logp, one.logq) == pytest.approx((two.logp, two.logq), abs=1e-4)
    for topic in topics:
        score = Score(Prompt((Message("user", topic),)), ("red", "dark red", "Paris", ""))
        assert ours.score([score])[0].logp == pytest.approx(theirs.score([score])[0].logp, abs=1e-4)
        lesson = Teach(score.prompt, "A dark red cat.", top=5)
        (told,), (known,) = ours.teach([lesson]), theirs.teach([lesson])
        assert (told.tokens, told.top_ids, told.prompt_tokens) == (known.tokens, known.top_ids, known.prompt_tokens)
        assert told.logps == pytest.approx(known.logps, abs=1e-4)


def test_the_draw_is_the_one_that_torch_makes() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (40, 60)).round(1)  # with ties
    bars = np.where(rng.random((40, 60)) < 0.5, -np.inf, 0).astype("f4")
    base = Generate(asked("Name a random colour."), seed=0)
    settings = [{}, {"temperature": 0.0}, {"temperature": 0.3}, {"top_k": 4}, {"top_p": 0.7}, {"min_p": 0.1}]
    calls = [Generate(base.prompt, seed=0, **settings[i % 6], **({"top_k": 9} if i % 6 > 3 else {})) for i in range(40)]  # type: ignore[arg-type]
    uniforms = rng.random(40)
    for forbidden in (None, bars):
        with np.errstate(divide="ignore"):
            ours = draw(scores, knobs(calls), uniforms, forbidden)
        given = (torch.tensor(scores), reference.knobs(calls, torch.device("cpu")), torch.tensor(uniforms))
        theirs = reference.draw(*given, None if forbidden is None else torch.tensor(forbidden))
        assert ours.tokens == theirs.tokens.tolist()
        assert ours.logp == pytest.approx(theirs.logp.tolist(), abs=1e-12)
        assert ours.logq == pytest.approx(theirs.logq.tolist(), abs=1e-12)


def test_equal_scores_are_ranked_by_token_id() -> None:
    scores = np.random.default_rng(0).integers(0, 4, (3, 40, 30)).astype(float)
    expected = np.lexsort((np.broadcast_to(np.arange(30), scores.shape), -scores), axis=-1)
    for top in (1, 7, 30):
        found = along(scores, np.zeros((3, 39), np.int64), (2,), top)
        assert (found.top_ids == expected[..., :top]).all()


def test_the_tokenizer_reads_and_writes_as_that_of_transformers() -> None:
    ours, theirs = PlainTokenizer.read(WEIGHTS), HfTokenizer(HF.AutoTokenizer.from_pretrained(WEIGHTS))
    for opening in (False, True):
        assert ours.encode(TEXTS, opening=opening) == theirs.encode(TEXTS, opening=opening)
    one, two = (replace(tokenizer.vocabulary, added={}) for tokenizer in (ours, theirs))
    assert one == two
    assert list(ours.vocabulary.added) == list(theirs.vocabulary.added)
    assert ours.template == theirs.template
    for text in TEXTS:
        assert ours.spans(text) == theirs.spans(text)
        (ids,) = ours.encode([text], opening=True)
        for special in (False, True):
            assert ours.decode(ids, special=special) == theirs.decode(ids, special=special)


def test_prompts_are_read_as_by_the_tokenizer_of_transformers() -> None:
    tokenizers = PlainTokenizer.read(WEIGHTS), HfTokenizer(HF.AutoTokenizer.from_pretrained(WEIGHTS))
    one, two = (Reader(tokenizer, (2,)) for tokenizer in tokenizers)
    for text in TEXTS:
        talk = (Message("system", text), Message("user", text), Message("assistant", text), Message("user", text))
        prompt = Prompt(talk, prefill=text)
        assert one.ids(prompt) == two.ids(prompt)
        assert one.render(prompt) == two.render(prompt)
        assert one.placed(prompt, TEXTS) == two.placed(prompt, TEXTS)


def test_it_computes_on_one_thread_and_leaves_the_number_as_it_was() -> None:
    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"}

    network = Network(WEIGHTS)
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        with network.computing(), network.computing():
            assert threads() == {1}
        assert threads() == {3}


@pytest.mark.parametrize("levels", [1, 3, 1000])
@pytest.mark.parametrize("k", [1, 4, 20, 50])
def test_the_likeliest_tokens_are_those_of_a_whole_stable_sort(k: int, levels: int) -> None:
    scores = np.random.default_rng(k).integers(0, levels, size=(3, 5, 50)).astype(np.float64)
    assert (_top(scores, k) == np.argsort(-scores, axis=-1, kind="stable")[..., :k]).all()
