"""Responses without JSON or tags: numbered and bulleted lists, and blocks of labelled lines."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

from vsgen.sampling.replies.items import NO_JSON, Found, Page
from vsgen.sampling.replies.lazy import pattern
from vsgen.sampling.replies.lenient import read_string
from vsgen.sampling.replies.naming import ALIASES, SYNONYMS, Names, pick, squeeze

_BULLET: Final = r"[-*•+]"
_DIGITS: Final = r"\d{1,3}[.):]"
_MARK: Final = pattern(
    rf"^(?P<indent>[ \t]{{0,8}}+)(?P<bold>\*\*)?(?:(?P<number>{_DIGITS})|{_BULLET})(?(bold)\*\*)[ \t]{{1,8}}+(?=\S)",
    re.MULTILINE,
)
_LABEL: Final = pattern(
    rf"^[ \t]{{0,8}}+(?>(?:(?:{_DIGITS}|[-*•+>])[ \t]{{1,8}}+)*)\*{{0,2}}(?P<name>\w[\w -]{{0,40}})\*{{0,2}}:\*{{0,2}}"
    r"(?=\s|\Z)[ \t]{0,8}+",
    re.MULTILINE,
)
_FENCE: Final = pattern(r"^[ \t]{0,3}(?:`{3}|~{3})[^\n]{0,80}$", re.MULTILINE)
_BREAK: Final = pattern(r"\n[ \t\r]{0,80}\n(?=\S)")
_BLOCK_SCALAR: Final = pattern(r"[|>][+-]?[ \t]{0,8}\n")
_SHARE: Final = r"(?:[01](?:\.\d{1,12})?|\.\d{1,12}|\d{1,3}(?:\.\d{1,6})?[ \t]?%)"
_WORDED_TAIL: Final = pattern(
    r"\s*+(?:[-–—,;|:]\s*+)?[(\[{]?\*{0,2}(?:estimated )?\b(?:probability|prob|likelihood|p)\b\*{0,2}[ \t]{0,3}"
    rf"(?:[:=≈~]|of|is)?\*{{0,2}}[ \t]{{0,3}}(?P<number>[<>~]?{_SHARE}|\d{{1,3}})\*{{0,2}}[)\]}}]?\*{{0,2}}[.;,]?\Z",
    re.IGNORECASE,
)
_BARE_TAIL: Final = pattern(
    rf"\s*+(?:[-–—|:]\s{{1,4}}(?P<open>{_SHARE})|\((?P<round>{_SHARE})\)|\[(?P<square>{_SHARE})\])\Z"
)
_TWO: Final = pattern(rf"\n|[(\[]{_SHARE}[)\]]")
"""What an entry that holds two has between them."""
_LONGEST_TAIL: Final = 80
_QUOTES: Final = {'"': '"', "“": "”"}


def read_lists(text: str, asked: Names, *, stopped: bool) -> Page:
    """Read a list, or blocks of lines like ``text: ...``; what comes out are slices of `text`.

    An entry runs to the next mark of its kind; what follows the last one after an empty line is chatter, unless
    earlier entries have paragraphs too. A number at an entry's end is its probability if the word stands beside it, or
    if every entry ends in such a number. One entry alone is no list, unless its probability is stated. Where the reply
    was cut (`stopped` is false), the last entry is lost.
    """
    for region in (_fenced(text), text):
        found = _labelled(region, asked) or _listed(region, asked)
        if found:
            break
    read = [item._replace(flags=item.flags | {NO_JSON}) for item in found]
    if read and not stopped:
        read[-1] = Found({}, lost=" ".join(str(value) for value in read[-1].fields.values()))
    return Page(read, cut=not stopped)


def _fenced(text: str) -> str:
    """What the first fence holds; nothing without a fence."""
    opening = _FENCE.search(text)
    if opening is None:
        return ""
    closing = _FENCE.search(text, opening.end())
    return text[opening.end() : closing.start() if closing else len(text)]


def _labelled(text: str, asked: Names) -> list[Found]:
    """Blocks of labelled lines; a label that comes again begins the next block."""
    aliases = ALIASES if asked.only is not None else ()
    labels = [(match, _label(match["name"], asked)) for match in _LABEL.finditer(text)]
    known = [(match, name) for match, name in labels if name in asked.squeezed or name in SYNONYMS or name in aliases]
    blocks: list[dict[str, object]] = []
    starts: list[int] = []
    ends = [*(match.start() for match, _ in known), len(text)][1:]
    for (match, name), end in zip(known, ends, strict=True):
        if not blocks or name in blocks[-1]:
            blocks.append({})
            starts.append(match.start())
        blocks[-1][name] = _line_value(text[match.end() : end])
    named = [{asked.squeezed.get(name, name): value for name, value in block.items()} for block in blocks]
    found = [pick(block, asked) for block in named]
    items = [item for item in found if item.fields]
    clear = len(items) > 1 or any(item.stated is not None or len(item.fields) > 1 for item in items)
    raws = [text[start:end].strip() for start, end in zip(starts, [*starts, len(text)][1:], strict=True)]
    lost = [item if item.fields else item._replace(lost=raw) for item, raw in zip(found, raws, strict=True)]
    return lost if clear else []


def _label(name: str, asked: Names) -> str:
    """A label without its number: ``Response 2`` is ``response``."""
    squeezed = squeeze(name)
    return squeezed if squeezed in asked.squeezed else squeezed.rstrip("0123456789")


def _line_value(text: str) -> str:
    block = _BLOCK_SCALAR.match(text)
    value = text[block.end() :].strip() if block else _up_to_break(text).strip()
    if value[:1] == '"':
        inner, end = read_string(value, 0)
        return inner if end == len(value) else value
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" and value.count("'") == 2 else value


def _up_to_break(text: str) -> str:
    found = _BREAK.search(text)
    return text[: found.start()] if found else text


def _listed(text: str, asked: Names) -> list[Found]:
    """Entries of a numbered or bulleted list, for a single field; one that seems to hold two is lost."""
    if asked.only is None:
        return []
    bodies = _bodies(text)
    tail = _WORDED_TAIL
    split = [_cut_tail(body, tail) for body, _ in bodies]
    if not any(number for _, number in split):
        bare = [_cut_tail(body, _BARE_TAIL) for body, _ in bodies]
        split, tail = (bare, _BARE_TAIL) if all(number for _, number in bare) else (split, tail)
    if len(split) < 2 and not any(number for _, number in split):
        return []
    return [
        Found({asked.only: _unquoted(body)}, number)
        if not (step == 2 and _TWO.search(body)) and (step == 1 or not _has_tail_inside(body, tail))
        else Found({}, number, lost=whole)
        for (body, number), (whole, step) in zip(split, bodies, strict=True)
    ]


def _has_tail_inside(body: str, tail: re.Pattern[str]) -> bool:
    """Whether a line before an entry's last one ends in a probability, as the line of an entry does."""
    return "\n" in body and any(_cut_tail(line.rstrip(), tail)[1] for line in body.split("\n")[:-1])


