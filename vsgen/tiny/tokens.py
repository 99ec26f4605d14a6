"""The tokenizer: byte-level BPE whose pre-tokens include the phrases that every prompt and reply shares.

A phrase such as ``", "probability": 0.`` is an ordinary merge, not an added token: the same characters in a prompt's
JSON example, or under constrained decoding, are read and written as ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from vsgen.sampling import prompts
from vsgen.tiny.chat import FIELDS

VOCABULARY: Final = 2048
CONTEXT: Final = 1024
PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|eos|>"
ROLES: Final = {role: f"<|{role}|>" for role in ("system", "user", "assistant")}

TEMPLATE: Final = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_SKELETON: Final = (
    '{"responses": [{"text": "', '", "responses": [{"text": "', '", "probability": 0.', '}, {"text": "', "}]}",
    '"}, {"text": "', '"}]}', '{"reasoning": "', '", "text": "', '"}',
)  # fmt: skip
_WORDS: Final = r" ?\p{L}+(?:'\p{L}+)?|\d| ?[^\s\p{L}\d]|\n+|\s"


def train(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Learn the merges from messages and wrap them with roles and chat template."""
    phrases = "|".join(re.escape(phrase) for phrase in sorted(_phrases(), key=len, reverse=True))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{phrases}|{_WORDS}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    special = [PAD, BOS, EOS, *ROLES.values()]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, special.index(BOS))])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bpe,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=list(ROLES.values()),
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def _phrases() -> set[str]:
    """The instructions' fixed pieces, between numbers, each JSON form whole; and the pieces of a reply."""
    pieces = set(_SKELETON)
    for line in _instructions():
        pieces |= {line} if line.startswith("{") else set(re.split(r"\d+(?:\.\d+)?", line))
    return {piece for piece in pieces if len(piece) > 8 or piece in _SKELETON}


def _instructions() -> set[str]:
    texts = [prompts.cot(FIELDS), prompts.sequence(FIELDS, 5), prompts.more(5), prompts.another(FIELDS)]
    for reasoning in (False, True):
        for p_max in (None, 0.1):
            texts += [
                prompts.verbalized(FIELDS, 5, p_max=p_max, reasoning=reasoning, total=total) for total in (None, 8)
            ]
    texts.append("Reply with exactly one of these: ")
    return {line for text in texts for line in text.split("\n")}
