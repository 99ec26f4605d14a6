"""An alarm comes after the first draws, and each only once."""

from __future__ import annotations

from tests.verdict.drawing import outcome, record, reject, template
from vsgen.sampling.reply_stats import ReplyStats
from vsgen.values import Unlabelled
from vsgen.verdict.setup import Setup
from vsgen.verdict.watch import Watch

LOST = outcome([], [reject("malformed")], [ReplyStats(0)])
FINE = outcome([record()] * 5)


def test_the_first_look_comes_after_four_draws() -> None:
    watch = Watch(Setup(template()))
    alarms = [watch.add(LOST) for _ in range(4)]
    assert alarms[:3] == [[], [], []]
    (alarm,) = alarms[3]
    assert alarm.startswith("after 4 draws: 100% of 4 replies contain no readable answer")


def test_many_candidates_are_enough_for_a_first_look() -> None:
    watch = Watch(Setup(template()))
    (alarm,) = watch.add(outcome([record()], [reject("placeholder")] * 20))
    assert "after 1 draws" in alarm


def test_an_alarm_is_raised_once_and_later_looks_find_what_came_later() -> None:
    watch = Watch(Setup(template()))
    first = [alarm for _ in range(4) for alarm in watch.add(LOST)]
    later = [alarm for _ in range(60) for alarm in watch.add(outcome([record(mass=0.001)]))]
    assert len(first) == 1
    assert len(later) == 1
    assert "label mood" in later[0]


def test_a_good_run_raises_none() -> None:
    watch = Watch(Setup(template()))
    assert not [alarm for _ in range(50) for alarm in watch.add(FINE)]
    assert not watch.verdict().bad


def test_rows_that_are_only_labelled_are_watched_too() -> None:
    watch = Watch(Setup(template()))
    alarms = [alarm for i in range(60) for alarm in watch.add_row(record(mass=1e-5, good=i / 60).labels)]
    (alarm,) = alarms
    assert alarm.startswith("after 20 rows: label mood")
    assert watch.verdict().bad
    assert "candidates" not in " ".join(watch.verdict().figures)


def test_the_last_row_of_a_run_raises_none_since_the_verdict_follows() -> None:
    watch = Watch(Setup(template()))
    assert not [alarm for i in range(20) for alarm in watch.add_row(record(mass=1e-5, good=i / 60).labels, 20)]
    assert watch.verdict().bad


def test_labels_that_could_not_be_made_are_counted() -> None:
    watch = Watch(Setup(template()))
    for i in range(10):
        watch.add_row({"mood": Unlabelled("too long")})
        watch.add_row(record(mass=0.9, good=i / 10).labels)
    (finding,) = watch.verdict().findings
    assert (finding.name, finding.level) == ("unlabelled", "bad")
    assert finding.text == "50% of 20 labels could not be made"