class _Body(NamedTuple):
    """What stands between two marks."""

    text: str
    step: int
    """From its number to the next one: 1 where no mark is missing between them, 2 where one is."""


def _bodies(text: str) -> list[_Body]:
    marks = list(_MARK.finditer(text))
    if not marks:
        return []
    first = marks[0]
    peers = [mark for mark in marks if _alike(mark, first)]
    ends = [*(mark.start() for mark in peers[1:]), len(text)]
    texts = [text[mark.end() : end].strip() for mark, end in zip(peers, ends, strict=True)]
    if not any(_BREAK.search(body) for body in texts[:-1]):
        texts[-1] = _up_to_break(texts[-1])
    numbers = [int(mark["number"][:-1]) if mark["number"] else 0 for mark in peers]
    steps = [after - number if number else 0 for number, after in pairwise([*numbers, 0])]
    return [_Body(body, step) for body, step in zip(texts, steps, strict=True)]


def _alike(mark: re.Match[str], first: re.Match[str]) -> bool:
    return (mark["number"] is None) == (first["number"] is None) and len(mark["indent"]) <= len(first["indent"]) + 1


def _cut_tail(body: str, tail: re.Pattern[str]) -> tuple[str, str | None]:
    """An entry without the probability at its end, and that probability."""
    start = max(0, len(body) - _LONGEST_TAIL)
    found = tail.search(body, start)
    if found is None or found.start() == 0:
        return body, None
    return body[: found.start()].rstrip(), next(number for number in found.groups() if number)


def _unquoted(body: str) -> str:
    close = _QUOTES.get(body[:1])
    whole = close is not None and len(body) > 1 and body[-1] == close and close not in body[1:-1]
    return body[1:-1] if whole else body
