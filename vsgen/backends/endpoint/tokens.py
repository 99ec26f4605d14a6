"""Replies that are drawn and continued by ids of tokens, with log-probabilities token by token, for power sampling.

The server lays a prompt out: it is asked for one token of a reply, and states the ids that it has read. From there on
all goes over completions, whose prompt may be ids. No grammar is sent: a server begins one anew with every request, so
that a continued reply could not be held to it; replies are validated as always.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from vsgen.backends.endpoint.asking import seeded, size_of
from vsgen.backends.endpoint.drawn import NAMED, Drawn, as_drawn, ids_of, read_drawn
from vsgen.backends.endpoint.prompt_logprobs import ASKED, read_line
from vsgen.backends.endpoint.reading import cut_at, first, member
from vsgen.backends.endpoint.talk import Asked, Refusal, Talk
from vsgen.backends.endpoint.wire import Abilities, Dialog, Unreadable
from vsgen.values import Completion, Generate, Prompt, Refused

ROUTE: Final = "completions"
"""The route of replies to a text or to ids."""
DIGITS: Final = 6
"""Log-probabilities are rounded to this many decimals, as those of models in this process."""
NO_TOKENS: Final = "ids of tokens with their log-probabilities, which power sampling needs and vLLM returns"
_PLAIN: Final = {"repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
"""vLLM takes what a request leaves out from the model's generation_config, which would change what is drawn."""
_HOTTEST: Final = 2.0
_CONTEXT: Final = 8
"""Tokens of a prompt that decide how the first ones of a reply are spelled."""
_REMEMBERED: Final = 256
"""Prompts whose ids are remembered: all calls of one draw ask the same."""


class Layout(NamedTuple):
    """The request by which a server lays a prompt out."""

    route: str
    body: Mapping[str, Any]


def by_tokens(call: Generate) -> bool:
    """Whether a call must be answered token by token."""
    return call.resumable or bool(call.prefix)


def lacks_for_tokens(call: Generate, can: Abilities) -> str | None:
    """What a server would have to be able to do to draw a reply token by token; None if it can."""
    if not can.tokens:
        return NO_TOKENS
    if call.temperature > _HOTTEST:
        return "temperatures above 2, which power.alpha below 0.5 needs"
    if not can.processed_logprobs and (call.top_p < 1 or call.min_p):
        return "log-probabilities under top_p or min_p"
    return None


class Tokens:
    """Draws replies token by token, for one wire to one server."""

    def __init__(self, lay_out: Callable[[Prompt, Abilities], Layout]) -> None:
        """Set up.

        Args:
            lay_out: Has the server read a prompt as it does for the wire's other calls.
        """
        self._lay_out = lay_out
        self._known: dict[tuple[str, Prompt], _Laid] = {}

    def dialog(self, call: Generate, model: str, can: Abilities) -> Dialog:
        """Answer a call that begins a resumable reply, or continues one."""
        talk = Talk(model)
        return (yield from talk.held(self._reply(talk, call, model, can)))

    def _reply(self, talk: Talk, call: Generate, model: str, can: Abilities) -> Asked[Completion]:
        key = (model, call.prompt)
        if key not in self._known:
            self._remember(key, (yield from _laid_out(talk, self._lay_out(call.prompt, can), call.prompt)))
        return (yield from _Drawing(talk, call, can, self._known[key]).reply())

    def _remember(self, key: tuple[str, Prompt], ids: tuple[int, ...]) -> None:
        self._known[key] = _Laid(ids)
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


def _laid_out(talk: Talk, layout: Layout, prompt: Prompt) -> Asked[tuple[int, ...]]:
    """The ids of a prompt."""
    body = {**layout.body, "max_tokens": 1, "return_token_ids": True}
    return (yield from talk.ask(layout.route, body, size_of(prompt) + 1, _read_prompt))


