"""A second request is sent for a slow one only where that is known to help, and seldom."""

from __future__ import annotations

from vsgen.backends.endpoint.hedging import Hedging


def known(times: list[float]) -> Hedging:
    hedging = Hedging()
    for seconds in times:
        hedging.took(seconds)
    return hedging


def test_nothing_is_sent_again_before_it_is_known_how_long_requests_take() -> None:
    assert known([1.0] * 39).after is None
    assert known([1.0] * 40).after == 2.0


def test_only_what_is_slower_than_nine_of_ten_and_twice_the_usual_is_sent_again() -> None:
    assert known([1.0] * 30 + [5.0] * 6 + [9.0] * 4).after == 5.0
    assert known([float(i) for i in range(1, 41)]).after == 40.0
    assert known([1.0] * 38 + [9.0, 9.0]).after == 2.0


def test_second_requests_are_at_most_one_in_twenty_and_a_few() -> None:
    hedging, sent = known([1.0] * 40), 0
    for _ in range(1000):
        if hedging.after is not None:
            hedging.sent += 1
            hedging.won += 1
        hedging.took(1.0)
    sent = hedging.sent
    assert 0.04 * 1040 <= sent <= 0.05 * 1040 + 4


def test_what_was_mostly_in_vain_is_not_tried_any_more() -> None:
    hedging = known([1.0] * 400)
    hedging.sent, hedging.won = 12, 5
    assert hedging.after is None
    hedging.won = 6
    assert hedging.after == 2.0
