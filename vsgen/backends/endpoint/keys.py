"""Keys of endpoints: each is bound to the origin that it was configured for, and nothing but a request shows it.

A key is from the environment or a file, never from a template or the command line. It is no text: printed, formatted,
copied, compared or put into a message it stays hidden, and it cannot be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from typing import Final, NoReturn

from vsgen.backends.endpoint.address import ANTHROPIC, OPENAI, Address, WireName, read_address
from vsgen.errors import OptionError

_LONGEST: Final = 8192
_SHORTEST_HIDDEN: Final = 4
"""Characters of a key from which on it is looked for in texts: a shorter one stands in any text."""
_HIDDEN: Final = "[key]"


class Key:
    """A secret, and the origin that it may be sent to."""

    __slots__ = ("_forms", "_secret", "origin", "source")

    def __init__(self, secret: str, origin: str, source: str = "") -> None:
        """Bind.

        Args:
            secret: What the server wants to see.
            origin: `Address.origin` of the only server that gets it.
            source: The option or the variable that it is from.
        """
        self._secret = secret
        self._forms = _forms(secret) if len(secret) >= _SHORTEST_HIDDEN else ()
        self.origin = origin
        self.source = source

    def headers(self, origin: str, wire: WireName) -> dict[str, str]:
        """The headers that carry it; none for any other origin than its own."""
        if origin != self.origin:
            return {}
        return {"x-api-key": self._secret} if wire == "messages" else {"authorization": f"Bearer {self._secret}"}

    def hide(self, text: str) -> str:
        """A text of the server without the key, which some servers repeat in their messages."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.origin == other.origin and compare_digest(self._bytes, other._bytes)

    def __hash__(self) -> int:
        return hash((self.origin, self._secret))

    def __repr__(self) -> str:
        return f"Key(hidden, for {self.origin})"

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: object) -> Key:
        return self

    @property
    def _bytes(self) -> bytes:
        return self._secret.encode()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def _forms(secret: str) -> tuple[str, ...]:
    """A secret as it is, as a string of JSON may hold it, and such a one within JSON; the longest first."""
    forms = [secret]
    for _ in range(2):
        escaped = [one.replace("\\", r"\\").replace('"', r"\"") for one in forms]
        forms += [*escaped, *(one.replace("/", r"\/") for one in escaped)]
    return tuple(sorted(set(forms), key=len, reverse=True))


def find_key(
    address: Address, environ: Mapping[str, str], file: str | None = None, *, trusted: bool = True, needed: bool = True
) -> Key | None:
    """The key for an endpoint; None where it needs none, or none is configured for it.

    ``--api-key-file`` and ``VSGEN_API_KEY`` are for the endpoint that the user names. ``OPENAI_API_KEY`` is for
    OpenAI's host, or for that of ``OPENAI_BASE_URL``, ``ANTHROPIC_API_KEY`` for Anthropic's.

    Args:
        address: The endpoint.
        environ: The environment's variables.
        file: What is in the file of ``--api-key-file``; None without the option.
        trusted: A flag or the environment names the endpoint. What only a template names gets no key.
        needed: It is an error if a provider's host has none; else its server is the one to refuse.

    Raises:
        OptionError: What is configured cannot be a key, or a provider's host has none.
    """
    if not trusted:
        return None
    if file is not None:
        return _key(file, address, "--api-key-file")
    for name in ("VSGEN_API_KEY", *_provider_keys(address, environ)):
        if environ.get(name):
            return _key(environ[name], address, name)
    own = {OPENAI: "OPENAI_API_KEY", ANTHROPIC: "ANTHROPIC_API_KEY"}.get(address.host)
    if needed and own is not None:
        raise OptionError(
            f"{address.host}: no API key; set {own} or VSGEN_API_KEY, or give --api-key-file "
            f"(keys go to {address.host} by https only)"
        )
    return None


def key_text(file: Path, where: str) -> str:
    """The key in a file.

    Raises:
        OptionError: It cannot be read, or holds no key.
    """
    try:
        return _secret(file.read_text("utf-8"), f"{where} {file}", "put the API key there")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise OptionError(f"{where} {file}: {why}; give a file that holds the key alone") from None


def provider_key(address: Address, environ: Mapping[str, str]) -> Key | None:
    """The key for a further endpoint that the user allows: only a provider's own variable can be meant for it.

    Raises:
        OptionError: What is configured cannot be a key.
    """
    name = next((name for name in _provider_keys(address, environ) if environ.get(name)), None)
    return None if name is None else _key(environ[name], address, name)


def _provider_keys(address: Address, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The providers' own variables whose keys may go there."""
    names = []
    if address.origin == f"https://{OPENAI}:443" or _is_base_url(address, environ):
        names.append("OPENAI_API_KEY")
    if address.origin == f"https://{ANTHROPIC}:443":
        names.append("ANTHROPIC_API_KEY")
    return tuple(names)


def _is_base_url(address: Address, environ: Mapping[str, str]) -> bool:
    url = environ.get("OPENAI_BASE_URL")
    try:
        return bool(url) and read_address(url or "", "OPENAI_BASE_URL").origin == address.origin
    except OptionError:  # it is not the endpoint; whoever uses it reports it
        return False


def _key(text: str, address: Address, source: str) -> Key:
    return Key(_secret(text, source, f"put the API key of {address.host} there"), address.origin, source)


def _secret(text: str, source: str, remedy: str) -> str:
    """The key that a text is, but for space around it."""
    secret = text.strip()
    if not secret:
        raise OptionError(f"{source}: empty; {remedy}")
    if len(secret) > _LONGEST or not all("!" <= one <= "~" for one in secret):
        raise OptionError(
            f"{source}: not an API key: give one word of at most {_LONGEST:,} printable ASCII characters, alone"
        )
    return secret
