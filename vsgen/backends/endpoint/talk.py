"""A dialog of several requests about one call: their usage adds up, and the first refusal ends it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

import orjson

from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.reading import read_object, refused, usage_of
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable, Usage, asked
from vsgen.values import Refused, Reply

T = TypeVar("T")
Asked: TypeAlias = Generator[Request | Unreadable, Response, T]


class Refusal(Exception):
    """Ends a dialog."""

    def __init__(self, refused: Refused) -> None:
        """Set up.

        Args:
            refused: What is in the place of a reply.
        """
        super().__init__(refused.problem)
        self.refused = refused


class Talk:
    """One dialog."""

    def __init__(self, model: str) -> None:
        """Set up.

        Args:
            model: As the server names it.
        """
        self._model = model
        self._usage = Usage()

    def held(self, reply: Asked[Reply]) -> Dialog:
        """The whole dialog, by what makes its reply."""
        try:
            return Said((yield from reply), self._usage)
        except Refusal as end:
            return Said(end.refused, self._usage)

    def ask(self, route: str, body: Mapping[str, Any], tokens: int, read: Callable[[dict[str, Any]], T]) -> Asked[T]:
        """Ask one request.

        Args:
            route: Where.
            body: Its members, but for the model.
            tokens: About how many it takes.
            read: Makes of the reply's JSON object what is wanted; raises `Unreadable` where it cannot.

        Raises:
            Refusal: The server refuses it.
        """
        request = Request(route, orjson.dumps({"model": self._model, **body}), tokens)
        came = yield from asked(request, partial(_came, read=read))
        if isinstance(came, Refused):
            raise Refusal(came)
        value, usage = came
        self._usage += usage
        return value


def _came(response: Response, read: Callable[[dict[str, Any]], T]) -> tuple[T, Usage] | Refused:
    if response.status >= 300:
        return refused(response)
    said = read_object(response)
    return read(said), usage_of(said)
