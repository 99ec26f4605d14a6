"""Moves a dialog by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable

Server = Callable[[Request], Response]


def ok(body: object, status: int = 200) -> Response:
    """A response whose body is this, as JSON if it is not bytes."""
    return Response(
        status, {"content-type": "application/json"}, body if isinstance(body, bytes) else orjson.dumps(body)
    )


def talk(dialog: Dialog, server: Server, tries: int = 1) -> Said:
    """What comes of a dialog with a server; raises `Unreadable` at the last try of a request."""
    try:
        step = next(dialog)
        left = tries
        while True:
            if isinstance(step, Unreadable):
                left -= 1
                if not left:
                    raise step
            else:
                request, left = step, tries
            step = dialog.send(server(request))
    except StopIteration as end:
        said: Said = end.value
        return said


def asked_of(dialog: Dialog) -> tuple[str, Mapping[str, Any]]:
    """The route and the body of a dialog's first request."""
    request = next(dialog)
    assert isinstance(request, Request)
    return request.path, orjson.loads(request.body)
