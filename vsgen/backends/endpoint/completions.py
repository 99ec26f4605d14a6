"""The wire of OpenAI's completions, for models that continue text: vLLM, SGLang, llama.cpp and a few providers.

The prompt is one text: what there is of turns is written as a document, as every model without a chat template is given
it. Where the server states ids and log-probabilities of tokens (vLLM), a reply has them.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from vsgen.backends.endpoint.asking import drawing, form, post
from vsgen.backends.endpoint.chat import Written, answered
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.prompt_logprobs import ASKED, Line, after, read_line
from vsgen.backends.endpoint.reading import first, member, read_object, refused, usage_of
from vsgen.backends.endpoint.tokens import ROUTE, Layout, Tokens, by_tokens, lacks_for_tokens
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said, Unreadable, Usage, asked
from vsgen.values import Call, Completion, Generate, Prompt, Refused, Score, Scores, Teach

_SIDE_BY_SIDE: Final = 64
"""Prompts of one request."""
_REQUEST: Final = "Request:\n"
_ANSWER: Final = "Answer:\n"


class Completions:
    """See the module."""

    name: Final = "completions"

    def __init__(self) -> None:
        """Set up, for one server."""
        self._tokens = Tokens(_laid)

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        match call:
            case Generate():
                return lacks_for_tokens(call, can) if by_tokens(call) else None
            case Score():
                if not can.prompt_logprobs:
                    return "log-probabilities of a prompt's tokens (prompt_logprobs), which scoring needs"
                return None if call.prompt.cue else "a known end of a reply, which scoring needs; use --wire chat"
            case Teach():
                return "known end of a reply, which token-level rows need; use --wire chat"
            case _:
                return f"{type(call).__name__.lower()} calls"

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if (problem := self.lacks(call, can)) is not None or not isinstance(call, Generate | Score):
            return Said(Refused("refused", f"the server has no {problem}"))
        if isinstance(call, Score):
            return (yield from _scored(call, model))
        if by_tokens(call):
            return (yield from self._tokens.dialog(_stopped(call), model, can))
        request = post(ROUTE, _body(call, model, can), call.prompt, call.max_tokens)
        return (yield from asked(request, partial(_read_reply, call=call, can=can)))


def document(prompt: Prompt) -> str:
    """A prompt as one text, which the reply continues: as a model without a chat template is given it in process."""
    if prompt.cue:
        begun = prompt.prefill if prompt.opened else prompt.prefill + prompt.cue
        return "".join(f"{one.content}\n\n" for one in prompt.messages) + begun
    if not prompt.messages:
        return prompt.prefill
    if len(prompt.messages) == 1:
        return prompt.messages[0].content + (" " if prompt.prefill[:1].strip() else "") + prompt.prefill
    lead = {"system": "", "user": _REQUEST, "assistant": _ANSWER}
    return "".join(f"{lead[one.role]}{one.content}\n\n" for one in prompt.messages) + _ANSWER + prompt.prefill


def _laid(prompt: Prompt, can: Abilities) -> Layout:
    return Layout(ROUTE, {"prompt": document(prompt)})


def _body(call: Generate, model: str, can: Abilities) -> dict[str, Any]:
    body = {"model": model, "prompt": document(call.prompt), **drawing(_stopped(call), can), **form(call, can)}
    return body | ({"logprobs": 1, "return_token_ids": True} if can.tokens and can.logprobs else {})


def _stopped(call: Generate) -> Generate:
    """The call with the end that the layout of its prompt gives it."""
    own: tuple[str, ...] = ()
    if call.prompt.cue and (call.prompt.messages or call.prompt.opened):
        own = ("\n",)
    elif len(call.prompt.messages) > 1:
        own = (f"\n{_REQUEST}",)
    return Generate(**{name: getattr(call, name) for name in call.__slots__} | {"stop": (*own, *call.stop)})


def _read_reply(response: Response, call: Generate, can: Abilities) -> Said:
    """What a response to `Generate` says."""
    if response.status >= 300:
        return Said(refused(response))
    said = read_object(response)
    choice = first(said, "choices")
    text, end = choice.get("text"), choice.get("finish_reason")
    if not isinstance(text, str):
        raise Unreadable("the reply has no 'text' of the usual type")
    made = answered(Written(text), str(end) if end is not None else None, usage_of(said), _stopped(call))
    if isinstance(made.answer, Completion):
        return Said(_with_tokens(made.answer, choice, call, can), made.usage)
    return made


def _with_tokens(reply: Completion, choice: Mapping[str, Any], call: Generate, can: Abilities) -> Completion:
    """The reply with ids and log-probabilities of its tokens, where the server states both of every one.

    Under a grammar servers state those of the grammar's own distribution, which are not the model's.
    """
    stated = choice.get("logprobs")
    ids = _all(choice.get("token_ids"), int)
    logps = _all(stated.get("token_logprobs") if isinstance(stated, dict) else None, float)
    if not ids or len(ids) != len(logps):
        return reply
    free = call.schema is None and call.pattern is None and min(logps) > -9000 and max(logps) <= 1
    plain = call.temperature == 1 and call.top_p >= 1 and not call.top_k and not call.min_p
    total = math.fsum(min(one, 0.0) for one in logps) if free else None
    logp = total if plain or not can.processed_logprobs else None
    logq = total if plain or can.processed_logprobs else None
    return Completion(reply.text, tuple(ids), logp, logq, reply.stopped, reply.prompt_tokens)


def _all(values: Any, kind: type) -> list[Any]:
    """A list of values of one type; empty where it is none."""
    return values if isinstance(values, list) and all(type(one) is kind for one in values) else []


def _scored(call: Score, model: str) -> Generator[Request | Unreadable, Response, Said]:
    """Score choices that a cue leads to: each follows a space, and its line ends.

    The end of the text ends a choice as well, and is not stated: so a choice is at least as probable as with its line's
    end, and at most as probable as its own tokens.
    """
    text, usage = document(call.prompt), Usage()
    ended = [f"{text} {choice}\n" for choice in call.choices]
    lines: list[Line] = []
    prompts = [text, *ended]
    for start in range(0, len(prompts), _SIDE_BY_SIDE):
        some = prompts[start : start + _SIDE_BY_SIDE]
        request = post(ROUTE, {"model": model, "prompt": some, **ASKED}, call.prompt, 1)
        wide = Request(request.path, request.body, request.tokens * len(some))
        found = yield from asked(wide, partial(_read_lines, count=len(some)))
        if isinstance(found, Refused):
            return Said(found, usage)
        lines += found[0]
        usage += found[1]
    before, *each = lines
    whole = [after(line, before) for line in each]
    open_ = [after(line[:-1], before) for line in each]
    return Said(Scores(tuple(whole), len(before), tuple(whole), tuple(open_)), usage)


def _read_lines(response: Response, count: int) -> tuple[Sequence[Line], Usage] | Refused:
    """Each prompt's tokens, in the order in which they were sent."""
    if response.status >= 300:
        return refused(response)
    said = read_object(response)
    choices = member(said, "choices", list)
    if len(choices) != count or not all(isinstance(one, dict) for one in choices):
        raise Unreadable(f"the reply has {len(choices)} choices for {count} prompts")
    if sorted(str(one.get("index")) for one in choices) != sorted(map(str, range(count))):
        raise Unreadable("the reply's choices are not numbered")
    ordered = sorted(choices, key=lambda one: int(one["index"]))
    return [read_line(one.get("prompt_logprobs")) for one in ordered], usage_of(said)
