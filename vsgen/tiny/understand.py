"""From a prompt back to what it asks: the inverse of `words`, for the oracle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Final

from vsgen.errors import CallError
from vsgen.sampling import prompts
from vsgen.tiny import words
from vsgen.tiny.asks import Answers, Ask, Class, Form, Result
from vsgen.tiny.exchanges import unsaid
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.source import read
from vsgen.tiny.grammar.sums import Stage, Sum
from vsgen.tiny.grammar.tasks import Question, Request, questions, requests
from vsgen.tiny.grammar.wordings import Wordings, fill, fillers
from vsgen.values import Message, Prompt

_CLASSES: Final = re.compile(r"(.*)\n\nReply with exactly one of these: (.*)\.", re.DOTALL)
_FIELD: Final = re.compile(r'"(\w+)": "(?:\.\.\.|an answer)"')
_KEY: Final = re.compile(r'"(\w+)"')
_KEYS: Final = {prompts.PROBABILITY, prompts.REASONING, prompts.RESPONSES}
_OURS: Final = re.compile("Give |Think about the request|In all, ")
"""How the words of a method begin."""
_LINE: Final = re.compile(r"^\d+\. (.*?)(?: \([\d.]+\))?$", re.MULTILINE)
_FORMS: Final[tuple[Form, ...]] = ("direct", "cot", "sequence", "vs", "vs-cot")
_EVENT: Final = re.compile(r"(\d+)( more)?\.")
_STAGE: Final = re.compile(r"(add|subtract|multiply by) (\d+)")
_CHAIN: Final = rf"\d+(?:, {_STAGE.pattern})+"
_JSON: Final = r"[\[{].*[\]}]"


def understand(prompt: Prompt) -> tuple[Ask, str]:
    """What a prompt asks, and the beginning of the reply that it already gives.

    Raises:
        CallError: The grammar knows no such prompt.
    """
    if not prompt.messages:
        text, found, begun = prompt.prefill.partition("\nA:")
        request = _task(text.removeprefix("Q: "))
        if not found or request is None:
            raise _unknown(prompt.prefill)
        return Answers(request, "plain"), begun
    own, turns = _parted(prompt.messages)
    start = max(i for i, turn in enumerate(turns) if not i or (turn.role == "user" and not _further(turn.content)))
    ask = _opened(own, turns[start].content)
    if ask is None:
        raise _unknown(turns[start].content)
    shown, later = turns[:start], turns[start + 1 :]
    if isinstance(ask, Answers):
        ask = _after(ask, shown)
    return (_continued(ask, later) if later else ask), prompt.prefill


def _parted(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The words of vsgen's method, which end the system message, and the turns."""
    said = [message.content for message in messages if message.role == "system"]
    last = said[0].rpartition("\n\n")[2] if said else ""
    return last if _OURS.match(last) else "", [message for message in messages if message.role != "system"]


def _opened(own: str, text: str) -> Ask | None:
    """What a task asks under the words of a method; a class and an engineered sum are asked without any."""
    ask = (None if own else _class(text)) or _result(own, text) or _answers(own, text)
    if ask is not None:
        return ask
    bare = _bare(text)
    return ((None if own else _class(bare)) or _result(own, bare) or _answers(own, bare)) if bare != text else None


def _after(ask: Answers, shown: Sequence[Message]) -> Answers:
    """The ask less what worked exchanges said of the same request."""
    for asked, told in pairwise(shown):
        if asked.role == "user" and told.role == "assistant" and ask.request in _requested(asked.content):
            ask = unsaid(ask, frozenset(_heads(ask, told.content)))
    return ask


def _requested(text: str) -> list[Request]:
    """The request of a task alone."""
    return [found for one in (text, _bare(text)) if (found := _tasks().get(one)) is not None]


def _unknown(text: str) -> CallError:
    return CallError(f"the oracle knows only the grammar's prompts (vsgen/tiny/grammar), got {text[:80]!r}")


def _task(text: str) -> Request | None:
    """The request of plain completion."""
    return next(iter(_requested(text)), None)


@cache
def _tasks() -> Mapping[str, Request]:
    """Every way of asking for every request."""
    return {fill(pattern, one.keys): one for one in requests() for pattern in one.wordings.all()}


def _class(text: str) -> Class | None:
    found = _CLASSES.fullmatch(text)
    if found is None:
        return None
    classes = tuple(found[2].split(", "))
    for question in questions():
        if set(classes) == set(question.classes):
            for inner in _inner(found[1], question.wordings):
                if (posterior := _posterior(question, inner)) is not None:
                    return Class(question, inner, posterior, classes)
    return None


def _inner(text: str, wordings: Wordings) -> Iterator[str]:
    """What stands for ``{text}`` in the ways of asking that fit."""
    for pattern in wordings.all():
        before, _, after = pattern.partition("{text}")
        if text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
            yield text[len(before) : len(text) - len(after)]


def _posterior(question: Question, text: str) -> tuple[float, ...] | None:
    readings = ((of, read(of, text)) for of in question.sources)
    return next((question.reading(of, found.posterior) for of, found in readings if found is not None), None)


