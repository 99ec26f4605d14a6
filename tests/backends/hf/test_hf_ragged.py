"""Tokens that a grammar forces cost no step of their own, and change nothing in a reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from vsgen.backends.hf.model import open_hf
from vsgen.backends.hf.network import Network
from vsgen.values import Generate, Message, Prompt

HF: Any = transformers
MakeModel = Callable[..., Path]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("llama", {"num_key_value_heads": 2}),
    ("qwen3", {"num_key_value_heads": 1, "head_dim": 8}),
    ("gpt2", {}),
    ("gpt_neox", {}),
    ("mistral", {}),
    ("gemma3_text", {}),
]
ITEM = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 12}, "probability": {"enum": [0.1, 0.25, 0.4]}},
    "required": ["text", "probability"],
    "additionalProperties": False,
}


def schema(k: int) -> str:
    items = {"type": "array", "minItems": k, "maxItems": k, "items": ITEM}
    form = {"type": "object", "properties": {"responses": items}, "required": ["responses"]}
    return json.dumps({**form, "additionalProperties": False})


def calls() -> list[Generate]:
    """Lists of several lengths, cut ones, free replies and one that a stop string may end."""
    asked = [Prompt((Message("user", f"Name {k} fruits."),)) for k in (1, 2, 3)]
    lists = [
        Generate(asked[i % 3], seed=i, max_tokens=9 if i % 5 == 4 else 200, schema=schema(1 + i % 3), resumable=True)
        for i in range(15)
    ]
    free = [Generate(asked[0], seed=i, max_tokens=30) for i in range(3)]
    greedy = replace(lists[1], temperature=0.0)
    return [*lists, *free, greedy, replace(lists[2], stop=("a",)), replace(lists[3], temperature=0.6, top_p=0.9)]


@pytest.mark.parametrize(("kind", "changes"), KINDS)
@pytest.mark.parametrize("batch", [1, 6])
def test_forced_tokens_change_no_reply(make_model: MakeModel, kind: str, changes: dict[str, Any], batch: int) -> None:
    model = open_hf(str(make_model(kind, **changes)), device="cpu", dtype="float64", batch=batch)
    assert model._parts.network.takes_chunks
    replies = model.generate(calls())
    model._parts.network.takes_chunks = False
    assert replies == model.generate(calls())


def test_forced_tokens_take_no_step_of_their_own(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_hf(str(make_model()), device="cpu")
    passes: list[int] = []
    for name in ("step", "chunks"):
        plain = getattr(Network, name)

        def spy(self: Network, *what: Any, plain: Any = plain) -> torch.Tensor:
            passes.append(1)
            return plain(self, *what)  # type: ignore[no-any-return]

        monkeypatch.setattr(Network, name, spy)
    call = Generate(Prompt((Message("user", "Name a fruit."),)), seed=1, max_tokens=400, schema=schema(4))
    (reply,) = model.generate([call])
    drawn = len(passes)
    assert reply.stopped
    passes.clear()
    model._parts.network.takes_chunks = False
    model.generate([call])
    assert len(passes) == len(reply.tokens)
    assert drawn < 0.7 * len(reply.tokens)


def test_a_list_cut_anywhere_goes_on_as_the_whole_did(make_model: MakeModel) -> None:
    model = open_hf(str(make_model()), device="cpu", dtype="float64")
    call = Generate(Prompt((Message("user", "Name a fruit."),)), seed=1, max_tokens=400, schema=schema(2))
    (whole,) = model.generate([call])
    for cut in range(len(whole.tokens)):
        start = model.generate([replace(call, max_tokens=cut)])[0].tokens if cut else ()
        (rest,) = model.generate([replace(call, prefix=whole.tokens[:cut])])
        assert start + rest.tokens == whole.tokens


def test_logp_of_forced_tokens_is_that_of_a_plain_forward_pass(make_model: MakeModel) -> None:
    folder = make_model("mistral")
    model = open_hf(str(folder), device="cpu", dtype="float64")
    call = Generate(Prompt((Message("user", "Name a fruit."),)), seed=1, max_tokens=400, schema=schema(2))
    (reply,) = model.generate([replace(call, resumable=True)])
    plain = HF.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    ids = model._parts.reader.ids(call.prompt)
    with torch.inference_mode():
        scores = plain(input_ids=torch.tensor([[*ids, *reply.tokens]]), use_cache=False).logits[0]
    expected = scores.log_softmax(-1)[len(ids) - 1 : -1].gather(1, torch.tensor(reply.tokens)[:, None])[:, 0]
    assert list(reply.logps) == pytest.approx(expected.tolist(), abs=1e-5)
