"""Reading replies: from whatever a model wrote to items with probabilities and flags.

No reply raises, and none takes more than linear time. Nothing is invented: a text that comes out stands in the reply
(after the escapes of its form are resolved), and a probability that is missing or impossible is None. Text inside
strings is never altered. Nothing is dropped unseen: an item that is there and cannot be read whole comes out as lost,
in a reply that is cut as in any other.

The forms, in the order in which they are tried: the reply is valid JSON; JSON in any state of repair, with chatter,
fences and thinking around it, or `<response>` tags, whichever comes first; lists and labelled lines. Several lists in
one reply are joined, except that a list that repeats the one before counts once. Thinking (``<think>`` and relatives,
also if only the closing tag is there) is set apart before anything is read; thinking that never ends hides the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.sampling.replies.clean import read_clean
from vsgen.sampling.replies.items import (
    CUT_REPLY,
    FLAGS,
    NO_PROBABILITY,
    NONE_WHOLE,
    OTHER_NUMBER,
    TRUNCATED,
    UNFINISHED,
    Found,
    Item,
    Lost,
    Page,
    Parsed,
    holds_item,
)
from vsgen.sampling.replies.naming import Names, is_placeholder, names
from vsgen.sampling.replies.records import records, repeats
from vsgen.sampling.replies.scan import reasoning_of, scan, split_thoughts
from vsgen.sampling.replies.weights import probabilities, weigh
from vsgen.texts import pair_surrogates

__all__ = ["Item", "Lost", "Parsed", "parse_list", "parse_one", "parse_text", "weigh"]

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
    if holds_item(page.found):
        return _settle(page, asked)
    problem = page.problem or _problem(text, page.cut or not stopped, lost=bool(page.found))
    return Parsed(reasoning=page.reasoning, problem=problem)


def parse_one(raw: str, fields: Sequence[str], *, stopped: bool = True) -> Parsed:
    """Read a reply that should hold one response (cot; direct with several fields).

    Of several, the last that has all fields counts, because a model drafts before it answers; the form that was asked
    for, repeated with its dots, only where there is nothing else.
    """
    parsed = parse_list(raw, fields, stopped=stopped, verbalized=False)
    filled = [item for item in parsed.items if not is_placeholder(item.fields)] or parsed.items
    most = max((len(item.fields) for item in filled), default=0)
    fullest = [item for item in filled if len(item.fields) == most]
    return Parsed(tuple(fullest[-1:]), reasoning=parsed.reasoning, problem=parsed.problem)


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
    return Parsed((Item({field: body}, None, () if stopped else (TRUNCATED,)),), reasoning=reasoning)


def _read_clean(text: str, asked: Names) -> Page | None:
    value = read_clean(text)
    found = records(value, asked, text, trusted=True) if isinstance(value, dict | list) else []
    return Page(found, reasoning_of(value)) if found and not repeats(found, asked, text) else None


def _settle(page: Page, asked: Names) -> Parsed:
    stated = probabilities([found.stated for found in page.found])
    items: list[Item] = []
    lost: list[Lost] = []
    for found, (probability, flag) in zip(page.found, stated, strict=True):
        if found.lost is None:
            items.append(Item(found.fields, probability, _flags(found, flag, page.cut, asked.verbalized)))
        else:
            lost.append(Lost(found.lost, probability))
    return Parsed(tuple(items), tuple(lost), page.reasoning)


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


def _problem(text: str, cut: bool, *, lost: bool = False) -> str:
    if not text.strip().strip(_INVISIBLE).strip():
        return "the reply is empty"
    if cut:
        return CUT_REPLY
    return NONE_WHOLE if lost else "the reply holds no list of responses"
