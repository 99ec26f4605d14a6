"""The power goes at any moment: what is left goes on to the bytes of an undisturbed run, and claims nothing untrue."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.attacks import cuts
from tests.attacks.cuts import Way
from tests.attacks.power import MERCIES, Act, Disk, Mercy, Recording, compiled
from tests.jobs.test_carry import Numbers, carried
from vsgen.files.appended import Appended
from vsgen.files.ends import END
from vsgen.files.places import Places


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = compiled(tmp_path_factory.mktemp("shim"))
    if made is None:
        pytest.skip("no C compiler, or a system without LD_PRELOAD")
    return made


@pytest.fixture(scope="module")
def fresh(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> Way:
    return cuts.recorded(shim, "run by hashes", tmp_path_factory.mktemp("fresh"))


def found(way: Way, folder: Path) -> set[str]:
    """The problems of all cuts with all mercies."""
    rng = Random(0)
    return {
        problem
        for at in range(len(way.recording.acts) + 1)
        for mercy in MERCIES
        for problem in cuts.problems(way, cuts.torn(way, at, mercy, rng, folder / "cut"))
    }


@pytest.mark.slow
def test_no_cut_leaves_a_torn_file_or_a_journal_that_says_more_than_is_there(fresh: Way, tmp_path: Path) -> None:
    assert found(fresh, tmp_path) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unsynced", "harm"),
    [
        ("out.jsonl.part", "out.jsonl is torn"),
        ("out.jsonl.journal", "a whole file has lost replies that it was made from"),
    ],
)
def test_the_same_cuts_do_harm_where_a_file_is_not_synced(fresh: Way, tmp_path: Path, unsynced: str, harm: str) -> None:
    acts = fresh.recording.acts
    inodes = {act.inode for act in acts if act.kind == "O" and act.path.name == unsynced}
    kept = tuple(act for act in acts if act.kind not in "SE" or act.inode not in inodes)
    assert harm in found(replace(fresh, recording=replace(fresh.recording, acts=kept)), tmp_path)


@pytest.mark.slow
def test_what_a_cut_left_goes_on_to_the_same_bytes(fresh: Way, tmp_path: Path) -> None:
    rng, context = Random(1), cuts.processes()
    for at, mercy in zip(cuts.cut_points(fresh.recording.acts, rng, 5), MERCIES, strict=True):
        folder = cuts.torn(fresh, at, mercy, rng, tmp_path / "cut")
        assert cuts.ends_as_undisturbed(context, fresh, folder) is None, (at, mercy)


def act(kind: str, inode: int = 1, at: int = 0, data: bytes = b"") -> Act:
    return Act(kind, 0.0, inode, at, data)


def test_a_cut_leaves_what_was_synced_and_no_more_than_was_written(tmp_path: Path) -> None:
    """The disk itself: names are the folder's, a sync covers what came before it began, and pages come as they will."""
    (tmp_path / "before").mkdir()
    recording = Recording(Path("/f"), tmp_path / "before", {}, ())
    root, made = act("O", 9, data=b"/f"), act("O", at=1, data=b"/f/a")
    first, second = act("W", data=b"x" * 5000), act("W", at=5000, data=b"y" * 5000)
    covered = [made, first, act("S"), second, act("E")]

    def left(acts: list[Act], mercy: Mercy) -> set[bytes | None]:
        states = set[bytes | None]()
        for seed in range(40):
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            Disk(recording, acts).left(folder, mercy, Random(seed))
            paths = list(folder.iterdir())
            states.add(paths[0].read_bytes() if paths else None)
        return states

    named = [root, *covered, act("S", 9), act("E", 9)]
    assert left([root, *covered], "nothing") == {None}
    assert left(named, "nothing") == {b"x" * 5000}
    assert left(named, "names") == {b"x" * 5000 + bytes(5000)}
    assert left(named, "prefix") == {b"x" * 5000, b"x" * 5000 + b"y" * 5000}
    assert left(named, "all") == {b"x" * 5000 + b"y" * 5000}
    pages = left(named, "pages")
    assert b"x" * 5000 + bytes(3192) + b"y" * 1808 in pages
    assert all(state is not None and state.startswith(b"x" * 5000) for state in pages)


def test_the_journal_and_the_rows_are_on_the_disk_before_a_file_appears_and_its_name_before_the_end_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace_, append = os.fdatasync, Path.replace, Appended.append

    def synced(file: int) -> None:
        sync(file)
        done.append(f"sync {Path(f'/proc/self/fd/{file}').readlink().relative_to(tmp_path)}")

    def replaced(old: Path, new: Path) -> Path:
        done.append(f"{old.name} becomes {new.name}")
        return replace_(old, new)

    def appended(file: Appended, data: bytes) -> int:
        if data.startswith(END):
            done.append("the end is said")
        return append(file, data)

    monkeypatch.setattr("os.fdatasync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(Appended, "append", appended)
    list(carried(Numbers(Places(tmp_path / "out", tmp_path / "rejects"), [1, 2], held=True)))
    assert done[-9:] == [
        "sync out.journal",
        "sync rejects.part",
        "rejects.part becomes rejects",
        "sync .",
        "sync out.part",
        "out.part becomes out",
        "sync .",
        "the end is said",
        "sync out.journal",
    ]
