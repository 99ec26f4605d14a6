"""The wire of OpenAI's chat completions, which vLLM, SGLang, llama.cpp, Ollama and most providers speak as well.

Source: the published types of OpenAI's API; what servers add to them is sent only where the server has been seen to
take it (`Abilities`). A reply says no ids of tokens and no probability of its end, so a `Completion` from here has
neither `tokens` nor `logp`, and only the server's own count; but for a resumable one, which is drawn by `tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from vsgen.backends.endpoint.asking import CHAT, continued, drawing, form, post, turns
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.lessons import lacks_for_lessons, taught
from vsgen.backends.endpoint.reading import cut_at, first, member, quoted, read_object, refused, usage_of
from vsgen.backends.endpoint.scoring import PLAIN, lacks_for_scores, scored
from vsgen.backends.endpoint.thoughts import spoken
from vsgen.backends.endpoint.tokens import Layout, Tokens, by_tokens, lacks_for_tokens
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said, Unreadable, Usage, asked
from vsgen.values import Call, Completion, Generate, Prompt, Refused, Score, Teach

_ENDED: Final = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
_CUT: Final = frozenset({"length", "max_tokens", "model_context_window_exceeded"})
_FILTERED: Final = frozenset({"content_filter", "refusal", "safety"})


class Chat:
    """See the module."""

    name: Final = "chat"

    def __init__(self) -> None:
        """Set up, for one server."""
        self._tokens = Tokens(_laid)

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        match call:
            case Generate():
                tokens = lacks_for_tokens(call, can) if by_tokens(call) else None
                return tokens or lacks_for_turns(call, can)
            case Score():
                return lacks_for_scores(call, can)
            case Teach():
                return lacks_for_lessons(call, can)
            case _:
                return f"{type(call).__name__.lower()} calls"

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if (problem := self.lacks(call, can)) is not None:
            return Said(Refused("refused", f"the server has no {problem}"))
        match call:
            case Score():
                return (yield from scored(call, model, can))
            case Teach():
                return (yield from taught(call, model, can))
            case Generate() if by_tokens(call):
                return (yield from self._tokens.dialog(call, model, can))
            case Generate():
                return (yield from _drawn(call, model, can))
            case _:
                raise TypeError(f"chat answers no {type(call).__name__} calls")


def _drawn(call: Generate, model: str, can: Abilities) -> Dialog:
    body = {"model": model, "messages": turns(call.prompt, can), **drawing(call, can), **form(call, can)}
    request = post(CHAT, body | continued(call.prompt), call.prompt, call.max_tokens)
    return (yield from asked(request, partial(read_reply, call=call)))


def _laid(prompt: Prompt, can: Abilities) -> Layout:
    return Layout(CHAT, {"messages": turns(prompt, can), **continued(prompt)})


def lacks_for_turns(call: Generate, can: Abilities) -> str | None:
    """What a server that is asked in turns would have to be able to do for a call; None if it can answer it."""
    if not call.prompt.messages:
        return PLAIN
    if call.prompt.prefill and not can.prefill:
        return "prefill, the beginning of a reply that the template gives"
    return None


def read_reply(response: Response, call: Generate) -> Said:
    """What a response to `Generate` says.

    Raises:
        Unreadable: Nothing that can be used.
    """
    if response.status >= 300:
        return Said(refused(response))
    said = read_object(response)
    choice = first(said, "choices")
    message = _message(member(choice, "message", dict))
    usage, end = usage_of(said), choice.get("finish_reason")
    if message.refusal:
        return Said(Refused("refused", f"the model refuses: {quoted(message.refusal.encode())}"), usage)
    return answered(message, str(end) if end is not None else None, usage, call)


class Written(NamedTuple):
    """What is in a message."""

    text: str | None
    """None where there is no text at all."""
    thought: int = 0
    """Characters of thoughts that stand beside it."""
    refusal: str = ""


def _message(message: Mapping[str, Any]) -> Written:
    beside = [message.get(name) for name in ("reasoning_content", "reasoning")]
    thought = max([len(one) for one in beside if isinstance(one, str)], default=0)
    refusal = message.get("refusal")
    text, inner = _content(message.get("content"))
    return Written(text, thought, refusal if isinstance(refusal, str) else inner)


def _content(content: object) -> tuple[str | None, str]:
    """The text of a message in any of its shapes, and a refusal that stands in it."""
    if content is None or isinstance(content, str):
        return content, ""
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise Unreadable("the reply's 'content' is neither a text nor a list of parts")
    texts = [part["text"] for part in content if part.get("type") == "text" and isinstance(part.get("text"), str)]
    refusals = [part["refusal"] for part in content if isinstance(part.get("refusal"), str)]
    return ("".join(texts) if texts else None), "".join(refusals)


def answered(written: Written, end: str | None, usage: Usage, call: Generate) -> Said:
    """A reply out of what was written and why it ended.

    Args:
        written: The message.
        end: Why it ended, in the server's word; None where it says nothing.
        usage: Its tokens.
        call: What was asked.

    Raises:
        Unreadable: It is no reply: nothing is written, or it ended for a reason that is none.
    """
    if end in _FILTERED:
        return Said(Refused("refused", "the server's content filter withheld the reply"), usage)
    if end is not None and end not in _ENDED | _CUT:
        raise Unreadable(f"the reply ended by {quoted(end.encode())!r}")
    cut = end in _CUT or (end is None and usage.drawn >= call.max_tokens)
    reply = spoken(written.text or "")
    thought = reply.thought + written.thought
    usage = _hidden(usage, thought, len(reply.text))
    if not reply.text and (cut or thought or usage.hidden):
        return Said(Refused("refused", _no_answer(usage, call, cut=cut)), usage)
    if written.text is None or (not reply.text and usage.total and not usage.drawn):
        raise Unreadable("the reply holds no text")
    text, stopped = cut_at(reply.text, call.stop)
    return Said(Completion(text, stopped=stopped or not cut, prompt_tokens=usage.prompt, count=usage.drawn), usage)


def _hidden(usage: Usage, thought: int, said: int) -> Usage:
    """The usage with its hidden tokens: by their share of the characters where the server does not count them."""
    if usage.hidden or not thought:
        return usage
    return Usage(usage.prompt, usage.drawn, usage.drawn * thought // (thought + said), usage.cached)


def _no_answer(usage: Usage, call: Generate, *, cut: bool) -> str:
    if not cut:
        return "the model thought and wrote no answer; thoughts are no reply"
    return (
        f"the whole limit of {call.max_tokens} tokens went before an answer began ({usage.hidden} of them thoughts); "
        "raise sampling.max_tokens, or have the model think less"
    )
