"""The laws of what is read out of a reply, whatever was done to it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from random import Random

from tests.attacks.reply_seeds import Seed
from vsgen.flow import Together, Turn
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.replies.items import NO_JSON
from vsgen.values import Completion, Distribution, Message, Prompt

TASK = Prompt((Message("user", "Write something."),))
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))")
_SIMPLE = dict(zip("ntrbf/\\\"'", "\n\t\r\b\f/\\\"'", strict=True))
_SCAFFOLDING = re.compile(r'["“”]\s*[,:]\s*["“{\[]|["“”](?:text|probability|responses|reasoning|name|job)["“”]\s*:')


def drawn(seed: Seed, replies: Sequence[str]) -> Distribution:
    """What the seed's method makes of replies, through the whole way of reading."""
    flow = open_sampler(seed.settings)(TASK, Random(0))
    left = list(replies)
    try:
        asked = next(flow)
        while True:
            assert not isinstance(asked, Turn | Together)
            answers = [Completion(left.pop(0) if left else "", stopped=seed.stopped) for _ in asked]
            asked = flow.send(answers)
    except StopIteration as stop:
        found: Distribution = stop.value
        return found


def broken_law(seed: Seed, replies: Sequence[str], *, once: bool) -> str | None:
    """The first law that a draw breaks, in words; None if it keeps all.

    Args:
        seed: What was meant.
        replies: What was made of it.
        once: They were mutated in one place, so all answers but one or two are as they were.
    """
    got = drawn(seed, replies)
    problem = _weights(got) or _invented(got, replies)
    if problem or not once or not seed.items:
        return problem
    return _scaffolding(got, seed) or _count(got, seed, replies)


def salvaged(seed: Seed, got: Distribution) -> int:
    """How many of the seed's answers came out as they were."""
    left = [dict(item) for item in seed.items]
    for candidate in got.candidates:
        if dict(candidate.fields) in left:
            left.remove(dict(candidate.fields))
    return len(seed.items) - len(left)


def _weights(got: Distribution) -> str | None:
    weights = [*(one.weight for one in got.candidates), *(lost.weight for lost in got.malformed)]
    if not weights:
        return "nothing came of a draw"
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        return f"weights {weights}"
    total = math.fsum(weights)
    return None if math.isclose(total, 1, abs_tol=1e-9) else f"weights sum to {total}"


def _invented(got: Distribution, replies: Sequence[str]) -> str | None:
    sources = [source for reply in replies for source in _decoded(reply)]
    for candidate in got.candidates:
        for text in _strings(candidate.fields):
            if not any(text in source for source in sources):
                return f"{text!r} does not stand in the reply"
    return None


def _decoded(reply: str) -> list[str]:
    """The reply as it is, and with the escapes of each form resolved that may be around a text."""
    found = [_paired(reply)]
    if '""' in reply:
        found.append(found[0].replace('""', '"'))
    for _ in range(2):
        found += [_resolved(one) for one in found]
    return [*found, html.unescape(found[0])]


def _resolved(raw: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else _SIMPLE.get(found[4], found[0])

    return _paired(_ESCAPE.sub(character, raw))


def _paired(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _strings(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [text for entry in value.values() for text in _strings(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in _strings(entry)]
    return [value] if isinstance(value, str) else []


def _scaffolding(got: Distribution, seed: Seed) -> str | None:
    """Where a reply is a bare text or a line, all of it is text."""
    if seed.form in ("lines", "tags", "labels") or (seed.form == "object" and seed.settings.sampling.method != "cot"):
        return None
    texts = [one for one in _strings([dict(item) for item in seed.items]) if seed.form == "repr" or '"' in one]
    for candidate in got.candidates:
        for text in _strings(candidate.fields):
            if _SCAFFOLDING.search(text) and not any(_is_inside(one, text) for one in texts):
                return f"{text!r} holds a part of the form"
    return None


def _is_inside(text: str, mutated: str) -> bool:
    """Whether the mutation stands inside the text, where a sign of the form is a sign of the text."""
    half = len(text) // 2
    return len(mutated) < len(text) + 20 and (mutated.startswith(text[:half]) or mutated.endswith(text[half:]))


def _count(got: Distribution, seed: Seed, replies: Sequence[str]) -> str | None:
    """All answers but one are as they were, or something says that they are not.

    A piece cut out of a bare list, or put in, may leave another list that nothing can tell from one that was meant.
    """
    ends_early = all(whole.startswith(reply) for whole, reply in zip(seed.replies, replies, strict=True))
    bare = seed.form in ("lines", "strings", "labels") or (seed.form == "tags" and ends_early)
    flagged = bool(got.malformed) or any(set(candidate.flags) - {NO_JSON} for candidate in got.candidates)
    same, count = salvaged(seed, got), len(got.candidates) + len(got.malformed)
    meant = min(count, len(seed.items)) if bare else len(seed.items)
    if flagged or (same >= meant - 1 and count >= meant):
        return None
    return f"{same} of {len(seed.items)} answers as they were, {count} counted, and nothing says so"
