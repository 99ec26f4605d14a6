"""Abilities are what the user states, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from vsgen.backends.endpoint.stated import FAMILIES, read_abilities
from vsgen.backends.endpoint.wire import Abilities
from vsgen.errors import OptionError


@pytest.mark.parametrize(
    ("text", "abilities"),
    [
        ("", Abilities()),
        ("vllm", FAMILIES["vllm"]),
        ("json_schema=strict, top_logprobs=20,seed", Abilities(json_schema="strict", top_logprobs=20, seed=True)),
        ("temperature=false,max_completion_tokens", Abilities(temperature=False, max_completion_tokens=True)),
    ],
)
def test_a_list_is_read(text: str, abilities: Abilities) -> None:
    assert read_abilities(text, "--abilities") == abilities


def test_a_family_may_have_less_or_more() -> None:
    assert not read_abilities("vllm,prefill=false", "--abilities").prefill
    assert read_abilities("openai,seed", "--abilities").seed


@pytest.mark.parametrize("text", ["vlm", "seed=perhaps", "top_logprobs", "json_schema", "json_schema=all"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="--abilities: "):
        read_abilities(text, "--abilities")


def test_the_documentation_lists_every_ability_that_can_be_stated() -> None:
    text = (Path(__file__).parents[3] / "docs" / "endpoints.md").read_text()
    listed = text[text.index("- **Abilities.**") : text.index("- **Results**")]
    assert [one.name for one in fields(Abilities) if f"`{one.name}" not in listed] == []
