"""The table of calibration figures."""

from __future__ import annotations

from vsgen.metrics.calibration import quality
from vsgen.report.table import calibration_table


def test_columns_are_aligned_and_means_have_their_standard_errors() -> None:
    before = quality([[0.9, 0.1], [0.8, 0.2]], [0, 1])
    after = quality([[0.6, 0.4], [0.5, 0.5]] * 500, [0, 1] * 500)
    header, first, second = calibration_table([("category before", before), ("category after", after)])
    assert len(header) == len(first) == len(second)
    assert first.split()[:5] == ["category", "before", "2", "0.5000", "±"]
    assert f"{after.log_loss.value:.4f} ± {after.log_loss.error:.4f}" in second
    assert header.split() == ["n", "accuracy", "log", "loss,", "nats", "Brier", "ECE"]


def test_an_infinite_log_loss_is_explained() -> None:
    lines = calibration_table([("before", quality([[1.0, 0.0], [0.5, 0.5]], [1, 0]))])
    assert "inf" in lines[1].split()
    assert lines[2] == "before: 1 row gives its right class probability 0, so the log loss is infinite"
    *_, plural = calibration_table([("after", quality([[1.0, 0.0]] * 2, [1, 1]))])
    assert plural.startswith("after: 2 rows give their right class")
