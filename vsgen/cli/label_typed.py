"""Says what is wrong with labels in the words of the flags that were typed, not of the template that they make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from vsgen.errors import TemplateError

_SET: Final = re.compile(r"--set labels\.\d+\.")
_PLACE: Final = re.compile(r": labels\.\d+(?:\.|: )")
_FLAG: Final = re.compile(r"flags: labels\.(\d+)\.(name|classes|choices|prompt|kind)(?:\.\d+)*: ")


@contextmanager
def as_typed(names: Sequence[str], flags: Mapping[str, str]) -> Iterator[None]:
    """Within it, errors name flags.

    Args:
        names: Of the labels, in order.
        flags: What was typed, by the setting that it became, such as ``--prior batch`` for ``prior=batch``.

    Raises:
        TemplateError: With other words.
    """
    try:
        yield
    except TemplateError as error:
        lines = [_reworded(line, names, flags) for line in str(error).splitlines()]
        raise TemplateError("\n".join(dict.fromkeys(lines))) from None


def _reworded(line: str, names: Sequence[str], flags: Mapping[str, str]) -> str:
    if found := _SET.match(line):
        rest = line[found.end() :]
        setting = next((one for one in flags if rest.startswith(f"{one}: ")), None)
        if setting is None:
            return f"--set {_PLACE.sub(': ', rest, count=1)}"
        return f"{flags[setting]}: {_PLACE.sub(': ', rest.removeprefix(setting), count=1).removeprefix(': ')}"
    if found := _FLAG.match(line):
        of = f" of label {names[int(found[1])]}" if len(names) > 1 else ""
        return f"--{found[2]}{of}: {line[found.end() :]}"
    return line
