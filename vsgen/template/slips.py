"""Words what is wrong with a text that is not YAML: where the slip is, which the parser notices later; the remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import yaml

_OPEN_QUOTE: Final = "the quote that begins here is not closed"
_INDENT: Final = "; indent like the line above"
_MISPLACED: Final = ("did not find expected key", "did not find expected '-' indicator")


class Slip(NamedTuple):
    """What is wrong, and where."""

    mark: Any
    """YAML's, with line and column from 0; None where the parser names no place."""
    what: str


def slip_of(error: yaml.MarkedYAMLError, text: str, loader: Any) -> Slip:
    """The slip behind an error of the parser, for the slips that people make; else the error in the parser's words.

    Args:
        error: As the parser raised it.
        text: That it read.
        loader: That it read with.
    """
    begin, end = error.context_mark, error.problem_mark or error.context_mark
    context, problem = error.context or "", error.problem or error.context or ""
    if end is None:
        return Slip(None, problem)
    lines = [*text.splitlines(), ""]
    if quote := _open_quote(error, end, text, loader):
        return Slip(quote, _OPEN_QUOTE)
    if begin and context == "while scanning a simple key":
        return Slip(begin, _no_key(lines[begin.line]))
    if begin and context.startswith("while parsing a flow") and begin.line < end.line:
        sign = lines[begin.line][begin.column : begin.column + 1]
        comma = f", or a ',' is missing before line {end.line + 1}" if any(lines[end.line :]) else ""
        return Slip(begin, f"{sign!r} is not closed{comma}")
    return Slip(end, f"{problem}{_remedy(problem, lines[max(0, end.line - 1) : end.line + 1])}")


def _open_quote(error: yaml.MarkedYAMLError, end: Any, text: str, loader: Any) -> Any:
    """Where a quote begins that goes on to the end of the text, or to a quote in the line that the parser refuses."""
    if error.context == "while scanning a quoted scalar" and "end of stream" in (error.problem or ""):
        return error.context_mark
    last = None
    with suppress(yaml.YAMLError):
        for token in yaml.scan(text, Loader=loader):
            if token.end_mark.line > end.line:
                break
            if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"'):
                last = token
    return last.start_mark if last and last.start_mark.line < last.end_mark.line == end.line else None


def _no_key(line: str) -> str:
    """What a line lacks that stands where a key must, and has none."""
    if begins := re.match(r"\s*(?:- +)*([\w.-]+:)\S", line) or re.match(r"\s*(-)[^\s-]", line):
        return f'put a space after "{begins[1]}"'
    return f"neither 'key: value' nor '- value'{_INDENT} if it goes on there"


def _remedy(problem: str, lines: Sequence[str]) -> str:
    """What to do about the last of the lines, where its look says why."""
    above, line = ["", *lines][-2:]
    if re.match(" *\t", line):
        return "; the line begins with a tab: indent with spaces"
    if begins := re.match(r"""\s*(?:- |\w+: )+\s*(["'\[{%@`&*!])""", line):
        return f"; the value begins with {begins[1]}: put quotes around the whole value"
    if re.match(r"\s*(?:- )*[\w.-]+: +[^\s\"'\[{|>#].*?:(?: |$)", line):
        return "; the value has a colon followed by a space: put quotes around the whole value"
    if re.search(r": [|>][-+]?\s*$", above):
        return "; indent the text below the line above"
    deeper = _indent(line) > _indent(above) and problem.startswith("mapping values")
    return _INDENT if deeper or problem in _MISPLACED else ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
