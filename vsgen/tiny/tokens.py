"""The tokenizer: byte-level BPE whose pre-tokens include the phrases that every prompt and reply shares.

A phrase such as ``", "probability": 0.`` is an ordinary merge, not an added token: the same characters in a prompt's
JSON example, or under constrained decoding, are read and written as ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Final, get_args

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from vsgen.sampling import prompts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY: Final = 2560
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
    '{"responses": [{"', '", "responses": [{"', '}, {"', '"}, {"', '", "', '": "', '[{"', '[{"text": "', "}]", '"}]',
    " (0.", ")\n",
)  # fmt: skip
"""The pieces of a JSON reply, for the field text and for any other, and of numbered lines."""
_NAMES: Final = re.compile(r'\d+(?:\.\d+)?|"\w+"')
"""What differs between the instructions of one method: numbers and names."""
_WORDS: Final = r" ?\p{L}+(?:'\p{L}+)?|\d| ?[^\s\p{L}\d]|\n+|\s"


def train(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Learn the merges from messages and wrap them with roles and chat template."""
    from transformers import PreTrainedTokenizerFast

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
    """The pieces of a reply, and the methods' words between numbers and names."""
    pieces = {piece for text in _instructions() for piece in _NAMES.split(text) if len(piece) > 8}
    return pieces.union(_SKELETON)


def _instructions() -> list[str]:
    fields = ("text",)
    texts = [prompts.direct(fields, shown=True), prompts.cot(fields), prompts.more(5), prompts.another(fields)]
    for form, k in product(get_args(prompts.Format), (1, 5)):
        texts.append(prompts.sequence(fields, k, form=form))
        for reasoning, p_max, total in product((False, True), (None, 0.1), (None, 8)):
            texts.append(prompts.verbalized(fields, k, p_max=p_max, reasoning=reasoning, total=total, form=form))
    return [*texts, "Reply with exactly one of these: "]
