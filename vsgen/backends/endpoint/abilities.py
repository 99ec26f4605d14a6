"""What a server can do for a model: it is asked, by the calls that a run would make.

A documentation tells what a family of servers can, not what this one does for this model, and some servers take what
they do not heed. So each ability is tried as it would be used, by the wire's own dialog, and judged by the reply. What
is refused, ignored or not answered is absent; what vsgen does then is in `FALLBACKS` and in docs/endpoints.md.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from vsgen.backends.endpoint.decisions import EXAMPLE, FORMS, NO_ROUTE
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.needs import used_by
from vsgen.backends.endpoint.whose import whose
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Wire
from vsgen.values import Call, Completion, Decided, Generate, Message, Prompt, Refused, Score, Scores

Asking: TypeAlias = Generator[Request, Response | None, Said | None]
"""Yields requests; is sent each response, or None where a request was given up."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out."""

    can: Abilities
    problem: str | None = None
    """Why the model cannot be asked at all; None if it can."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why an ability is absent, in the server's words, where it gave any."""


class Seen(NamedTuple):
    """What one probe shows."""

    able: Mapping[str, Any]
    """Members of `Abilities`."""
    reasons: Mapping[str, str]
    """Why abilities are absent, in the server's words."""


Examination: TypeAlias = Generator[Request, Response | None, Found]
Probe: TypeAlias = Generator[Request, Response | None, Seen]

