"""The cache of the hub is found where the hub's own library has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vsgen.backends.hub import cached_repositories, hub_cache

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


def test_whoever_has_no_home_has_an_empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    for name in (*VARIABLES, "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert hub_cache() == Path("~/.cache/huggingface/hub")
    assert not [*cached_repositories()]


@pytest.mark.parametrize("damaged", [b"", b"\xff\xfe", b"no-such-commit"])
def test_a_repository_whose_entry_is_damaged_is_not_cached(
    damaged: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for repo, commit in (("a", b"abc"), ("b", damaged), ("c", b"abc")):
        (tmp_path / f"models--org--{repo}" / "snapshots" / "abc").mkdir(parents=True)
        (tmp_path / f"models--org--{repo}" / "refs").mkdir()
        (tmp_path / f"models--org--{repo}" / "refs" / "main").write_bytes(commit)
    assert [*cached_repositories()] == ["org/a", "org/c"]