def _result(own: str, text: str) -> Result | None:
    field = _field(own)
    for match in _matches(text, sums.CHAINS, {"chain": f"(?P<chain>{_CHAIN})"}):
        start, *_ = match["chain"].split(",")
        one = Sum(int(start), tuple(_stages(match["chain"])))
        if own in {"", prompts.cot((field,))}:
            return Result(one, engineered=False, reasoning=bool(own), field=field)
    if own:
        return None
    name, things = r"(?P<name>[A-Z]\w+)", r"(?P<things>\w+)"
    groups = {"name": name, "start": r"(?P<start>\d+)", "things": things, "story": "(?P<story>.+)"}
    for match in _matches(text, sums.STORIES, groups):
        stages = [("add" if more else "subtract", int(n)) for n, more in _EVENT.findall(match["story"])]
        return Result(Sum(int(match["start"]), tuple(stages)), engineered=True)  # type: ignore[arg-type]
    return None


def _stages(chain: str) -> Iterator[Stage]:
    for operation, n in _STAGE.findall(chain):
        yield operation, int(n)


def _answers(own: str, text: str) -> Answers | None:
    for task, rest in _split(text):
        request = _tasks()[task]
        ask = _other(request, rest.lstrip()) if rest else _own(request, own)
        if ask is not None and not (own and rest):
            return ask
    return None


def _bare(text: str) -> str:
    """A task without the sentences around it that mean nothing."""
    for one in (one for ones in fillers() for one in ones):
        text = text.replace(f"{one} ", "").replace(f" {one}", "")
    return text


def _split(text: str) -> Iterator[tuple[str, str]]:
    """A known task and what follows it; the longest task first."""
    ends = [i for i, character in enumerate(text) if character in " \n"]
    for end in [len(text), *reversed(ends)]:
        if text[:end] in _tasks():
            yield text[:end], text[end:]


def _own(request: Request, instruction: str) -> Answers | None:
    """An ask in the words of vsgen's methods."""
    total = re.match(r"In all, (\d+)", instruction)
    bound = re.search(r"must be below ([\d.e-]+)\.", instruction)
    k = re.search(r"Give (\d+)", instruction)
    lines, field = "numbered list" in instruction, _field(instruction)
    for form in _FORMS:
        size, p_max = int(k[1]) if k else 1, float(bound[1]) if bound else None
        ask = Answers(request, form, size, p_max, field, lines=lines)
        if instruction in {words.own(ask, int(total[1]) if total else None), words.own(ask, shown=True)}:
            return ask
    return None


def _other(request: Request, instruction: str) -> Answers | None:
    """An ask in a user's words."""
    groups = {"k": r"(?P<k>\w+)", "form": f"(?P<form>{_JSON})"}
    for form, wordings in (("vs", words.WITH_PROBABILITIES), ("sequence", words.WITHOUT)):
        for match in _matches(instruction, wordings, groups):
            k = int(match["k"]) if match["k"].isdecimal() else words.NUMBERS.index(match["k"])
            stating = f'"{prompts.PROBABILITY}"' in match["form"]
            if stating == (form == "vs"):
                bare = match["form"].startswith("[")
                return Answers(request, form, k, field=_field(match["form"]), bare=bare)  # type: ignore[arg-type]
    return None


def _matches(text: str, wordings: Wordings, groups: Mapping[str, str]) -> Iterator[re.Match[str]]:
    """The ways of asking that a text fits, with what stands for their keys."""
    for pattern in _compiled(wordings.shipped, wordings.patterns, wordings.new, tuple(groups.items())):
        if match := pattern.fullmatch(text):
            yield match


@cache
def _compiled(
    shipped: str, patterns: Sequence[str], new: Sequence[str], groups: tuple[tuple[str, str], ...]
) -> list[re.Pattern[str]]:
    made: list[re.Pattern[str]] = []
    for text in Wordings(shipped, tuple(patterns), tuple(new)).all():
        regex = re.escape(text)
        for name, group in groups:
            key = re.escape(f"{{{name}}}")
            regex = regex.replace(key, group, 1).replace(key, f"(?P={name})")
        made.append(re.compile(regex, re.DOTALL))
    return made


def _field(text: str) -> str:
    """The key of an answer, in the words of a method or in a JSON form."""
    found = _FIELD.findall(text) or [key for key in _KEY.findall(text) if key not in _KEYS]
    return str(found[-1]) if found else "text"


def _further(text: str) -> bool:
    """Whether a message asks for more of the same."""
    k = re.match(r"Give (\d+) more", text)
    return text == prompts.another(("text",)) or (k is not None and text == prompts.more(int(k[1])))


def _continued(ask: Ask, later: Sequence[Message]) -> Ask:
    """The ask of the last turn, given what was said before it."""
    if not isinstance(ask, Answers):
        raise CallError("the oracle answers a class or a sum once; start a new conversation")
    for message in later:
        if message.role == "assistant":
            ask = ask.after(ask.said | _heads(ask, message.content), ask.k)
        elif (k := re.match(r"Give (\d+) more", message.content)) is None:
            ask = ask.after(ask.said, 1)
        else:
            ask = ask.after(ask.said, int(k[1]))
    return replace(ask, said=ask.said if ask.left else frozenset())


def _heads(ask: Answers, reply: str) -> set[int]:
    """The heads of the answers in an earlier reply."""
    found = [read(ask.request.source, text) for text in _said(ask, reply)]
    return {one.head for one in found if one is not None}


def _said(ask: Answers, reply: str) -> list[str]:
    """The answers in an earlier reply."""
    if ask.form == "direct":
        return [reply]
    if ask.lines:
        return _LINE.findall(reply)
    try:
        found = json.loads(reply)
        items = found.get(prompts.RESPONSES, [found]) if isinstance(found, dict) else found
        return [str(item[ask.field]) for item in items]
    except (ValueError, KeyError, TypeError):
        return []
