"""Toy models: random weights and tokenizers trained here, saved as folders that the real loaders open."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

HF: Any = transformers
Tokens: TypeAlias = Any
_TEXT = [
    "The espresso machine leaks and the café wants a refund.",
    "My bike light died in the rain, twice; I'd like a new one please.",
    '[{"text": "a red apple", "probability": 0.25}, {"text": "blue", "probability": 0.1}]',
    '{"responses": [{"text": "yes", "probability": 0.4}]}',
    "billing bug how-to not relevant relevant",
] * 4
_CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_ROLES = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
_LLAMA = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
_SIZES: Mapping[str, Mapping[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512},
    "mistral": {**_LLAMA, "num_key_value_heads": 2, "sliding_window": 8},
    "gemma3_text": {
        **_LLAMA,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "mamba": {"hidden_size": 32, "num_hidden_layers": 2},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4},
}


def byte_level(chat: str | None) -> Tokens:
    """Byte-level BPE, as in GPT-2, Llama 3 and Qwen."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        _TEXT, trainers.BpeTrainer(vocab_size=400, special_tokens=["</s>", *_ROLES], initial_alphabet=alphabet)
    )
    tokenizer = HF.PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="</s>", additional_special_tokens=_ROLES, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = chat
    return tokenizer


def pieces() -> Tokens:
    """SentencePiece-like BPE with byte fallback and a begin token, as in Llama 2 and Mistral; no chat template."""
    core = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.train_from_iterator(_TEXT, trainers.BpeTrainer(vocab_size=160, special_tokens=["<unk>", "<s>", "</s>"]))
    spec = json.loads(core.to_str())
    vocabulary = spec["model"]["vocab"]
    vocabulary.update({f"<0x{byte:02X}>": len(vocabulary) + byte for byte in range(256)})
    core = Tokenizer.from_str(json.dumps(spec))
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return HF.PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Tokens]:
    """Build a tokenizer: ``bytes`` (with a chat template unless told otherwise) or ``pieces``."""

    def make(spelling: str = "bytes", chat: str | None = _CHAT) -> Tokens:
        return byte_level(chat) if spelling == "bytes" else pieces()

    return make


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory, make_tokenizer: Callable[..., Tokens]) -> Callable[..., Path]:
    """Save a random model; the changes of its configuration are keyword arguments."""

    def make(
        kind: str = "llama",
        *,
        spelling: str = "bytes",
        chat: str | None = _CHAT,
        sampling: Mapping[str, Any] | None = None,
        ends: Sequence[int] = (),
        **changes: Any,
    ) -> Path:
        tokenizer = make_tokenizer(spelling, chat)
        settings = {"vocab_size": len(tokenizer) + 8, "max_position_embeddings": 512}
        settings |= {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": tokenizer.bos_token_id}
        config = CONFIG_MAPPING[kind](**{**settings, **_SIZES.get(kind, _LLAMA), **changes})
        with torch.random.fork_rng():
            torch.manual_seed(0)  # noqa: TID251
            model = HF.AutoModelForCausalLM.from_config(config)
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    torch.nn.init.normal_(parameter, std=0.3)
        if sampling or ends:
            model.generation_config = HF.GenerationConfig(eos_token_id=list(ends) or None, **(sampling or {}))
        folder = tmp_path_factory.mktemp(kind)
        HF.utils.logging.disable_progress_bar()
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make
