"""The embedded model as a server to a dialog that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tests.backends.endpoint.dialogs import Server, ok
from tests.endpoint.own_model import Blamed, OwnModel
from vsgen.backends.endpoint.http import Request, Response


def served(own: OwnModel, *, change: Callable[[dict[str, Any]], Mapping[str, Any]] = dict) -> Server:
    """A server of a model.

    Args:
        own: The model.
        change: What it makes of a request before it heeds it.
    """

    def answer(request: Request) -> Response:
        body = change(orjson.loads(request.body))
        try:
            return ok(own.chat(body) if request.path == "chat/completions" else own.completions(body))
        except Blamed as problem:
            return ok({"error": {"message": str(problem), "type": "BadRequestError"}}, 400)

    return answer
