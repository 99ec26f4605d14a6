"""Names of requests in batch files (``custom_id``), by which results are found again.

A name is ``DIGEST-STEP-ATTEMPT``: a digest of the call's key in the journal and of the request itself, so that no
result answers another call, nor another request of the same call; which request of its call it is; and which attempt.
It has no other characters than digits, ``a`` to ``f`` and hyphens, and at most 64 (Anthropic's limits).
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final, NamedTuple

from vsgen.backends.endpoint.http import Request
from vsgen.digests import SIZE

ATTEMPTS: Final = 3
"""Of one request; after so many results of no use, its call is refused."""
_NAME: Final = re.compile(r"([0-9a-f]{32})-([0-9]{1,6})-([1-9])")


class Name(NamedTuple):
    """Names one attempt of one request."""

    digest: str
    """Of the call and the request; the same in all attempts."""
    step: int
    """Which request of its call it is, from 1."""
    attempt: int
    """From 1."""

    def __str__(self) -> str:
        """As it stands in a file."""
        return f"{self.digest}-{self.step}-{self.attempt}"


def name_of(key: str, request: Request, step: int) -> Name:
    """The first attempt of a request.

    Args:
        key: Of the call in the journal, hex.
        request: What is to be sent.
        step: Which request of the call it is, from 1.
    """
    content = b"\n".join((key.encode(), request.path.encode(), request.body))
    return Name(blake2b(content, digest_size=SIZE).hexdigest(), step, 1)


def read_name(text: object) -> Name | None:
    """The name that stands in a result; None if it is not one of ours."""
    found = _NAME.fullmatch(text) if isinstance(text, str) else None
    return Name(found[1], int(found[2]), int(found[3])) if found else None
