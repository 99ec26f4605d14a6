"""A GGUF file is opened like the folder that it was made from, or is one clear error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file

from vsgen.backends.hf.load import load
from vsgen.backends.hf.model import open_hf
from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.errors import ModelError, OptionError
from vsgen.values import Generate, Message, Prompt

HF: Any = transformers
MakeModel = Callable[..., Path]
PROMPT = Prompt((Message("user", "Name 3 fruits."),))
REAL = Path("build/real/SmolLM2-135M-Instruct.Q4_1.gguf")
_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def gguf_name(name: str) -> str:
    whole = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if not name.startswith("model.layers."):
        return whole.get(name, "output.weight")
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{_NAMES[part]}.weight"


def paired(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows in the order in which llama.cpp rotates them: the two halves of a head side by side."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(folder: Path, file: Path, *, architecture: str = "llama") -> Path:
    """Write a llama folder of the toys as GGUF, in float32."""
    import gguf

    config = json.loads((folder / "config.json").read_text())
    spelled = json.loads((folder / "tokenizer.json").read_text())
    tokens = sorted(spelled["model"]["vocab"], key=spelled["model"]["vocab"].__getitem__)
    tokens += [f"<unused{i}>" for i in range(config["vocab_size"] - len(tokens))]
    special = {token["content"] for token in spelled["added_tokens"]}
    writer = gguf.GGUFWriter(file, architecture)
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    writer.add_name("toy")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in spelled["model"]["merges"]])
    writer.add_eos_token_id(tokens.index("</s>"))
    writer.add_eot_token_id(tokens.index("<|end|>"))
    writer.add_bos_token_id(tokens.index("</s>"))
    writer.add_chat_template((folder / "chat_template.jinja").read_text())
    for name, tensor in load_file(folder / "model.safetensors").items():
        weight = tensor.float().numpy()
        if "q_proj" in name or "k_proj" in name:
            weight = paired(weight, heads if "q_proj" in name else kv)
        writer.add_tensor(gguf_name(name), np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.fixture(scope="module")
def pair(make_model: MakeModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = make_model(num_key_value_heads=2)
    return folder, write_gguf(folder, tmp_path_factory.mktemp("gguf") / "toy.Q8.gguf")


def test_a_file_draws_what_the_folder_that_it_was_made_from_draws(pair: tuple[Path, Path]) -> None:
    folder, file = pair
    calls = [Generate(PROMPT, seed=seed, max_tokens=20) for seed in range(6)]
    expected = open_hf(str(folder), device="cpu").generate(calls)
    model = open_hf(str(file), device="cpu")
    replies = model.generate(calls)
    ended = {reply.tokens[-1] for reply in replies if reply.stopped}
    for one, two in zip(replies, expected, strict=True):
        assert one.tokens == two.tokens[: len(one.tokens)]
        assert one.prompt_tokens == two.prompt_tokens
        assert one.tokens == two.tokens or one.tokens[-1] in ended  # the file also says which token ends a turn
    assert model.name.startswith("toy.Q8@")
    assert len(model._parts.ends) == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_becomes_an_ordinary_model_of_the_asked_type(pair: tuple[Path, Path], dtype: str, tmp_path: Path) -> None:
    opened = load(str(pair[1]), device="cpu", dtype=dtype)
    model: Any = opened.model
    assert model.dtype == getattr(torch, dtype)
    model.save_pretrained(tmp_path)
    again = HF.AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([[5, 6, 7]])
    assert torch.equal(again(ids).logits, model(ids).logits)


def test_its_tokenizer_spells_as_the_folder_does(pair: tuple[Path, Path]) -> None:
    folder, file = (open_tokenizer(str(place)) for place in pair)
    assert file.name == "toy.Q8"
    assert file.end == folder.end
    assert file.spell(PROMPT, ["an apple", "3 café"]) == folder.spell(PROMPT, ["an apple", "3 café"])


def test_opening_is_silent(pair: tuple[Path, Path], capfd: pytest.CaptureFixture[str]) -> None:
    open_hf(str(pair[1]), device="cpu")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kept", [30, 3000, -5000])
def test_a_truncated_file_is_one_clear_error(pair: tuple[Path, Path], tmp_path: Path, kept: int) -> None:
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(pair[1].read_bytes()[:kept])
    for open_it in (open_model, open_tokenizer):
        with pytest.raises(ModelError, match=r"torn\.gguf: is cut off") as refused:
            open_it(str(torn))
        assert "download it again" in str(refused.value)


def test_the_header_counts_the_parameters_of_the_model(pair: tuple[Path, Path]) -> None:
    facts = open_tokenizer(str(pair[1])).facts()
    opened = open_hf(str(pair[1]), device="cpu").facts()
    assert facts is not None and opened is not None
    assert facts.parameters == opened.parameters


def test_other_files_and_missing_ones_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    with pytest.raises(ModelError, match=r"page\.gguf: is not a GGUF file: it begins with b'<htm', not b'GGUF'"):
        open_hf(str(tmp_path / "page.gguf"))
    with pytest.raises(ModelError, match=r"none\.gguf: no such file; give a GGUF file, a model's folder or"):
        open_hf(str(tmp_path / "none.gguf"))
    with pytest.raises(ModelError, match=r"page\.gguf: is not a GGUF file"):
        open_tokenizer(str(tmp_path / "page.gguf"))


def test_an_unknown_architecture_is_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    file = write_gguf(pair[0], tmp_path / "odd.gguf", architecture="oddity")
    with pytest.raises(ModelError, match=r"odd\.gguf: cannot be opened as a language model: .*oddity"):
        open_hf(str(file), device="cpu")


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(OptionError, match=r"reading GGUF needs gguf \(not installed\); install the extra models: "):
        open_hf(str(pair[1]))


@pytest.mark.skipif(not REAL.is_file(), reason="make real fetches the model")
def test_a_real_file_answers_a_plain_question() -> None:
    asked = Prompt((Message("user", "What is the capital of France?"),))
    (reply,) = open_hf(str(REAL), device="cpu").generate([Generate(asked, seed=0, temperature=0, max_tokens=12)])
    assert "Paris" in reply.text


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_a_torn_file_is_one_error_that_names_it(make_model: MakeModel, tmp_path: Path, share: float) -> None:
    path = write_gguf(make_model(tie_word_embeddings=False), tmp_path / "toy.gguf")
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(ModelError, match=r"toy\.gguf: ") as raised:
        open_hf(str(path), device="cpu")
    assert "\n" not in str(raised.value)
