"""Variables of the environment that are in force; values that may be secret are not shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from vsgen.backends.endpoint.address import read_address
from vsgen.errors import OptionError
from vsgen.jobs.health.finding import Finding

_GROUP = "environment"
_OURS: Final = re.compile(
    r"VSGEN_\w+|HF_\w+|HUGGINGFACE_\w+|TRANSFORMERS_\w+|TOKENIZERS_PARALLELISM|XDG_CACHE_HOME"
    r"|(CUDA|HIP|NVIDIA)_VISIBLE_DEVICES|PYTORCH_\w+|(OMP|MKL|OPENBLAS)_NUM_THREADS"
    r"|OPENAI_(BASE_URL|API_KEY)|ANTHROPIC_API_KEY|SSL_CERT_FILE"
    r"|TMPDIR|NO_COLOR|FORCE_COLOR|TERM|COLUMNS|(https?|no|all)_proxy",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(r"TOKEN(?!IZERS)|KEY|SECRET|PASSW|CREDENTIAL|AUTH|_proxy$", re.IGNORECASE)
_SERVERS: Final = ("VSGEN_ENDPOINT", "OPENAI_BASE_URL")
"""Hold the URL of a server; the first one that is set counts."""


def environment(variables: Mapping[str, str]) -> Iterator[Finding]:
    """Those that change what vsgen or the libraries below it do, sorted."""
    found = {name: value for name, value in sorted(variables.items()) if _OURS.fullmatch(name) and value}
    for name, value in found.items():
        if name in _SERVERS:
            yield _server(name, value, found)
        else:
            yield Finding(_GROUP, name, "set (not shown)" if _SECRET.search(name) else value)
    if not found:
        yield Finding(_GROUP, "variables", "none is set")


def _server(name: str, url: str, found: Mapping[str, str]) -> Finding:
    """A variable that names a server; its URL may hold a password, which is then not shown."""
    try:
        base = read_address(url, name).base
    except OptionError as error:
        return Finding(_GROUP, name, str(error), "problem", "set another value, or unset it", error.status)
    if name != _SERVERS[0] and _SERVERS[0] in found:
        return Finding(_GROUP, name, f"{base}; {_SERVERS[0]} is used instead")
    text = f"{base}: asked for models that are not on this machine"
    return Finding(_GROUP, name, text, remedy=f"vsgen doctor --endpoint {base} examines it")
