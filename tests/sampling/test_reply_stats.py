"""What each reply of a draw yielded."""

from __future__ import annotations

from vsgen.sampling.replies.items import CUT_REPLY, TRUNCATED
from vsgen.sampling.reply_stats import ReplyStats, reply_stats
from vsgen.values import Candidate, Distribution, Malformed


def test_replies_stand_in_their_order_with_what_they_state() -> None:
    drawn = Distribution(
        "verbalized",
        (
            Candidate({"text": "b"}, 0.2, 0.3, reply=2),
            Candidate({"text": "a"}, 0.2, 0.1, reply=0),
            Candidate({"text": "c"}, 0.2, None, reply=2, flags=(TRUNCATED,)),
        ),
        (Malformed("hm", 0.2, "the reply holds no list of responses", 1), Malformed("{", 0.2, CUT_REPLY, 3)),
    )
    assert reply_stats(drawn) == (
        ReplyStats(1, (0.1,), False),
        ReplyStats(0, (), False),
        ReplyStats(2, (0.3,), True),
        ReplyStats(0, (), True),
    )


def test_a_draw_without_replies_has_none() -> None:
    assert reply_stats(Distribution("uniform", ())) == ()
