"""Reading replies: from whatever a model wrote to items with probabilities and flags.

No reply raises, and none takes more than linear time. Nothing is invented: a text that comes out stands in the reply
(after the escapes of its form are resolved), and a probability that is missing or impossible is None. Text inside
strings is never altered. A reply that is cut yields the items that were complete.

The forms, in the order in which they are tried: the reply is valid JSON; JSON in any state of repair, with chatter,
fences and thinking around it, or `<response>` tags, whichever comes first; lists and labelled lines. Several lists in
one reply are joined, except that a list that repeats the one before counts once. Thinking (``<think>`` and relatives,
also if only the closing tag is there) is set apart before anything is read; thinking that never ends hides the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.sampling.replies.items import (
    CUT_REPLY,
    FLAGS,
    NO_PROBABILITY,
    OTHER_NUMBER,
    TRUNCATED,
    UNFINISHED,
    Found,
    Item,
    Page,
    Parsed,
)
from vsgen.sampling.replies.lenient import read_clean
from vsgen.sampling.replies.naming import Names, is_placeholder, names
from vsgen.sampling.replies.records import records
from vsgen.sampling.replies.scan import reasoning_of, scan, split_thoughts
from vsgen.sampling.replies.weights import probabilities, weigh
from vsgen.texts import pair_surrogates

__all__ = ["Item", "Parsed", "parse_list", "parse_one", "parse_text", "weigh"]

_INVISIBLE = "\ufeff\u200b\u2060"


def parse_list(raw: str, fields: Sequence[str], *, stopped: bool = True, verbalized: bool = True) -> Parsed:
    """Read a reply that should hold a list of responses (sequence, vs, vs-cot, vs-multi).

    Args:
        raw: the reply.
        fields: the names that were asked for.
        stopped: the model ended the reply itself; false if it was cut.
        verbalized: a probability was asked for; false keeps `NO_PROBABILITY` off items that never needed one.
    """
    asked = names(tuple(fields), verbalized=verbalized)
    text = pair_surrogates(raw)
    page = _read_clean(text, asked) or scan(text, asked, stopped=stopped)
    if page.found:
        return Parsed(_settle(page, asked), page.reasoning)
    return Parsed(reasoning=page.reasoning, problem=page.problem or _problem(text, page.cut or not stopped))


def parse_one(raw: str, fields: Sequence[str], *, stopped: bool = True) -> Parsed:
    """Read a reply that should hold one response (cot; direct with several fields).

    Of several, the last that has all fields counts, because a model drafts before it answers; the form that was asked
    for, repeated with its dots, only where there is nothing else.
    """
    parsed = parse_list(raw, fields, stopped=stopped, verbalized=False)
    filled = [item for item in parsed.items if not is_placeholder(item.fields)] or parsed.items
    most = max((len(item.fields) for item in filled), default=0)
    fullest = [item for item in filled if len(item.fields) == most]
    return Parsed(tuple(fullest[-1:]), parsed.reasoning, parsed.problem)


def parse_text(raw: str, field: str, *, stopped: bool = True) -> Parsed:
    """Take the reply itself as the response (direct with one field), without thinking and blank edges.

    A reply that was cut keeps its text and is flagged `TRUNCATED`.
    """
    text = pair_surrogates(raw)
    reasoning, answer = split_thoughts(text)
    body = (answer or "").strip().strip(_INVISIBLE).strip()
    if not body:
        problem = UNFINISHED if answer is None else _problem(body, not stopped)
        return Parsed(reasoning=reasoning, problem=problem)
    return Parsed((Item({field: body}, None, () if stopped else (TRUNCATED,)),), reasoning)


def _read_clean(text: str, asked: Names) -> Page | None:
    value = read_clean(text)
    found = records(value, asked, trusted=True) if isinstance(value, dict | list) else []
    return Page(found, reasoning_of(value)) if found else None


def _settle(page: Page, asked: Names) -> tuple[Item, ...]:
    stated = probabilities([found.stated for found in page.found])
    return tuple(
        Item(found.fields, probability, _flags(found, flag, page.cut, asked.verbalized))
        for found, (probability, flag) in zip(page.found, stated, strict=True)
    )


def _flags(found: Found, flag: str | None, cut: bool, verbalized: bool) -> tuple[str, ...]:
    if not (found.flags or flag or cut) and (found.stated is not None or not verbalized):
        return ()
    flags = {*found.flags, flag}
    if cut:
        flags.add(TRUNCATED)
    if verbalized and found.stated is None:
        flags.add(NO_PROBABILITY)
    if not verbalized:
        flags.discard(OTHER_NUMBER)
    return tuple(name for name in FLAGS if name in flags)


def _problem(text: str, cut: bool) -> str:
    if not text.strip().strip(_INVISIBLE).strip():
        return "the reply is empty"
    return CUT_REPLY if cut else "the reply holds no list of responses"
