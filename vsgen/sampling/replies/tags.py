"""Responses in tags: ``<response><text>...</text><probability>0.2</probability></response>`` and its relatives."""

from __future__ import annotations

import re
from typing import Final

from vsgen.sampling.replies.items import NO_JSON, REPAIRED, Found, Page
from vsgen.sampling.replies.lazy import pattern
from vsgen.sampling.replies.naming import ALIASES, SYNONYMS, Names, pick, squeeze

BLOCKS: Final = ("response", "answer", "item", "candidate", "result", "output", "option", "sample", "completion")
"""Tags that hold one response."""
_TOKEN: Final = pattern(r"<!\[CDATA\[|<(?P<close>/?)(?P<name>[^\W\d][\w.-]{0,63}+)(?P<attributes>\s[^<>]{0,300}+)?>")
_ATTRIBUTE: Final = pattern(r"([\w-]{1,64}+)\s{0,3}=\s{0,3}(?:\"([^\"]*+)\"|'([^']*+)')")
_ENTITY: Final = pattern(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));", re.ASCII)
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_HALF_TAG: Final = pattern(r"</?[\w.-]{0,63}+\Z")
_JSON: Final = pattern(r"\s*+(?:\{|\[\s*+[\"'{\[])")
_CDATA_END: Final = "]]>"


def read_tags(text: str, start: int, asked: Names) -> Page:
    """Read all responses in tags from `start` on, in one pass.

    Only the tags of responses, of the asked fields and of the probability count; any other tag belongs to the text.
    Entities of XML are resolved, CDATA sections are taken as they are. A response without its field is lost, and so is
    the last one if its tag is never closed and something that was asked of it is missing.
    """
    reader = _Reader(text, start, asked)
    reader.run()
    return Page(reader.found, cut=reader.cut)


class _Reader:
    """The state of one pass: the open response, the open field in it, and their text so far."""

    __slots__ = ("asked", "begin", "block", "child", "cut", "flags", "found", "inner", "parts", "pos", "record", "text")

    def __init__(self, text: str, start: int, asked: Names) -> None:
        self.text = text
        self.pos = start
        self.begin = start
        """Of the open response."""
        self.asked = asked
        self.found: list[Found] = []
        self.cut = False
        self.block: str | None = None
        """The name of the open tag; empty for a response that began with a field."""
        self._reset()

    def _reset(self) -> None:
        self.child: str | None = None
        self.record: dict[str, object] = {}
        self.parts: list[str] = []
        """Text of the open field."""
        self.inner: list[list[str]] = [[]]
        """Text of the response outside its fields, before and after each of them."""
        self.flags = {NO_JSON}

    def run(self) -> None:
        token = _TOKEN.search(self.text, self.pos)
        while token is not None:
            self._literal(token.start())
            self.pos = token.end()
            if self.block is None:
                self.begin = token.start()
            if token["name"] is None:
                self._cdata()
            else:
                self._tag(token)
            token = _TOKEN.search(self.text, self.pos)
        self._literal(len(self.text))
        self._end()

    def _buffer(self) -> list[str]:
        return self.inner[-1] if self.child is None else self.parts

    def _literal(self, end: int) -> None:
        if self.block is not None:
            self._buffer().append(_ENTITY.sub(_character, self.text[self.pos : end]))

    def _cdata(self) -> None:
        end = self.text.find(_CDATA_END, self.pos)
        if end < 0:
            self.pos = end = len(self.text)
            self.cut = True
        self._buffer().append(self.text[self.pos : end])
        self.pos = min(end + len(_CDATA_END), len(self.text))

    def _tag(self, token: re.Match[str]) -> None:
        name = self.asked.squeezed.get(squeeze(token["name"]), squeeze(token["name"]))
        if token["close"]:
            self._close(name, token)
        elif self._is_child(name):
            self._open_child(name, token)
        elif name in BLOCKS and (self.child is None or name == self.block):
            self._open_block(name, token)
        elif self.block is not None:
            self._buffer().append(token[0])

    def _is_child(self, name: str) -> bool:
        if name in self.asked.fields or name in SYNONYMS:
            return name != self.child
        inside = bool(self.block) and self.child is None and name != self.block
        return inside and self.asked.only is not None and name in ALIASES

    def _open_child(self, name: str, token: re.Match[str]) -> None:
        self._close_child(self.child is not None)
        if self.block is None or name in self.record:
            self.flags |= {REPAIRED} if self.block else set()
            self._emit(token.start())
            self.block = ""
        self.child = name

    def _open_block(self, name: str, token: re.Match[str]) -> None:
        if self.block is not None:
            self.flags |= {REPAIRED} if self.block else set()
            self._emit(token.start())
        self.block = name
        for key, double, single in _ATTRIBUTE.findall(token["attributes"] or ""):
            if squeeze(key) in SYNONYMS:
                self.record[key] = double or single

    def _close(self, name: str, token: re.Match[str]) -> None:
        if name == self.child:
            self._close_child(False)
        elif name == self.block:
            self._close_child(self.child is not None)
            self._emit(token.end())
        elif self.block is not None:
            self._buffer().append(token[0])

    def _close_child(self, mended: bool) -> None:
        if self.child is not None:
            self.record[self.child] = "".join(self.parts).strip()
            self.inner.append([])
            self.flags |= {REPAIRED} if mended else set()
        self.child = None
        self.parts = []

    def _emit(self, end: int) -> None:
        """Close the response and keep it; it is lost if it has no field."""
        if self.block is not None:
            pieces = [one for one in ("".join(piece).strip() for piece in self.inner) if one]
            found = self._found(pieces[0] if len(pieces) == 1 else "")
            self.found.append(found if found.fields else self._lost(found, end))
        self.block = None
        self.begin = end
        self._reset()

    def _lost(self, found: Found, end: int) -> Found:
        return found._replace(fields={}, lost=self.text[self.begin : end].strip())

    def _found(self, inner: str) -> Found:
        found = pick(self.record, self.asked)
        only = self.asked.only
        if not found.fields and only is not None and inner and not _JSON.match(inner):
            found = found._replace(fields={only: inner})
        return found._replace(flags=found.flags | self.flags)

    def _end(self) -> None:
        self.cut |= _HALF_TAG.search(self.text, max(self.pos, len(self.text) - 80)) is not None
        if self.block is None:
            return
        found = self._found("")
        lacks = len(found.fields) < len(self.asked.fields) or (self.asked.verbalized and found.stated is None)
        self.cut |= self.block != "" or self.child is not None
        self.found.append(self._lost(found, len(self.text)) if lacks else found)


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return _NAMED[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    valid = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return chr(code) if valid else entity[0]
