"""A JSON schema is obeyed by every reply that ends, whatever the weights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import llguidance
import llguidance.hf
import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from vsgen.backends.decoding.grammar import Matcher
from vsgen.backends.hf.model import open_hf
from vsgen.errors import ModelError
from vsgen.sampling.schemas import bare
from vsgen.tiny import WEIGHTS
from vsgen.values import Generate, Message, Prompt

MakeModel = Callable[..., Path]
PROMPT = Prompt((Message("user", "Name 3 fruits."),))


def schema(k: int, *, step: bool = True) -> dict[str, Any]:
    """A verbalized list of k; without `step` for the validator, in whose floats 0.14 is no multiple of 0.01."""
    item: dict[str, Any] = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 12},
            "probability": {"type": "number", "minimum": 0, "maximum": 1, **({"multipleOf": 0.01} if step else {})},
        },
        "required": ["text", "probability"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"responses": {"type": "array", "minItems": k, "maxItems": k, "items": item}},
        "required": ["responses"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_every_reply_is_valid_json_with_exactly_k_items(make_model: MakeModel, spelling: str) -> None:
    model = open_hf(str(make_model(spelling=spelling)), device="cpu", batch=16)
    calls = [
        Generate(PROMPT, seed=seed, max_tokens=400, schema=json.dumps(schema(1 + seed % 3)), temperature=0.5 + seed % 2)
        for seed in range(30)
    ]
    free = Generate(PROMPT, seed=99, max_tokens=30)
    *replies, unconstrained = model.generate([*calls, free])
    for seed, reply in enumerate(replies):
        assert reply.stopped
        value = json.loads(reply.text)
        jsonschema.validate(value, schema(1 + seed % 3, step=False))
        assert all(item["probability"] == round(item["probability"], 2) for item in value["responses"])
        assert reply.text.strip().startswith('{"responses": [{"text": "')
        assert reply.logp is not None
        assert reply.logq is not None
        assert calls[seed].temperature != 1 or reply.logq >= reply.logp
    assert unconstrained.tokens == model.generate([free])[0].tokens


def test_embedded_model_writes_k_items() -> None:
    from vsgen.backends.open import open_model

    calls = [Generate(PROMPT, seed=seed, max_tokens=300, schema=json.dumps(schema(5))) for seed in range(6)]
    for reply in open_model("tiny").generate(calls):
        jsonschema.validate(json.loads(reply.text), schema(5, step=False))


def test_prefix_is_continued_under_the_grammar(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    call = Generate(PROMPT, seed=3, max_tokens=400, schema=json.dumps(schema(2)))
    (whole,) = model.generate([call])
    (rest,) = model.generate([Generate(**{**_fields(call), "prefix": whole.tokens[:9]})])
    assert rest.tokens == whole.tokens[9:]
    with pytest.raises(ModelError, match="cannot be continued under its JSON schema"):
        model.generate([Generate(**{**_fields(call), "prefix": whole.tokens[5:9]})])


@pytest.mark.parametrize("broken", ["{", '{"type": "no such type"}', '{"type": "object", "patternProperties": 3}'])
def test_schema_that_cannot_be_compiled_is_refused_with_the_reason(make_model: MakeModel, broken: str) -> None:
    model = open_hf(str(make_model()), device="cpu")
    with pytest.raises(ModelError, match=r"llguidance refuses the JSON schema: .+"):
        model.generate([Generate(PROMPT, seed=0, schema=broken)])


def _fields(call: Generate) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__slots__}


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
def test_a_bare_reply_under_a_pattern_matches_it_whole(make_model: MakeModel, spelling: str) -> None:
    model = open_hf(str(make_model(spelling=spelling)), device="cpu", batch=16)
    days = ["Monday", "Mon", "Tues day", "a.b|c", 'é"x']
    pattern = bare({"properties": {"text": {"enum": days}}})
    replies = model.generate([Generate(PROMPT, seed=seed, max_tokens=60, pattern=pattern) for seed in range(40)])
    assert all(reply.stopped for reply in replies)
    assert {reply.text.strip() for reply in replies} <= set(days)
    assert len({reply.text for reply in replies}) > 2
    (rest,) = model.generate([Generate(PROMPT, seed=0, max_tokens=60, pattern=pattern, prefix=replies[0].tokens[:1])])
    assert rest.tokens == replies[0].tokens[1:]


def test_a_pattern_constrains_where_it_can_and_one_beyond_the_grammar_leaves_the_text_free(
    make_model: MakeModel,
) -> None:
    model = open_hf(str(make_model()), device="cpu", batch=16)

    def texts(pattern: str) -> list[str]:
        schema = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 30, "pattern": pattern}}}
        whole = json.dumps(schema | {"required": ["text"], "additionalProperties": False})
        replies = model.generate([Generate(PROMPT, seed=seed, max_tokens=400, schema=whole) for seed in range(8)])
        return [json.loads(reply.text)["text"] for reply in replies]

    assert all(re.fullmatch("[A-F]{2,4}", text) for text in texts("^[A-F]{2,4}$"))
    assert all(len(text) <= 30 for text in texts(r"\bticket\b"))
    (free,) = model.generate([Generate(PROMPT, seed=1, max_tokens=5, pattern=r"\bticket\b")])
    assert len(free.tokens) <= 5


def overwhelmed(limits: llguidance.LLParserLimits) -> tuple[Matcher, PreTrainedTokenizerBase]:
    """A matcher that gives up soon, since llguidance may not think long; and its tokenizer."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(WEIGHTS))
    spelled = llguidance.hf.from_tokenizer(tokenizer, n_vocab=len(tokenizer))  # type: ignore[arg-type]
    form = llguidance.LLMatcher.grammar_from_regex("(a|b)*a(a|b){14}c")
    state = llguidance.LLMatcher(spelled, form, limits=limits, log_level=0)
    return Matcher(state, [0], len(tokenizer)), tokenizer


def test_a_reply_on_which_the_grammar_gives_up_ends_there() -> None:
    matcher, tokenizer = overwhelmed(llguidance.LLParserLimits(max_lexer_states=30))
    (letter,) = tokenizer.encode("a", add_special_tokens=False)
    for _ in range(30):
        if [int(bits) for bits in np.flatnonzero(matcher.mask())] == [0] and matcher.mask()[0] == 1:
            return
        matcher.accept([letter])
    pytest.fail("it never gave up")


def test_a_grammar_that_gives_up_at_once_is_an_error_of_the_template() -> None:
    matcher, _ = overwhelmed(llguidance.LLParserLimits(step_lexer_fuel=50))
    with pytest.raises(ModelError, match=r"cannot keep replies to a form: .*; simplify the template's output"):
        matcher.mask()
