"""The cache of the hub is found where the hub's own library has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
from huggingface_hub import constants
from vsgen.backends.hub import hub_cache
assert str(hub_cache()) == constants.HF_HUB_CACHE, (hub_cache(), constants.HF_HUB_CACHE)
"""
VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CACHE_HOME": "/x/cache"},
        {"HF_HOME": "~/$PLACE", "PLACE": "hf"},
        {"HF_HOME": "/x", "HUGGINGFACE_HUB_CACHE": "/x/old"},
        {"HF_HOME": "/x", "HF_HUB_CACHE": "/x/new"},
    ],
)
def test_the_cache_is_where_the_library_of_the_hub_has_it(variables: dict[str, str], tmp_path: Path) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment = {**plain, "HOME": str(tmp_path), **variables}
    subprocess.run([sys.executable, "-c", PROBE], env=environment, check=True)
