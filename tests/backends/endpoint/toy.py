"""A server whose model is known exactly, with the abilities of vLLM or of less."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import orjson

from tests.backends.endpoint.dialogs import ok
from vsgen.backends.endpoint.http import Request, Response

PIECES = ("[u]", "[/u]", "[a]", "</a>", "other", "bill", "ing", "ship", "p", "s", " ", "\n", "Ans", "wer", ":")
"""Tokens of more than one character; every other character is a token of its own."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789QZJ#*ABCDEFGHIKLMNOPRSTUVWXY."
TOKENS = (*PIECES, *(one for one in LETTERS if one not in PIECES))
END = "</a>"


def pieces(text: str) -> list[str]:
    """The text's tokens: the longest first."""
    found = []
    while text:
        piece = max((one for one in TOKENS if text.startswith(one)), key=len)
        found.append(piece)
        text = text[len(piece) :]
    return found


class Toy:
    """Next-token probabilities that hang on the last two tokens alone, peaked as a model's are."""

    def __init__(self, top: int = 20) -> None:
        self.top = top
        self.requests: list[tuple[str, Mapping[str, Any]]] = []

    def next(self, before: Sequence[str]) -> dict[str, float]:
        """P(each token | tokens before it)."""
        rng = Random("|".join(before[-2:]))
        weights = [math.exp(1.5 * rng.gauss(0, 1)) for _ in TOKENS]
        return {one: weight / sum(weights) for one, weight in zip(TOKENS, weights, strict=True)}

    def logp(self, text: str, given: str) -> float:
        """Log P(text | given)."""
        before, total = pieces(given), 0.0
        for piece in pieces(text):
            total += math.log(self.next(before)[piece])
            before = [*before, piece]
        return total

    def template(self, body: Mapping[str, Any]) -> str:
        """A conversation as one text."""
        turns = body["messages"]
        ends = {"user": ("[u]", "[/u]"), "assistant": ("[a]", END)}
        text = "".join(ends[one["role"]][0] + one["content"] + ends[one["role"]][1] for one in turns)
        if body.get("continue_final_message"):
            return text.removesuffix(END)
        return text if body.get("add_generation_prompt") is False else f"{text}[a]"

    def line(self, text: str) -> list[Any]:
        """`prompt_logprobs`."""
        every = pieces(text)
        stated: list[Any] = [None]
        for at in range(1, len(every)):
            logp = math.log(self.next(every[:at])[every[at]])
            stated.append({str(TOKENS.index(every[at])): {"logprob": logp, "rank": 1, "decoded_token": every[at]}})
        return stated

    def listed(self, text: str) -> list[dict[str, Any]]:
        """`top_logprobs`."""
        probs = sorted(self.next(pieces(text)).items(), key=lambda pair: -pair[1])
        return [{"token": one, "logprob": math.log(p), "bytes": list(one.encode())} for one, p in probs[: self.top]]

    def __call__(self, request: Request) -> Response:
        body = orjson.loads(request.body)
        self.requests.append((request.path, body))
        if request.path == "completions":
            prompts = body["prompt"]
            choices = [{"index": i, "text": "x", "prompt_logprobs": self.line(one)} for i, one in enumerate(prompts)]
            return ok({"choices": choices[::-1], "usage": {"prompt_tokens": 9}})
        text, reply = self.template(body), {"message": {"role": "assistant", "content": "x"}, "finish_reason": "length"}
        if body.get("logprobs"):
            top = self.listed(text)
            reply["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        lines = {"prompt_logprobs": self.line(text)} if "prompt_logprobs" in body else {}
        return ok({"choices": [reply], **lines, "usage": {"prompt_tokens": len(pieces(text)), "completion_tokens": 1}})
