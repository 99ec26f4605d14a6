"""No text that a limit has cut is kept in silence: a model that never ends a text by itself has no unmarked row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from tests.attacks.endless import Endless
from vsgen import generate
from vsgen.backends.chat.reader import Reader
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.template.catalog import shipped
from vsgen.template.load import load_template
from vsgen.tiny import WEIGHTS
from vsgen.values import Prompt, Record

MARKS = frozenset({"truncated", "reasoning-cut"})
LISTS = ("sequence", "vs", "vs-cot", "vs-multi")


def drawn(
    template: str | Mapping[str, object], settings: Mapping[str, object], calls: int = 4
) -> tuple[list[Record], list[Any]]:
    """A few draws: rows, and rejects."""
    always = {"dedup": False, "labels": [], "keep": [], "sampling.demonstrate": "off"}
    with generate(template, num=10_000, model=Endless(), max_calls=calls, settings={**settings, **always}) as rows:
        return list(rows), rows.rejected


def open_fields(schema: Mapping[str, Any]) -> list[str]:
    return [name for name, one in schema["properties"].items() if not {"enum", "const"} & one.keys()]


@pytest.mark.parametrize("method", [*LISTS, "direct", "cot", "multi-turn"])
@pytest.mark.parametrize("name", list(shipped()))
def test_no_row_of_a_shipped_template_holds_a_text_that_was_cut(name: str, method: str) -> None:
    schema = load_template(name).output.item_schema
    more: dict[str, object] = {"sampling.power": None} if load_template(name).sampling.power else {}
    records, rejected = drawn(name, {"sampling.method": method, "sampling.k": 2, "sampling.max_tokens": 4000, **more})
    assert records or rejected
    if open_fields(schema):
        assert [one.fields for one in records if not MARKS & set(_flags(one))] == []


@pytest.mark.parametrize("engine", ["smc", "mh", "is", "low-temperature", "best-of-n", "auto"])
def test_a_reply_from_a_power_that_a_limit_ended_is_marked(engine: str) -> None:
    how = {"sampling": {"method": "power", "k": 2, "max_tokens": 32, "power": {"engine": engine, "particles": 2}}}
    template = {"version": 1, "name": "t", "prompt": "Go on.", **how}
    records, _ = drawn(template, {"sampling.demonstrate": "off"}, calls=1000)
    assert records
    assert all(MARKS & set(_flags(one)) for one in records)


def test_the_longest_input_that_a_tokenizer_states_cuts_no_prompt(tmp_path: Path) -> None:
    limited = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    limited.enable_truncation(8)
    limited.save(str(tmp_path / "tokenizer.json"))
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(tmp_path / "tokenizer.json"), model_max_length=8
    )
    tokenizer.add_special_tokens({"eos_token": "<|end|>"})
    reader = Reader(HfTokenizer(tokenizer), [tokenizer.eos_token_id])
    for text in ("word " * 40, "word <|end|> " * 40):
        assert len(reader.ids(Prompt((), text))) > 40
        assert len(reader.placed(Prompt((), "Say:"), (text,)).answers[0]) > 40


def _flags(record: Record) -> Sequence[str]:
    flags = record.meta.get("flags", ())
    return flags if isinstance(flags, list) else ()


FIELDS: Mapping[str, Mapping[str, Any]] = {
    "a length": {"type": "string", "maxLength": 30},
    "a whole number with a point": {"type": "string", "maxLength": 30.0},
    "a pattern's bound": {"type": "string", "pattern": "^[a-z ]{1,30}$"},
    "a pattern of words": {"type": "string", "pattern": "^([a-z]{1,8} ?){1,3}$"},
    "one of several": {"anyOf": [{"type": "string", "maxLength": 30}, {"type": "null"}]},
    "all of several": {"allOf": [{"type": "string"}, {"maxLength": 30}]},
    "a list": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "maxLength": 30}},
    "an object": {
        "type": "object",
        "properties": {"title": {"type": "string", "maxLength": 30}},
        "required": ["title"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("name", ["text", "title", "enum", "properties"])
@pytest.mark.parametrize(
    ("field", "form"),
    [(key, "json") for key in FIELDS] + [(key, "lines") for key, one in FIELDS.items() if one.get("type") == "string"],
)
def test_no_limit_of_a_schema_cuts_a_text_that_is_kept(field: str, name: str, form: str) -> None:
    schema = {"type": "object", "properties": {name: FIELDS[field]}}
    template = {"version": 1, "name": "t", "prompt": "Go on.", "output": {"schema": schema}}
    how = {"sampling.method": "vs", "sampling.k": 2, "sampling.format": form, "sampling.max_tokens": 4000}
    records, rejected = drawn(template, how)
    assert records == []
    assert {one["reason"] for one in rejected} == {"schema"}


def test_a_line_without_a_limit_is_cut_by_no_limit_of_our_own() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    template = {"version": 1, "name": "t", "prompt": "Go on.", "output": {"schema": schema}}
    how = {"sampling.method": "vs", "sampling.k": 2, "sampling.format": "lines", "sampling.max_tokens": 4000}
    records, rejected = drawn(template, how)
    assert (records, {one["reason"] for one in rejected}) == ([], {"malformed"})


@pytest.mark.parametrize("method", ["cot", "vs-cot"])
def test_a_reasoning_that_was_cut_is_flagged(method: str) -> None:
    template = {"version": 1, "name": "t", "prompt": "Go on.", "choices": ["yes", "no"]}
    records, _ = drawn(template, {"sampling.method": method, "sampling.k": 1, "sampling.max_tokens": 4000})
    assert records
    assert all("reasoning-cut" in _flags(one) for one in records)
