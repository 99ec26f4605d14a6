"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a timing never fails a test
settings.load_profile("untimed")
