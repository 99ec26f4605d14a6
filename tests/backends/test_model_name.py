"""A name that no language model can have is refused at once, and the message says what it was taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.backends.model_name import name_problem
from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.errors import ModelError

IDS = ["HuggingFaceTB/SmolLM2-135M-Instruct", "a/b.c-d_e", "01-ai/Yi-6B", "_owner/model"]
WRONG = [
    ("http://localhost:8000/v1", "--endpoint URL"),
    ("https://api.example.com/v1/chat", "--endpoint URL"),
    ("https://huggingface.co/org/model", "named by its id; give org/model"),
    ("https://huggingface.co/org/model/tree/main", "named by its id; give org/model"),
    ("gpt-4o", "--endpoint https://api.openai.com/v1 -m gpt-4o"),
    ("SmolLM2-135M-Instruct", "a Hugging Face id has an owner"),
    ("tinny", "did you mean 'tiny'?"),
    ("Tiny", "did you mean 'tiny'?"),
    ("./missing", "no such folder or file"),
    ("/no/such/folder", "no such folder or file"),
    ("models/no/such", "no such folder or file"),
    ("missing.gguf", "no such folder or file"),
    ("x" * 100_000, "OWNER/NAME"),
]


@pytest.mark.parametrize("name", [*IDS, "tiny"])
def test_ids_and_shipped_models_are_names(name: str) -> None:
    assert name_problem(name) is None


def test_whatever_is_here_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_problem("model") is not None
    Path("model").mkdir()
    assert name_problem("model") is None
    assert name_problem(str(tmp_path / "model")) is None


@pytest.mark.parametrize(("name", "why"), WRONG)
def test_what_is_no_name_is_refused_for_weights_and_tokenizer_alike(name: str, why: str) -> None:
    for opener in (open_model, open_tokenizer):
        with pytest.raises(ModelError) as refused:
            opener(name)
        assert str(refused.value).startswith(f"{name}: cannot be opened: ")
        assert why in str(refused.value)
