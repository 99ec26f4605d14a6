"""What labels of a real model say of human ratings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.real import MODEL
from tests.real.human import raw
from tests.real.labels import CHAT, FREE, labels
from tests.real.ratings import REPORTED, rated
from vsgen.files.journal import MemoryJournal
from vsgen.jobs.desk import Desk
from vsgen.jobs.wanted import ModelChoice, Wanted

SOME = 32


@pytest.mark.slow
@pytest.mark.skipif(not MODEL.exists(), reason="make test fetches the real model")
@pytest.mark.xdist_group("real")
def test_examples_in_plain_text_say_more_of_human_ratings_than_the_class_prior_and_a_bare_question_says_less() -> None:
    desk, texts = Desk(Wanted(ModelChoice(str(MODEL))), MemoryJournal()), rated(REPORTED)[:SOME]
    gold = np.array([one.probs for one in texts])
    shown, bare = (raw(labels(desk, way.section, texts).probs, gold).skill.value for way in (FREE, CHAT))
    assert shown > 0.05
    assert bare < 0
