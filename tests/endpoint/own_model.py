"""Replies of the embedded model in the form of OpenAI's API, with the members that vLLM adds to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.open import open_model
from vsgen.values import Completion, Generate, Message, Prompt

_NEVER = -9999.0
"""What vLLM writes for the logarithm of 0."""
_MOST = 20
"""Log-probabilities at a position that vLLM states at most, unless it is told otherwise."""


class Blamed(Exception):
    """The request is refused, in vLLM's words."""


class OwnModel:
    """Answers one request at a time."""

    def __init__(self, name: str, *, processed: bool = False) -> None:
        """Open.

        Args:
            name: The model's.
            processed: Log-probabilities of drawn tokens are those that they were drawn with, as of
                ``--logprobs-mode processed_logprobs``.
        """
        model = open_model(name)
        assert isinstance(model, BatchedModel)
        self.model = model
        self._parts = model._parts
        self._by_ids = _reading_ids(model)
        self._processed = processed
        self.start_anew()
        self._prompts: set[tuple[int, ...]] = set()
        """Ids that were stated as a prompt's: what is asked beyond them is a reply that goes on."""

    def start_anew(self) -> None:
        """What is left to chance comes as it came after the start."""
        self._chance = count(1000)
        """Seeds of requests that name none."""

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
            "prompt_logprobs": self._line(ids, asked),
            "prompt_token_ids": self._named(ids, asked),
        }

    def completions(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Completions, of one prompt or of several; a prompt is a text or a list of ids."""
        given = asked["prompt"]
        prompts = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
        choices = [self._completed(prompt, number, asked) for number, prompt in enumerate(prompts)]
        drawn, read = sum(one.pop("_drawn") for one in choices), sum(one.pop("_read") for one in choices)
        return {**_head("text_completion", asked), "choices": choices, "usage": _usage(read, drawn)}

    def _completed(self, prompt: str | list[int], index: int, asked: Mapping[str, Any]) -> dict[str, Any]:
        reader = self._parts.reader
        ids = reader.ids(Prompt(prefill=prompt)) if isinstance(prompt, str) else prompt
        if asked.get("max_tokens") == 0:
            reply = Completion("", stopped=False)
        elif isinstance(prompt, str):
            reply = self._drawn(Prompt(prefill=prompt), asked, True)
        else:
            reply = self._continued(ids, asked)
        text = self._parts.tokenizer.decode(ids, special=True) + reply.text if asked.get("echo") else reply.text
        by_text = reply.stopped and reply.tokens[-1] not in self._parts.ends
        return {
            "index": index,
            "text": text,
            "finish_reason": "stop" if reply.stopped else "length",
            "stop_reason": asked["stop"][0] if by_text else None,
            "logprobs": self._listed(ids, reply, asked) if asked.get("logprobs") is not None else None,
            "token_ids": list(reply.tokens) if asked.get("return_token_ids") else None,
            "prompt_token_ids": self._named(ids, asked),
            "prompt_logprobs": self._line(ids, asked),
            "_read": len(ids),
            "_drawn": len(reply.tokens),
        }

    def _named(self, ids: list[int], asked: Mapping[str, Any]) -> list[int] | None:
        if not asked.get("return_token_ids"):
            return None
        if self._begun(ids) == 0:
            self._prompts.add(tuple(ids))
        return ids

    def _begun(self, ids: Sequence[int]) -> int:
        """How many of some ids are a prompt's; 0 if that is not known."""
        return max((len(one) for one in self._prompts if tuple(ids[: len(one)]) == one), default=0)

    def _continued(self, ids: Sequence[int], asked: Mapping[str, Any]) -> Completion:
        """A reply to ids, of which it has the text of what is drawn alone.

        A reply that goes on takes the random numbers that it would have taken at once, so that it is the reply that
        this process draws; vLLM begins with the first one.
        """
        begun = self._begun(ids) or len(ids)
        call = self._call(Prompt(prefill=json.dumps(ids[:begun])), asked)
        (whole,) = self._by_ids.generate([replace(call, prefix=tuple(ids[begun:]))])
        before = self._parts.tokenizer.decode(ids[begun:])
        return replace(whole, text=whole.text[len(before) :])

    def _drawn(self, prompt: Prompt, asked: Mapping[str, Any], goes_on: bool) -> Completion:
        if not goes_on:  # the conversation is closed: only its log-probabilities are wanted
            return Completion("", stopped=False)
        return self.model.generate([self._call(prompt, asked)])[0]

    def _call(self, prompt: Prompt, asked: Mapping[str, Any]) -> Generate:
        schema = (asked.get("response_format") or {}).get("json_schema", {}).get("schema")
        stop = asked.get("stop") or ()
        if asked.get("temperature", 1.0) > 2:
            raise Blamed(f"temperature must be in [0, 2], got {asked['temperature']}.")
        return Generate(
            prompt,
            seed=next(self._chance) if asked.get("seed") is None else asked["seed"],
            temperature=asked.get("temperature", 1.0),
            top_p=asked.get("top_p", 1.0),
            top_k=asked.get("top_k") or 0,
            min_p=asked.get("min_p") or 0.0,
            max_tokens=asked.get("max_completion_tokens") or asked.get("max_tokens") or 512,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            schema=None if schema is None else json.dumps(schema),
            pattern=(asked.get("structured_outputs") or {}).get("regex"),
            resumable=True,
        )

    def _places(self, ids: Sequence[int], drawn: Sequence[int], top: int) -> list[dict[int, float]]:
        """For each drawn token: itself, then the most probable ones, each with its log-probability."""
        if top > _MOST:
            raise Blamed(f"Requested sample logprobs of {top}, which is greater than max allowed: {_MOST}")
        network = self._parts.network
        with network.computing():
            found = network.along([tuple(ids)], [tuple(drawn)], self._parts.ends, max(top, 1))
        return [
            {token: float(found.logps[0, at])}
            | dict(zip(map(int, found.top_ids[0, at, :top]), map(float, found.top_logps[0, at, :top]), strict=True))
            for at, token in enumerate(drawn)
        ]

    def _listed(self, ids: Sequence[int], reply: Completion, asked: Mapping[str, Any]) -> dict[str, Any]:
        """`logprobs` of completions."""
        places = self._places(ids, reply.tokens, asked["logprobs"])
        if self._processed:
            pairs = zip(places, reply.tokens, reply.logqs, strict=True)
            places = [_as_drawn(place, token, logq, asked) for place, token, logq in pairs]
        name = (lambda token: f"token_id:{token}") if asked.get("return_tokens_as_token_ids") else self._word
        return {
            "tokens": [name(token) for token in reply.tokens],
            "token_logprobs": [max(place[token], _NEVER) for place, token in zip(places, reply.tokens, strict=True)],
            "top_logprobs": [{name(token): max(logp, _NEVER) for token, logp in one.items()} for one in places],
        }

    def _line(self, ids: Sequence[int], asked: Mapping[str, Any]) -> list[Any] | None:
        """`prompt_logprobs`."""
        if "prompt_logprobs" not in asked:
            return None
        stated = [
            {
                str(token): {"logprob": max(logp, _NEVER), "rank": 1, "decoded_token": self._word(token)}
                for token, logp in place.items()
            }
            for place in self._places(ids[:1], ids[1:], asked["prompt_logprobs"])
        ]
        return [None, *stated]

    def _stated(self, ids: Sequence[int], reply: Completion, asked: Mapping[str, Any]) -> list[Any]:
        """`logprobs.content`: each drawn token, with the likeliest in its place."""
        top = asked.get("top_logprobs") or 1
        places = self._places(ids, reply.tokens, top)
        ranked = [sorted(place.items(), key=lambda one: -one[1])[:top] for place in places]
        return [
            {**self._token(token, place[token]), "top_logprobs": [self._token(*one) for one in listed]}
            for token, place, listed in zip(reply.tokens, places, ranked, strict=True)
        ]

    def _token(self, token: int, logp: float) -> dict[str, Any]:
        word = self._word(token)
        return {"token": word, "logprob": max(float(logp), _NEVER), "bytes": list(word.encode())}

    def _word(self, token: int) -> str:
        return self._parts.tokenizer.decode([token], special=True)


class _Given:
    """Reads prompts that are ids."""

    def __init__(self, reader: Any) -> None:
        self.control = reader.control

    def ids(self, prompt: Prompt) -> list[int]:
        ids: list[int] = json.loads(prompt.prefill)
        return ids

    def stops(self, prompt: Prompt) -> tuple[str, ...]:
        return ()


def _reading_ids(model: BatchedModel) -> BatchedModel:
    """The same model, whose prompts are lists of ids as JSON."""
    given: Any = _Given(model._parts.reader)
    return BatchedModel(model.name, replace(model._parts, reader=given), model._limits, model.facts())


def _as_drawn(place: Mapping[int, float], token: int, logq: float, asked: Mapping[str, Any]) -> dict[int, float]:
    """What is listed at a place, after temperature and `top_k`."""
    heat = asked.get("temperature", 1.0) or 1.0
    kept = sorted(place.values(), reverse=True)[: asked.get("top_k") or None]
    return {one: (logp - place[token]) / heat + logq if logp >= kept[-1] else _NEVER for one, logp in place.items()}


def _head(kind: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "own-1", "object": kind, "created": 1, "model": asked["model"]}


def _usage(read: int, drawn: int) -> dict[str, int]:
    return {"prompt_tokens": read, "completion_tokens": drawn, "total_tokens": read + drawn}
