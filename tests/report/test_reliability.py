"""The reliability plot: its files, and what a reader finds in them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vsgen.errors import OptionError, OutputError
from vsgen.metrics.calibration import one_hot
from vsgen.report.reliability import Curve, curve, ensure_drawable, save_reliability

ROWS = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.55, 0.45], [1.0, 0.0]]


def gold(*right: int) -> list[list[float]]:
    return [one_hot(at, 2) for at in right]


def curves(*labels: str) -> list[Curve]:
    return [
        one
        for label in labels or ("category",)
        for one in (curve(label, "before", ROWS, gold(0, 1, 0, 1, 0)), curve(label, "after", ROWS, gold(0, 0, 0, 1, 0)))
    ]


@pytest.mark.parametrize(
    ("ending", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_the_ending_names_the_format_and_the_same_curves_give_the_same_bytes(
    tmp_path: Path, ending: str, begins: bytes
) -> None:
    one, other = tmp_path / f"one{ending}", tmp_path / f"other{ending}"
    save_reliability(one, curves())
    save_reliability(other, curves())
    assert one.read_bytes().startswith(begins)
    assert one.read_bytes() == other.read_bytes()


def test_another_ending_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"plot\.gif: a plot's file must end in \.png, \.svg, \.pdf, got '\.gif'"):
        save_reliability(tmp_path / "plot.gif", curves())
    with pytest.raises(OptionError, match="got 'no ending'"):
        ensure_drawable(tmp_path / "plot")
    assert not list(tmp_path.iterdir())


def test_a_missing_matplotlib_names_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OptionError, match=r"a plot needs matplotlib \(not installed\); install the extra plots: "):
        save_reliability(tmp_path / "plot.png", curves())


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"missing/plot\.png: No such file"):
        save_reliability(tmp_path / "missing" / "plot.png", curves())


def test_names_that_mean_something_to_matplotlib_or_that_its_font_lacks_are_drawn_as_text(tmp_path: Path) -> None:
    save_reliability(tmp_path / "plot.svg", curves("$broken", "a_b", "類別", "_hidden"))
    drawn = (tmp_path / "plot.svg").read_text()
    assert "<!-- $broken -->" in drawn
    assert "<!-- a_b -->" in drawn


def test_the_legend_states_the_figures_of_each_curve(tmp_path: Path) -> None:
    made = curves()
    save_reliability(tmp_path / "plot.svg", made)
    drawn = (tmp_path / "plot.svg").read_text()
    for one in made:
        found = one.quality
        said = f"ECE {found.ece:.3f}, Brier {found.brier.value:.3f}, log loss {found.log_loss.value:.3f}"
        assert f"<!-- {one.state}: {said} -->" in drawn


def test_pyplot_and_the_settings_of_matplotlib_are_left_alone(tmp_path: Path) -> None:
    import matplotlib
    from matplotlib._pylab_helpers import Gcf

    before = dict(matplotlib.rcParams)
    save_reliability(tmp_path / "plot.png", curves())
    assert dict(matplotlib.rcParams) == before
    assert not Gcf.get_all_fig_managers()
