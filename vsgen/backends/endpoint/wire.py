"""What a wire is: the pure part of an endpoint, which knows the JSON of an API and neither sockets nor clocks.

A wire makes of one call a *dialog*: a generator that yields requests, is sent responses and returns what was said. It
is moved by the transport; a test moves it by hand, with ``next(dialog)`` and ``dialog.send(response)``::

    def dialog(self, call, model, can):
        read = yield from asked(Request("chat/completions", body, tokens), self._read)
        return Said(read.answer, read.usage)

Rules of a dialog:

- it is sent responses of two kinds only: those of status 2xx, and those whose status blames this one request (400, 413,
  422, 501 and the like). Whatever else comes back is retried or ends the run before the dialog sees it; see `exchange`;
- a response that cannot be used (no JSON, an error in the body of a 200, a field of the wrong type) is answered by
  yielding `Unreadable`: the same request is sent again, within the same limits as any other failure. `asked` does that;
- a call that this server cannot answer, and another attempt cannot mend, becomes a `Refused` in the `Said`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from vsgen.backends.endpoint.http import Request, Response
from vsgen.values import Answer, Call
from vsgen.values import Usage as Usage

T = TypeVar("T")
Decisions: TypeAlias = Literal["systemone", "decisions"]
"""A form of decision interfaces, by its route."""


class Unreadable(Exception):
    """A response is of no use; `str` of it says why, in one line, quoting little of what the server sent."""


class Said(NamedTuple):
    """What came of one call."""

    answer: Answer
    usage: Usage = Usage()
    """Of all requests of its dialog together."""


Dialog: TypeAlias = Generator[Request | Unreadable, Response, Said]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server can do for one model; by default the least that every server can."""

    json_schema: Literal["tight", "full", "strict"] | None = None
    """Replies held to a JSON Schema: any, with at most one space between two tokens; any, with as many as the model
    likes, on which small ones spend their limit; or only the common subset that strict modes take."""
    pattern: bool = False
    """Replies held to a regular expression."""
    logprobs: bool = False
    """The log-probability of each drawn token."""
    top_logprobs: int = 0
    """The most alternatives that are stated at each position; 0 none."""
    prompt_logprobs: bool = False
    """The log-probability of each token of the prompt."""
    tokens: bool = False
    """Ids of tokens, in requests and in replies, and their log-probabilities."""
    processed_logprobs: bool = False
    """The log-probabilities of drawn tokens are those of the distribution that was drawn from, and not the model's own
    at temperature 1."""
    listed: int = 0
    """The most tokens that are listed, by their ids, at each position of a reply or a prompt."""
    seed: bool = False
    """A seed is heeded."""
    prefill: bool = False
    """The beginning of the reply may be given."""
    system: bool = True
    """A system message has a place of its own."""
    temperature: bool = True
    """False for models that refuse every temperature but their own."""
    top_k: bool = False
    """`top_k` and `min_p` are heeded."""
    stop: bool = True
    """Stop strings are heeded."""
    max_completion_tokens: bool = False
    """The limit of a reply goes by this name in place of ``max_tokens``."""
    reasoning: bool = False
    """The model thinks before it answers, and thoughts count against the limit of the reply."""
    decisions: Decisions | None = None
    """The interface that states the probabilities of options."""
    context: int | None = None
    """Tokens that prompt and reply may have together; None where the server does not say."""


class Wire(Protocol):
    """One API: how calls become requests, and responses replies."""

    @property
    def name(self) -> str:
        """As the user names it: ``chat``, ``completions``, ``messages``."""
        ...

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """What this server would have to be able to do for a call, in words; None if it can answer it."""
        ...

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """Answer one call, by one request or by several.

        Args:
            call: What is asked.
            model: As the server names it.
            can: What the server can.
        """
        ...


def asked(request: Request, read: Callable[[Response], T]) -> Generator[Request | Unreadable, Response, T]:
    """Ask one request within a dialog, again for as long as its response cannot be read.

    Args:
        request: What to send.
        read: Makes of a response what the dialog needs; raises `Unreadable` where it cannot.
    """
    step: Request | Unreadable = request
    while True:
        response = yield step
        try:
            return read(response)
        except Unreadable as problem:
            step = problem