_TRIES: Final = 4
"""Of a request whose response cannot be used, which may be chance or the lack of the ability. A reply in twenty that
is damaged then hides an ability once in 160,000 probes."""
_LIMIT: Final = 32
_LIMIT_OF_THINKERS: Final = 2048
_WORD = Prompt((Message("user", "Write the word banana."),))
_CHANCES = (
    Prompt((Message("user", "Write a short story about a random animal."),)),
    Prompt((Message("user", "Write a short support ticket from a customer about a desk lamp."),)),
    Prompt(prefill="Once upon a time"),
)
"""What hardly comes out alike twice; small models and those without a chat template reply to some of them alone."""
_REVIEW = Prompt((Message("user", "Write one short product review."),))
_CHOICE = Score(Prompt((Message("user", "Is water wet? Reply with yes or no."),), cue="Answer:"), ("yes", "no"))
_FIRST = Prompt((Message("system", "You are terse."), Message("user", "Write the word banana.")))
_FORM: Final = orjson.dumps(
    {
        "type": "object",
        "properties": {"a": {"type": "string", "enum": ["qx"]}, "b": {"type": "string", "maxLength": 3}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
).decode()
_FORM_BEGUN: Final = '{"a":"qx","b":"'
_SPACES: Final = 8
"""Of a reply that is cut off before it has more than spaces."""
_PATTERN: Final = "qx[0-9]{2}"
_FILTER: Final = "content filter"
"""Words of a refusal that says nothing of the next request."""
_WIDEST: Final = (20, 5)
"""How many alternatives servers state at most."""
_LISTED: Final = (100, *_WIDEST)
"""How many tokens are listed at each position; more would make replies large, and change hardly anything."""
_UNPROVEN: Final = (
    "it states no ids of tokens, or log-probabilities that are not proven to be the model's own or those that tokens "
    "were drawn with"
)
_BASE: Final[Mapping[str, Mapping[str, Any]]] = {
    "max_completion_tokens": {"max_completion_tokens": True},
    "temperature": {"temperature": False},
    "system": {"system": False},
}
"""What is asked otherwise when the server's refusal names one of these."""


def find_base(wire: Wire, model: str, only: Container[str] | None = None) -> Examination:
    """Find out the least: whether the model can be asked at all, how a limit is taken, and whether it thinks.

    Args:
        wire: How the server is asked.
        model: As the server names it.
        only: The abilities that matter. A model that only decides need not write, so nothing is asked of it here.
    """
    if only == used_by(EXAMPLE):
        return Found(Abilities())
    can, problem = yield from _base(wire, model)
    return Found(can, problem)


def probes(wire: Wire, model: str, can: Abilities, only: Container[str] | None = None) -> list[Probe]:
    """The examinations of single abilities, which do not depend on one another.

    Args:
        wire: How the server is asked.
        model: As the server names it.
        can: What `find_base` found.
        only: The abilities that matter; None for all.
    """
    wanted = [(name, probe) for name, probe in _PROBES.items() if only is None or name in only]
    return [_probed(_Server(wire, model, can, {}, name), probe) for name, probe in wanted]


def found(can: Abilities, seen: Iterable[Seen]) -> Found:
    """What all probes together say of a server."""
    reasons: dict[str, str] = {}
    for one in seen:
        can = replace(can, **one.able)
        reasons |= one.reasons
    return Found(can, None, {name: why for name, why in reasons.items() if not getattr(can, name)})


@dataclass(frozen=True, slots=True)
class _Server:
    """Who is asked about one ability."""

    wire: Wire
    model: str
    can: Abilities
    reasons: dict[str, str]
    ability: str

    def said(self, call: Generate | Score, **able: Any) -> Asking:
        """What the server says to a call, as if it were able; None if that is nothing of use."""
        said = yield from said_by(self.wire, call, self.model, replace(self.can, **able))
        if said is not None and isinstance(said.answer, Refused):
            self.reasons.setdefault(self.ability, said.answer.problem)
        return said

    def text(self, call: Generate, **able: Any) -> Generator[Request, Response | None, str | None]:
        """The text of its reply; None if there is none."""
        said = yield from self.said(call, **able)
        return said.answer.text if said is not None and isinstance(said.answer, Completion) else None

    def drawn(
        self, call: Generate, processed: bool, listed: int
    ) -> Generator[Request, Response | None, Completion | None]:
        """Its reply with log-probabilities token by token; None if there is none."""
        said = yield from self.said(call, tokens=True, processed_logprobs=processed, listed=listed)
        reply = said.answer if said is not None else None
        return reply if isinstance(reply, Completion) and reply.logps else None

    def call(self, prompt: Prompt, **members: Any) -> Generate:
        """A small call."""
        return Generate(prompt, 7, max_tokens=_LIMIT_OF_THINKERS if self.can.reasoning else _LIMIT, **members)


_Seen: TypeAlias = Generator[Request, Response | None, dict[str, Any]]


def _probed(server: _Server, probe: Callable[[_Server], _Seen]) -> Probe:
    able = yield from probe(server)
    return Seen(able, server.reasons)


def said_by(wire: Wire, call: Call, model: str, can: Abilities, *, optional: bool = False) -> Asking:
    """What a server says to a call, within few tries; None if that is nothing of use.

    Args:
        wire: How it is asked.
        call: What.
        model: As the server names it.
        can: What the server can.
        optional: It is the question whether there is such a route.
    """
    dialog, request, tries = wire.dialog(call, model, can), Request(""), 0
    try:
        step = next(dialog)
        while True:
            if not isinstance(step, Unreadable):
                request, tries = replace(step, optional=optional), 0
            elif tries >= _TRIES:
                return Said(Refused("refused", f"a reply that cannot be read: {step}"))
            response = yield request
            if response is None:
                return None
            step = dialog.send(response)
            tries += 1
    except StopIteration as end:
        said: Said = end.value
        return said


def _base(wire: Wire, model: str) -> Generator[Request, Response | None, tuple[Abilities, str | None]]:
    """The least: how a limit and a temperature are taken, and whether the model thinks."""
    can, problem = Abilities(), "the server gives no usable reply"
    for _ in range(len(_BASE) + 1):
        said = yield from said_by(wire, Generate(_FIRST, 7, temperature=0.9, max_tokens=_LIMIT), model, can)
        if said is None:
            return can, problem
        thinks = said.usage.hidden > 0
        if isinstance(said.answer, Completion) or thinks:
            return replace(can, reasoning=thinks), None
        problem = said.answer.problem if isinstance(said.answer, Refused) else problem
        named = next((name for name in _BASE if name in problem and _absent(can, _BASE[name])), None)
        if named is not None:
            can = replace(can, **_BASE[named])
        elif _FILTER not in problem:  # which may be chance
            return can, problem
    return can, problem


def _absent(can: Abilities, able: Mapping[str, Any]) -> bool:
    return any(getattr(can, name) != value for name, value in able.items())


def _json_schema(server: _Server) -> _Seen:
    for kind in ("tight", "full", "strict") if server.wire.name != "messages" else ("full", "strict"):
        text = yield from server.text(server.call(_WORD, schema=_FORM), json_schema=kind)
        if _held(text, kind):
            return {"json_schema": kind}
    return {}


def _held(text: str | None, kind: str) -> bool:
    """Whether a reply has a form that nobody would give it unless he must.

    Grammars that allow any whitespace between two tokens let small models write little else.
    """
    try:
        said = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        squeezed = "".join((text or "").split())
        begun = _FORM_BEGUN.startswith(squeezed) and len(text or "") - len(squeezed) >= _SPACES
        return begun and kind != "tight"
    if not isinstance(said, dict) or said.get("a") != "qx" or not isinstance(said.get("b"), str):
        return False
    return len(said["b"]) <= 3 or kind == "strict"


def _pattern(server: _Server) -> _Seen:
    text = yield from server.text(server.call(_WORD, pattern=_PATTERN), pattern=True)
    return {"pattern": text is not None and len(text) == 4 and text.startswith("qx") and text[2:].isdigit()}


def _top_logprobs(server: _Server) -> _Seen:
    for count in () if server.can.reasoning else _WIDEST:
        said = yield from server.said(_CHOICE, top_logprobs=count, prompt_logprobs=False, prefill=False)
        if said is not None and isinstance(said.answer, Scores):
            return {"top_logprobs": count, "logprobs": True}
    return {}


def _prompt_logprobs(server: _Server) -> _Seen:
    said = yield from server.said(_CHOICE, prompt_logprobs=True)
    return {"prompt_logprobs": said is not None and isinstance(said.answer, Scores)}


def _prefill(server: _Server) -> _Seen:
    """A reply that is begun goes on in its place where its beginning makes the prompt one token longer, and no turn.

    What a model writes does not tell: many go on with their last message in a turn of its own.
    """
    read = []
    for begun in ("", "a"):
        said = yield from server.said(server.call(replace(_WORD, prefill=begun)), prefill=True)
        if said is None or not said.usage.prompt:
            return {}
        read.append(said.usage.prompt)
    return {"prefill": read[1] - read[0] == 1}


_SEEDLESS: Final = "messages"
"""The wire that has no member for a seed, so that likeness is chance."""


def _seed(server: _Server) -> _Seen:
    """What is left to chance comes out alike with one seed, and otherwise with another."""
    if server.wire.name == _SEEDLESS:
        return {}
    for prompt in _CHANCES:
        texts = []
        for seed in (7, 7, 8, 8):
            texts.append((yield from server.text(replace(server.call(prompt), seed=seed), seed=True)))
            if len(texts) == 2 and texts[0] != texts[1]:
                return {}
        if len(set(texts)) > 1:
            return {"seed": texts[2] == texts[3]}
    return {}


def _top_k(server: _Server) -> _Seen:
    """What is left to chance comes out alike twice where the likeliest token alone may be drawn."""
    for prompt in _CHANCES:
        texts = []
        for _ in range(2):
            texts.append((yield from server.text(server.call(prompt, top_k=1), top_k=True)))
        if any(texts):
            return {"top_k": texts[0] == texts[1]}
    return {}


def _stop(server: _Server) -> _Seen:
    text = yield from server.text(server.call(_WORD, stop=("#",)), stop=True)
    return {"stop": text is not None}


def _tokens(server: _Server) -> _Seen:
    plain = server.wire.name == "completions"
    prompts = [one for one in (_REVIEW, *_CHANCES) if plain or one.messages]
    for listed in _LISTED:
        server.reasons.pop("tokens", None)
        said = yield from server.said(server.call(prompts[0], resumable=True), tokens=True, listed=listed)
        if said is None or not isinstance(said.answer, Completion):
            if said is not None and "logprobs" in server.reasons.get("tokens", ""):
                continue  # it is about so many
            break
        processed = yield from whose(server.drawn, prompts, listed)
        if processed is not None:
            return {"tokens": True, "processed_logprobs": processed, "listed": listed, "logprobs": True}
        break
    server.reasons.setdefault("tokens", _UNPROVEN)
    return {}


def _decisions(server: _Server) -> _Seen:
    problems = list[str]()
    for form in FORMS if server.wire.lacks(EXAMPLE, Abilities(decisions=FORMS[0])) is None else ():
        said = yield from said_by(server.wire, EXAMPLE, server.model, Abilities(decisions=form), optional=True)
        if said is not None and isinstance(said.answer, Decided):
            return {"decisions": form}
        if said is not None and isinstance(said.answer, Refused):
            problems.append(said.answer.problem)
    problems.sort(key=lambda problem: problem.startswith(NO_ROUTE))
    if problems:
        server.reasons["decisions"] = problems[0]
    return {}


_PROBES: Final[Mapping[str, Callable[[_Server], _Seen]]] = {
    "json_schema": _json_schema,
    "pattern": _pattern,
    "top_logprobs": _top_logprobs,
    "prompt_logprobs": _prompt_logprobs,
    "prefill": _prefill,
    "seed": _seed,
    "top_k": _top_k,
    "stop": _stop,
    "tokens": _tokens,
    "decisions": _decisions,
}
