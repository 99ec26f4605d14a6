"""Variables of the environment that are in force; values that may be secret are not shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from vsgen.jobs.health.finding import Finding

_GROUP = "environment"
_OURS: Final = re.compile(
    r"VSGEN_\w+|HF_\w+|HUGGINGFACE_\w+|TRANSFORMERS_\w+|TOKENIZERS_PARALLELISM|XDG_CACHE_HOME"
    r"|(CUDA|HIP|NVIDIA)_VISIBLE_DEVICES|PYTORCH_\w+|(OMP|MKL|OPENBLAS)_NUM_THREADS"
    r"|TMPDIR|NO_COLOR|FORCE_COLOR|TERM|COLUMNS|(https?|no|all)_proxy",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(r"TOKEN(?!IZERS)|KEY|SECRET|PASSW|CREDENTIAL|AUTH|_proxy$", re.IGNORECASE)


def environment(variables: Mapping[str, str]) -> Iterator[Finding]:
    """Those that change what vsgen or the libraries below it do, sorted."""
    found = {name: value for name, value in sorted(variables.items()) if _OURS.fullmatch(name) and value}
    for name, value in found.items():
        yield Finding(_GROUP, name, "set (not shown)" if _SECRET.search(name) else value)
    if not found:
        yield Finding(_GROUP, "variables", "none is set")
