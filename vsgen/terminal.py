r"""What others wrote, such that a terminal only shows it.

A reply, a row, a template or a file's name may hold characters that a terminal obeys: it moves the cursor, recolors or
hides what stands there, sets the window's title, or types an answer of its own. In `harmless` text they are seen
instead, as ``\x1b`` or ``\u202e``: the controls but for the end of a line and the tab, and the marks that reorder or
break a line. Which texts need that is decided where they are printed; what goes into files and pipes stays as it is.
"""

from __future__ import annotations

import re
from typing import IO, Any, Final

_BIDI: Final = "\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROLS: Final = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]")
_IN_JSON: Final = re.compile(rf"[\x7f-\x9f{_BIDI}]")
"""Those that a JSON string may hold as they are."""


def harmless(text: str) -> str:
    """The text with every character that a terminal would obey as a visible escape."""
    return _CONTROLS.sub(_escape, text)


def harmless_json(data: bytes) -> bytes:
    """JSON that means the same, with such characters as escapes of JSON."""
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode()).encode()


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether what is written here is seen at once."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
