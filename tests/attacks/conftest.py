"""What attacks share with other tests."""

from __future__ import annotations

from tests.cli.conftest import vsgen

__all__ = ["vsgen"]
