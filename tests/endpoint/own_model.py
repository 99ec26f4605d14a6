"""Replies of the embedded model in the form of OpenAI's API, with the members that vLLM adds to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.open import open_model
from vsgen.values import Completion, Generate, Message, Prompt

_NEVER = -9999.0
"""What vLLM writes for the logarithm of 0."""


class OwnModel:
    """Answers one request at a time."""

    def __init__(self, name: str) -> None:
        model = open_model(name)
        assert isinstance(model, BatchedModel)
        self._model = model
        self._parts = model._parts

    def chat(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A chat completion."""
        turns, goes_on = asked["messages"], bool(asked.get("continue_final_message"))
        opened = not goes_on and asked.get("add_generation_prompt", True)
        text = self._parts.tokenizer.lay_out(turns, opened=opened)
        if goes_on:
            last = turns[-1]["content"]
            text = text[: text.rindex(last) + len(last)]
        ids = self._parts.tokenizer.encode([text], opening=False)[0]
        messages = tuple(Message(one["role"], one["content"]) for one in (turns[:-1] if goes_on else turns))
        reply = self._drawn(Prompt(messages, turns[-1]["content"] if goes_on else ""), asked, opened or goes_on)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": reply.text},
            "finish_reason": "stop" if reply.stopped else "length",
            "logprobs": {"content": self._stated(ids, reply, asked)} if asked.get("logprobs") else None,
        }
        return {
            **_head("chat.completion", asked),
            "choices": [choice],
            "usage": _usage(len(ids), len(reply.tokens)),
            "prompt_logprobs": self._line(ids) if "prompt_logprobs" in asked else None,
        }

    def completions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Completions, of one prompt or of several; a prompt is a text or a list of ids."""
        given = asked["prompt"]
        prompts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
        choices = [self._completed(prompt, number, asked) for number, prompt in enumerate(prompts)]
        drawn, read = sum(len(one["token_ids"]) for one in choices), sum(one.pop("_read") for one in choices)
        return {**_head("text_completion", asked), "choices": choices, "usage": _usage(read, drawn)}

    def _completed(self, prompt: str | list[int], index: int, asked: Mapping[str, Any]) -> dict[str, Any]:
        reader = self._parts.reader
        ids = reader.ids(Prompt(prefill=prompt)) if isinstance(prompt, str) else prompt
        if isinstance(prompt, str):
            reply = self._drawn(Prompt(prefill=prompt), asked, True)
        else:
            assert prompt[0] == reader.first()
            reply = self._drawn(Prompt(), asked, True, tuple(prompt[1:]))
        logps = self._logps([*ids, *reply.tokens])[len(ids) - 1 :] if reply.tokens else []
        return {
            "index": index,
            "text": self._parts.tokenizer.decode(reply.tokens) if not isinstance(prompt, str) else reply.text,
            "finish_reason": "stop" if reply.stopped else "length",
            "logprobs": {"token_logprobs": logps} if asked.get("logprobs") is not None else None,
            "token_ids": list(reply.tokens),
            "prompt_logprobs": self._line(ids) if "prompt_logprobs" in asked else None,
            "_read": len(ids),
        }

    def _drawn(self, prompt: Prompt, asked: Mapping[str, Any], goes_on: bool, prefix: Sequence[int] = ()) -> Completion:
        if not goes_on:  # the conversation is closed: only its log-probabilities are wanted
            return Completion("", stopped=False)
        schema = (asked.get("response_format") or {}).get("json_schema", {}).get("schema")
        stop = asked.get("stop") or ()
        call = Generate(
            prompt,
            seed=asked.get("seed") or 0,
            temperature=asked.get("temperature", 1.0),
            top_p=asked.get("top_p", 1.0),
            top_k=asked.get("top_k") or 0,
            max_tokens=asked.get("max_completion_tokens") or asked.get("max_tokens") or 512,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            schema=None if schema is None else json.dumps(schema),
            pattern=(asked.get("structured_outputs") or {}).get("regex"),
            prefix=tuple(prefix),
        )
        return self._model.generate([call])[0]

    def _logps(self, ids: Sequence[int]) -> list[float]:
        """Of every token but the first."""
        network = self._parts.network
        with network.computing():
            found = network.along([tuple(ids[:1])], [tuple(ids[1:])], self._parts.ends, 1)
        return [max(logp, _NEVER) for logp in found.logps[0, : len(ids) - 1].tolist()]

    def _line(self, ids: Sequence[int]) -> list[Any]:
        """`prompt_logprobs`."""
        stated = [
            {str(token): {"logprob": logp, "rank": 1, "decoded_token": self._word(token)}}
            for token, logp in zip(ids[1:], self._logps(ids), strict=True)
        ]
        return [None, *stated]

    def _stated(self, ids: Sequence[int], reply: Completion, asked: Mapping[str, Any]) -> list[Any]:
        """`logprobs.content`: each drawn token, with the likeliest in its place."""
        network, top = self._parts.network, asked.get("top_logprobs") or 1
        with network.computing():
            found = network.along([tuple(ids)], [reply.tokens], self._parts.ends, top)
        return [
            {
                **self._token(token, found.logps[0, at]),
                "top_logprobs": [
                    self._token(int(other), logp)
                    for other, logp in zip(found.top_ids[0, at], found.top_logps[0, at], strict=True)
                ],
            }
            for at, token in enumerate(reply.tokens)
        ]

    def _token(self, token: int, logp: float) -> dict[str, Any]:
        word = self._word(token)
        return {"token": word, "logprob": max(float(logp), _NEVER), "bytes": list(word.encode())}

    def _word(self, token: int) -> str:
        return self._parts.tokenizer.decode([token], special=True)


def _head(kind: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "own-1", "object": kind, "created": 1, "model": asked["model"]}


def _usage(read: int, drawn: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": drawn, "total_tokens": read + drawn}
