"""The table of calibration figures."""

from __future__ import annotations

from vsgen.metrics.calibration import Rows
from vsgen.report.measured import Measured, measured
from vsgen.report.table import calibration_table

SIDES = [[1.0, 0.0], [0.0, 1.0]]


def column(name: str, probs: Rows, gold: Rows, masses: list[float] | None = None) -> Measured:
    return measured(name, probs, gold, [[0.5, 0.5]] * len(probs), masses=masses)


def test_columns_are_aligned_and_means_have_their_standard_errors() -> None:
    before = column("before", [[0.9, 0.1], [0.8, 0.2]] * 500, SIDES * 500, [0.5] * 1000)
    after = column("after, held out", [[0.6, 0.4], [0.5, 0.5]] * 500, SIDES * 500)
    header, *rows, floor = calibration_table("category", [before, after])
    assert header.split() == ["category:", "1,000", "known", "before", "after,", "held", "out"]
    assert {len(row) for row in (header, *rows[:5])} == {len(header)} and len(header) <= 80
    assert [row[2:].split("  ")[0] for row in rows[:3]] == ["accuracy", "log loss, nats", "skill"]
    assert rows[0].endswith("0.5000 ± 0.0158")
    loss = after.quality.log_loss
    assert f"{loss.value:.4f} ± {loss.error:.4f}" in rows[1]
    assert f"{after.skill.value:.4f} ± {after.skill.error:.4f}" in rows[2]
    assert rows[5].split()[-1] == f"{before.unnormalised:.4f}"
    assert "the class prior has a log loss of 0.6931" in floor


def test_an_infinite_log_loss_is_explained() -> None:
    *lines, told = calibration_table("mood", [column("before", [[1.0, 0.0], [0.5, 0.5]], [[0, 1], [1, 0]])])
    assert "inf" in lines[2].split()
    assert told == "mood before: 1 row gives its right class probability 0, so the log loss is infinite"
    *_, plural = calibration_table("mood", [column("", [[1.0, 0.0]] * 2, [[0, 1]] * 2)])
    assert plural.startswith("mood: 2 rows give their right class")
