"""What a server can do as the user states it, for commands that cannot examine it.

A statement is a list such as ``vllm`` or ``json_schema=strict,top_logprobs=20``: a family of servers, members of
`Abilities`, or both; what is not in it is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Final

from pydantic import TypeAdapter, ValidationError

from vsgen.backends.endpoint.wire import Abilities
from vsgen.errors import OptionError

FAMILIES: Final[Mapping[str, Abilities]] = {
    "vllm": Abilities(
        json_schema="full",
        pattern=True,
        logprobs=True,
        top_logprobs=20,
        prompt_logprobs=True,
        seed=True,
        prefill=True,
        top_k=True,
    ),
    "openai": Abilities(json_schema="strict", logprobs=True, top_logprobs=20, max_completion_tokens=True),
}
"""What most servers of a family can do, by their documentation."""
_NAMES: Final = tuple(field.name for field in fields(Abilities))
_TYPE: Final = TypeAdapter(Abilities)


def read_abilities(text: str, source: str) -> Abilities:
    """The abilities that a user states.

    Args:
        text: A list, separated by commas.
        source: The option, for messages.

    Raises:
        OptionError: It names something else.
    """
    members: dict[str, object] = {}
    for item in filter(None, (one.strip() for one in text.split(","))):
        name, given, value = item.partition("=")
        if not given and name in FAMILIES:
            members |= asdict(FAMILIES[name])
        elif name in _NAMES:
            members |= _member(name, value if given else "true", source)
        else:
            known = ", ".join((*FAMILIES, *_NAMES))
            raise OptionError(f"{source}: no ability named {name!r}; give a list of {known}")
    return _TYPE.validate_python(members)


def _member(name: str, value: str, source: str) -> dict[str, object]:
    try:
        return {name: getattr(_TYPE.validate_strings({name: value}), name)}
    except ValidationError:
        raise OptionError(f"{source}: {name}={value}: not a value of {name}; see docs/endpoints.md") from None
