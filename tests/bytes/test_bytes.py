"""The bytes that commands write are those that are stored: `python -m tests.bytes` says which are not."""

from __future__ import annotations

import pytest

from tests.bytes.cases import cases
from tests.bytes.digests import differences, stored, written


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if case.slow else ()) for name, case in cases().items()]
)
def test_a_command_writes_the_stored_bytes(name: str) -> None:
    assert differences(stored()[name], written(cases()[name])) == []


def test_what_is_stored_is_what_is_run() -> None:
    assert stored().keys() == cases().keys()
    assert any(not case.slow for case in cases().values())