@dataclass(slots=True)
class _Laid:
    """What is known of a prompt that was laid out."""

    ids: tuple[int, ...]
    text: str | None = None
    """Of its last tokens; None until it is needed."""

    @property
    def tail(self) -> tuple[int, ...]:
        """The last tokens."""
        return self.ids[-_CONTEXT:]


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One call after its prompt was laid out."""

    talk: Talk
    call: Generate
    can: Abilities
    prompt: _Laid

    def reply(self) -> Asked[Completion]:
        """Draw, spell and weigh."""
        read = (*self.prompt.ids, *self.call.prefix)
        tokens = len(read) + self.call.max_tokens
        drawn = yield from self.talk.ask(
            ROUTE, self._body(read), tokens, partial(read_drawn, most=self.call.max_tokens)
        )
        text, drawn = yield from self._spelled(drawn)
        logps, logqs = yield from self._weighed(read, drawn)
        return Completion(
            text=text,
            tokens=drawn.tokens,
            logp=round(math.fsum(logps), DIGITS),
            logq=round(math.fsum(logqs), DIGITS),
            stopped=drawn.stopped,
            prompt_tokens=len(self.prompt.ids),
            logps=tuple(round(one, DIGITS) for one in logps),
            logqs=tuple(round(one, DIGITS) for one in logqs),
        )

    @property
    def _kept(self) -> int:
        """From how many of the most probable tokens each is drawn; 0 is all."""
        if self.can.processed_logprobs:
            return self.call.top_k
        return min(self.call.top_k or self.can.listed, self.can.listed)

    def _body(self, read: Sequence[int]) -> dict[str, Any]:
        """The request that draws what follows some ids."""
        call, can = self.call, self.can
        return {
            "prompt": list(read),
            "max_tokens": call.max_tokens,
            "temperature": call.temperature,
            "top_p": call.top_p,
            "top_k": self._kept,
            "min_p": call.min_p,
            **_PLAIN,
            **seeded(call, can),
            **({"stop": list(call.stop)} if call.stop else {}),
            "logprobs": 0 if can.processed_logprobs else can.listed,
            **NAMED,
        }

    def _weighed(self, read: Sequence[int], drawn: Drawn) -> Asked[tuple[Sequence[float], Sequence[float]]]:
        """Log p and log q of each token."""
        if self.can.processed_logprobs:
            whole = [*read, *drawn.tokens]
            own = partial(_read_own, tokens=drawn.tokens)
            logps = yield from self.talk.ask(ROUTE, {"prompt": whole, **ASKED}, len(whole) + 1, own)
            return logps, drawn.stated
        try:
            pairs = zip(drawn.stated, drawn.listed, strict=True)
            return drawn.stated, [as_drawn(p, listed, self.call.temperature, self._kept) for p, listed in pairs]
        except ValueError as problem:
            raise Refusal(Refused("refused", str(problem))) from None

    def _spelled(self, drawn: Drawn) -> Asked[tuple[str, Drawn]]:
        """The text of the whole reply so far, and what is drawn of it, which ends with its first stop string."""
        prefix, stop, tokens = self.call.prefix, self.call.stop, drawn.tokens
        if not prefix:
            return cut_at(drawn.text, stop)[0], drawn
        (text,) = yield from self._texts([(*prefix, *(tokens[:-1] if drawn.end else tokens))])
        text, cut = cut_at(text, stop)
        if not cut:
            return text, drawn
        # The server does not see a stop string that begins in the prefix: what it drew after that is dropped.
        counts = range(1, min(len(tokens), max(map(len, stop))))
        texts = (yield from self._texts([(*prefix, *tokens[:count]) for count in counts])) if counts else []
        ends = (count for count, one in zip(counts, texts, strict=True) if cut_at(one, stop)[1])
        return text, drawn.first(next(ends, len(tokens)))

    def _texts(self, replies: Sequence[Sequence[int]]) -> Asked[Sequence[str]]:
        """The texts of replies, each after the last tokens of the prompt, which decide about its first space."""
        laid = self.prompt
        new = laid.text is None  # another dialog may learn it before this one goes on
        prompts = [[*laid.tail, *one] for one in ([(), *replies] if new else replies)]
        body = {"prompt": prompts, "max_tokens": 0, "echo": True}
        tokens = sum(map(len, prompts))
        whole = yield from self.talk.ask(ROUTE, body, tokens, partial(_read_texts, count=len(prompts)))
        if new:
            laid.text, *whole = whole
        before = laid.text or ""
        if not all(one.startswith(before) for one in whole):
            problem = "the server's tokenizer spells a prompt otherwise when a reply follows; use another method"
            raise Refusal(Refused("refused", problem))
        return [one[len(before) :] for one in whole]


def _read_prompt(said: Mapping[str, Any]) -> tuple[int, ...]:
    """The ids of the prompt: chat states them once, completions with each choice."""
    whole = said.get("prompt_token_ids")
    ids = ids_of(first(said, "choices").get("prompt_token_ids") if whole is None else whole)
    if not ids:
        raise Unreadable("the reply states no ids of the prompt")
    return ids


def _read_own(said: Mapping[str, Any], tokens: Sequence[int]) -> Sequence[float]:
    """Log p of the last tokens of a prompt."""
    line = read_line(first(said, "choices").get("prompt_logprobs"))[-len(tokens) :]
    own = [token for token in line if token is not None]
    if [token.id for token in own] != list(tokens):
        raise Unreadable("'prompt_logprobs' of the reply are those of other tokens")
    return [token.logp for token in own]


def _read_texts(said: Mapping[str, Any], count: int) -> Sequence[str]:
    """The echoed texts, in the order in which they were sent."""
    choices = member(said, "choices", list)
    texts = {str(one.get("index")): one.get("text") for one in choices if isinstance(one, dict)}
    found = [one for number in range(count) if isinstance(one := texts.get(str(number)), str)]
    if not len(choices) == len(found) == count:
        raise Unreadable(f"the reply does not echo {count} prompts")
    return found
