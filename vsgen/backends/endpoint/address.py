"""Where an endpoint is: what of a URL counts, and what no URL of an endpoint may have.

People copy what they have at hand: the server's root, its ``/v1``, or the whole route of one call. All of them become
the one base that routes are added to. A host is ASCII, so that two names that look alike are not taken for each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from vsgen.errors import OptionError

WireName: TypeAlias = Literal["chat", "completions", "messages"]
"""A form of calls: OpenAI's chat completions, its completions, or Anthropic's messages."""

OPENAI: Final = "api.openai.com"
ANTHROPIC: Final = "api.anthropic.com"
_PORTS: Final = {"http": 80, "https": 443}
_ROUTES: Final[Mapping[str, WireName | None]] = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/messages": "messages",
    "/embeddings": None,
    "/models": None,
    "/responses": None,
    "/decisions": None,
    "/systemone": None,
    "/api/chat": None,
    "/api/generate": None,
}
"""Routes that a URL may end with, and the wire that each names; the longer ones first. Ollama has the last two."""
_VERSION: Final = re.compile(r"v\d+[a-z]*\d*")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")
_ODD: Final = re.compile(r"[\x00-\x20\x7f-\uffff\U00010000-\U0010ffff\\<>\"^`{|}]")
"""What a URL writes otherwise, or what one parser of URLs reads as another does not."""
_REMEDY: Final = "give a URL such as http://localhost:8000/v1"


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint's place."""

    base: str
    """What a route is added to, such as ``https://api.openai.com/v1``; no slash at its end."""
    origin: str
    """Scheme, host and port, such as ``https://api.openai.com:443``: what a key is bound to."""
    host: str
    """In lower case, without a port."""
    loopback: bool
    """It is this machine, whatever the network."""
    wire: WireName
    """The form of calls that it probably takes."""

    @property
    def place(self) -> str:
        """The host, and the port where it is not the usual one: how people are shown the endpoint."""
        scheme, _, rest = self.origin.partition("://")
        return rest.removesuffix(f":{_PORTS[scheme]}")

    @property
    def path(self) -> str:
        """What of the base follows the place; empty for the usual ``/v1``."""
        path = self.base.partition("://")[2].partition("/")[2]
        return f"/{path}".removesuffix("/v1").rstrip("/")


def read_address(url: str, source: str = "--endpoint") -> Address:
    """The address that a URL names.

    Args:
        url: As the user gives it: the root of the server, its base with ``/v1``, or the URL of one of its routes.
        source: Where it is from, for the message.

    Raises:
        OptionError: It is no URL of an endpoint, or holds what none may hold, such as a password.
    """
    parts = _split(url, source)
    scheme, host = parts.scheme, _host(parts, url, source)
    path, wire = _path(parts.path)
    if ".." in path.split("/"):
        raise _error(source, url, "its path contains '..'", _REMEDY)
    port = _port(parts, url, source)
    shown = f"[{host}]" if ":" in host else host
    usual = port == _PORTS[scheme]
    return Address(
        base=f"{scheme}://{shown}{'' if usual else f':{port}'}{path}",
        origin=f"{scheme}://{shown}:{port}",
        host=host,
        loopback=_loopback(host),
        wire="messages" if host == ANTHROPIC else wire,
    )


def read_proxy(url: str, source: str = "--proxy") -> str:
    """The URL of an HTTP proxy, which may contain a user name and a password.

    Raises:
        OptionError: It is no such URL. The message does not show it.
    """
    try:
        parts = urlsplit(url.strip())
        right = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:  # the port, or the host in brackets
        right = False
    if not right:
        raise OptionError(
            f"{source}: not the URL of an HTTP proxy; give http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT"
        )
    return url.strip()


def _split(url: str, source: str) -> SplitResult:
    """The parts of a URL that has no parts that it may not have."""
    if "@" in url:  # never shown: what stands before it is a secret, though a slash in it makes it a path
        raise OptionError(
            f"{source}: a URL with a user name or password; take it out, and give an API key by VSGEN_API_KEY "
            "or --api-key-file"
        )
    if not url.strip():
        raise OptionError(f"{source}: empty; {_REMEDY}, or leave it out")
    try:
        parts = urlsplit(url.strip())
    except ValueError as error:
        raise _error(source, url, f"not a URL ({error})", _REMEDY) from None
    if found := _ODD.search(url.strip()):
        raise _error(source, url, f"{found[0]!r} cannot be in a URL", f"{_REMEDY}; a host's name is ASCII (xn--...)")
    if parts.scheme not in _PORTS:
        raise _error(source, url, _no_scheme(parts), _REMEDY)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise OptionError(f"{source}: a URL with a query or a fragment, which an endpoint does not have; {_REMEDY}")
    return parts


def _no_scheme(parts: SplitResult) -> str:
    if "://" not in parts.geturl():
        return "http:// or https:// is missing"
    return f"only http and https are supported, not {parts.scheme}"


def _host(parts: SplitResult, url: str, source: str) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if not _HOST.fullmatch(host) and not _is_address(host):
        raise _error(source, url, "names no host", _REMEDY)
    return host


def _port(parts: SplitResult, url: str, source: str) -> int:
    try:
        port = parts.port
    except ValueError:
        raise _error(source, url, "the port is not a number from 1 to 65535", _REMEDY) from None
    if port == 0:
        raise _error(source, url, "the port is not a number from 1 to 65535", _REMEDY)
    return port or _PORTS[parts.scheme]


def _path(path: str) -> tuple[str, WireName]:
    """The path that routes are added to, and the wire that the route named which stood there."""
    path, wire = "/" + path.strip("/") if path.strip("/") else "", None
    for route, named in _ROUTES.items():
        if path.endswith(route):
            path, wire = path.removesuffix(route), named
            break
    if not any(_VERSION.fullmatch(part) for part in path.split("/")):
        path += "/v1"
    return path, wire or "chat"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone is no part of the address


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _is_address(host) and ip_address(host).is_loopback


def _error(source: str, url: str, problem: str, remedy: str) -> OptionError:
    return OptionError(f"{source}: {_shown(url)}: {problem}; {remedy}")


def _shown(url: str) -> str:
    """A URL for a message: no query, in which people put keys."""
    return ascii(re.split(r"[?#]", url, maxsplit=1)[0][:200])[1:-1]
