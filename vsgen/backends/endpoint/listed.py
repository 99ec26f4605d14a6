"""The models that a server lists, and whether it embeds texts: what `vsgen doctor` asks beside the abilities; pure."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from vsgen.backends.endpoint.embeddings import Embeddings
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.messages import HEADERS
from vsgen.backends.endpoint.reading import quoted, read_object
from vsgen.backends.endpoint.wire import Abilities, Unreadable
from vsgen.values import Embed, Vector

ROUTE: Final = "models"
_MOST: Final = 10_000
"""Models that are read of a list."""
_COMPARED: Final = 1000
"""Those whose names are compared with an unknown one."""
_SHOWN: Final = 5
_LONG: Final = 100
"""Characters of a name in a message."""
_CONTEXTS: Final = ("max_model_len", "context_length", "context_window", "max_context_length")
"""How servers call the tokens of prompt and reply: vLLM and SGLang; OpenRouter and Together; Groq; LM Studio."""
_LARGEST: Final = 1 << 31


class Listed(NamedTuple):
    """A model that a server lists."""

    name: str
    context: int | None = None
    """Tokens that prompt and reply may have together; None where the server does not say."""


def list_models(wire: str) -> Generator[Request, Response | None, list[Listed] | None]:
    """Ask for the models; None where the server has no list that can be read.

    Args:
        wire: The wire's name.
    """
    response = yield Request(ROUTE, headers=HEADERS if wire == "messages" else {})
    if response is None or response.status >= 300:
        return None
    try:
        found = read_object(response).get("data")
    except Unreadable:
        return None
    return list(_models(found)) if isinstance(found, list) else None


def list_others(wire: str, model: str) -> Generator[Request, Response | None, str]:
    """Ask which models the server has in place of one that it seems not to have, for a message.

    Args:
        wire: The wire's name.
        model: As it was asked for; where the server lists it, or lists nothing, the text is empty.
    """
    listed = yield from list_models(wire)
    names = [one.name[:_LONG] for one in (listed or ())[:_COMPARED]]
    if not names or model in names:
        return ""
    close = get_close_matches(model[:_LONG], names, _SHOWN)
    shown = [*close, *(name for name in names if name not in close)][:_SHOWN]
    more = f" and {len(listed or ()) - len(shown):,} more" if len(listed or ()) > len(shown) else ""
    return f"; the server lists {', '.join(shown)}{more}"


def embed_word(model: str) -> Generator[Request, Response | None, int | None]:
    """Have a word embedded; the components of its vector, None where the server does not embed with this model."""
    dialog = Embeddings().dialog(Embed("word"), model, Abilities())
    request = next(dialog)
    assert isinstance(request, Request)
    response = yield request
    if response is None:
        return None
    try:
        dialog.send(response)
    except StopIteration as end:
        vector = end.value.answer
        return len(vector.data) // 2 if isinstance(vector, Vector) else None
    return None


def _models(found: list[Any]) -> Generator[Listed]:
    for one in found[:_MOST]:
        if isinstance(one, dict) and isinstance(name := one.get("id"), str) and name:
            yield Listed(quoted(name.encode("utf-8", "replace")), _context(one))


def _context(model: Mapping[str, Any]) -> int | None:
    meta = model.get("meta")  # llama.cpp
    values = [*(model.get(name) for name in _CONTEXTS), meta.get("n_ctx") if isinstance(meta, dict) else None]
    return next((one for one in values if type(one) is int and 0 < one < _LARGEST), None)
