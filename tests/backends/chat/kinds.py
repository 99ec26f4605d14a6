"""Small tokenizers of every kind that language models have, with chat templates of every style that marks turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import transformers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

HF: Any = transformers
Tokens: TypeAlias = Any
_TEXT = [
    "The espresso machine leaks and the café wants a refund, please.",
    "My bike light died in the rain, twice; I'd like a new one <b>now</b>.",
    "user assistant system model im_start im_end eot_id think start of turn end of turn INST",
    "a < b > c [x] | y / z ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 _ - : . ! ? ( ) { }",
] * 4

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if tools %}<tool_call>{% endif %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if thinks %}<think>{% endif %}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'assistant' %} {{ m.content }}{{ eos_token }}{% else %}[INST] {{ m.content }}[/INST]{% endif %}"
    "{% endfor %}"
)
DEEPSEEK = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'assistant' %}<｜Assistant｜>{{ m.content.split('</think>')[-1] }}<｜end▁of▁sentence｜>"
    "{% elif m.role == 'user' %}<｜User｜>{{ m.content }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)
BYT5 = (
    "{% for m in messages %}<extra_id_1>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<extra_id_1>{% endif %}"
)


def chatml() -> Tokens:
    """Byte-level BPE, as in Qwen and SmolLM; ``<think>`` is an added token but no special one."""
    special, marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], ["<think>", "</think>", "<tool_call>"]
    return _wrapped(_byte_level(special), CHATML, marks, eos_token="<|im_end|>", pad_token="<|endoftext|>")


def llama3() -> Tokens:
    """Byte-level BPE whose whole words need no merges, with an opening token of its own."""
    special = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    core = _byte_level([])
    spec = json.loads(core.to_str())
    spec["model"]["ignore_merges"] = True
    core = Tokenizer.from_str(json.dumps(spec))
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    first = core.token_to_id(special[0])
    core.post_processor = processors.TemplateProcessing(single=f"{special[0]} $A", special_tokens=[(special[0], first)])
    return _wrapped(core, LLAMA3, [], bos_token=special[0], eos_token="<|eot_id|>")


def gemma() -> Tokens:
    """SentencePiece-like BPE with byte fallback and no added space; runs of blanks are added tokens."""
    core = _pieces(["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"])
    core.normalizer = normalizers.Replace(" ", "▁")
    core.pre_tokenizer = pre_tokenizers.Split(Regex(" "), "merged_with_previous")
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    core.add_tokens([AddedToken(text, normalized=False) for text in ("\n", "\n\n", "▁▁", "<b>", "</b>")])
    return _wrapped(core, GEMMA, [], bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>")


def llama2() -> Tokens:
    """SentencePiece-like BPE with byte fallback, a space before each text, and an opening token; no chat template."""
    core = _pieces(["<unk>", "<s>", "</s>"])
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return _wrapped(core, None, [], bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def mistral() -> Tokens:
    """Unigram with byte fallback and metaspace; its special tokens are pieces that score best."""
    special = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    core.train_from_iterator(
        _TEXT, trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    spec = json.loads(core.to_str())
    spec["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    spec["model"]["byte_fallback"] = True
    core = Tokenizer.from_str(json.dumps(spec))
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _wrapped(core, MISTRAL, [], bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def deepseek() -> Tokens:
    """Byte-level BPE; the marks of turns have full-width bars, and only the ends of texts are special."""
    special = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"]
    marks = ["<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"]
    return _wrapped(_byte_level(special), DEEPSEEK, marks, bos_token=special[0], eos_token=special[1])


def bert() -> Tokens:
    """WordPiece in lower case, as in BERT; it ends what it opens."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    core.train_from_iterator(_TEXT, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return _wrapped(core, None, [], **names, mask_token="[MASK]", bos_token="[CLS]", eos_token="[SEP]")


def words() -> Tokens:
    """Whole words between blanks, special tokens among them."""
    known = [word for text in _TEXT for word in text.split()]
    special = ["<unk>", "</s>", "<|user|>", "<|bot|>"]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys([*special, *known, *"<|>/subotaer"]))}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    template = "{% for m in messages %}<|user|> {{ m.content }} </s> {% endfor %}<|bot|>"
    return _wrapped(core, template, [], eos_token="</s>", unk_token="<unk>")


def folded() -> Tokens:
    """Byte-level BPE that looks for an added token in the folded text, so that ``<THINK>`` is one."""
    core = _byte_level(["</s>"])
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    core.add_tokens([AddedToken("<Think>", normalized=True)])
    template = "{% for m in messages %}{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<Think>{% endif %}"
    return _wrapped(core, template, [], eos_token="</s>")


def slow_bytes() -> Tokens:
    """One token a byte, written in Python."""
    tokenizer = HF.ByT5Tokenizer(extra_ids=3)
    tokenizer.chat_template = BYT5
    return tokenizer


def slow_words() -> Tokens:
    """WordPiece written in Python, which never cuts a special token; no chat template."""
    from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

    vocabulary = sorted(bert().get_vocab().items(), key=lambda item: item[1])
    with TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("\n".join(piece for piece, _ in vocabulary))
        legacy: Any = BertTokenizerLegacy
        return legacy(str(file), bos_token="[CLS]", eos_token="[SEP]")


KINDS: Mapping[str, Callable[[], Tokens]] = {
    one.__name__: one
    for one in (chatml, llama3, gemma, llama2, mistral, deepseek, bert, words, folded, slow_bytes, slow_words)
}
LOSSY = frozenset({"bert", "words", "folded", "slow_words"})
"""They do not keep a text: cases, blanks, unknown words."""


def _byte_level(special: Sequence[str]) -> Tokenizer:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_TEXT, trainer)
    return core


def _pieces(special: Sequence[str]) -> Tokenizer:
    """Characters, pieces and bytes; merges make even the special tokens, as those rebuilt from a vocabulary do."""
    core = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    trained = [text.replace(" ", "▁") for text in _TEXT]
    core.train_from_iterator(
        trained, trainers.BpeTrainer(vocab_size=200, special_tokens=list(special), show_progress=False)
    )
    spec = json.loads(core.to_str())
    vocabulary: dict[str, int] = spec["model"]["vocab"]
    merges: list[list[str]] = spec["model"]["merges"]
    for token in special:
        for end in range(2, len(token) + 1):
            if token[:end] not in vocabulary:
                vocabulary[token[:end]] = len(vocabulary)
            if [token[: end - 1], token[end - 1]] not in merges:
                merges.append([token[: end - 1], token[end - 1]])
    vocabulary.update({f"<0x{byte:02X}>": len(vocabulary) + byte for byte in range(256)})
    return Tokenizer.from_str(json.dumps(spec))


def _wrapped(core: Tokenizer, template: str | None, marks: Sequence[str], **names: str) -> Tokens:
    core.add_tokens([AddedToken(mark, normalized=False) for mark in marks])
    tokenizer = HF.PreTrainedTokenizerFast(tokenizer_object=core, clean_up_tokenization_spaces=False, **names)
    tokenizer.chat_template = template
    return tokenizer
