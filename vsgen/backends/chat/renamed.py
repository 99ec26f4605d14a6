"""A tokenizer some of whose tokens have other names, so that no text spells them by chance; ids stay what they are.

Everything else of it stays too: how it normalizes, cuts and merges, and which other added tokens it finds. A name that
was taken away is text like any other, even where it also stands in the vocabulary that text is made of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tokenizers import Tokenizer


def renamed(tokenizer: Tokenizer, names: Mapping[str, str]) -> Tokenizer:
    """A copy of a tokenizer that finds added tokens by new names only.

    Args:
        tokenizer: Stays as it is.
        names: From an added token's name to its new one.
    """
    spec = json.loads(tokenizer.to_str())
    for token in spec["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = spec["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(piece, piece): i for piece, i in model["vocab"].items()}
    else:
        model["vocab"] = [(names.get(piece, piece), score) for piece, score in model["vocab"]]
    if "merges" in model:
        model["merges"] = [pair for pair in model["merges"] if names.keys().isdisjoint((*pair, "".join(pair)))]
    if model.get("unk_token") is not None:
        model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
    return Tokenizer.from_str(json.dumps(spec))
