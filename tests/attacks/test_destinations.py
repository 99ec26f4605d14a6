"""Links stay links, and devices, pipes and sockets stay what they are, whatever is written to them and with what flags.

No device of the system is touched: nodes are made in a folder of the test's own, where its user may make some.
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.conftest import Vsgen, vsgen
from tests.jobs.test_carry import Numbers, carried, lines
from vsgen.errors import OutputError
from vsgen.files.lines import ThroughLines
from vsgen.files.places import Places

__all__ = ["vsgen"]

ROWS = ("run", "jokes", "-n", "2", "-m", "tiny", "-q", "--set", "dedup.embedder=hash")
LABELLED = '{"text": "x", "labels": {"a": {"probs": {"b": 0.5, "c": 0.5}}}}\n'
COMMANDS = {
    "run": ROWS,
    "targets": ("targets", "-q"),
    "jsonl": ("export", "labelled.jsonl", "--to", "jsonl", "-q"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelled.jsonl").write_text(LABELLED)
    return tmp_path


@pytest.fixture
def reader(folder: Path) -> Iterator[tuple[Path, list[bytes]]]:
    """A named pipe, and what was read from it once it was closed."""
    os.mkfifo(folder / "pipe")
    read: list[bytes] = []
    thread = Thread(target=lambda: read.append((folder / "pipe").read_bytes()))
    thread.start()
    yield folder / "pipe", read
    thread.join(60)


def node(kind: int, major: int, minor: int) -> Path:
    try:
        os.mknod("node", 0o600 | kind, os.makedev(major, minor))
    except PermissionError:
        pytest.skip("only root makes devices")
    return Path("node")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"labelled.jsonl"}


@pytest.mark.parametrize("flags", [(), ("--overwrite",)], ids=["", "overwrite"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_device_is_written_through_and_stays_one(
    vsgen: Vsgen, folder: Path, command: str, flags: tuple[str, ...]
) -> None:
    null = node(stat.S_IFCHR, 1, 3)
    ended = vsgen(*COMMANDS[command], "-o", null, *flags)
    assert ended.exit_code == 0, ended.stderr
    assert null.is_char_device() and names(folder) == {"node"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_device_names_no_flag_that_would_not_help(vsgen: Vsgen, command: str) -> None:
    ended = vsgen(*COMMANDS[command], "-o", node(stat.S_IFCHR, 1, 7))
    assert ended.exit_code == 4
    assert "No space left on device; free some space, then run the same command again\n" in ended.stderr


@pytest.mark.parametrize("name", [".", "/", "folder"])
def test_a_journal_that_is_a_folder_is_refused(vsgen: Vsgen, folder: Path, name: str) -> None:
    (folder / "folder").mkdir()
    ended = vsgen(*COMMANDS["run"], "-o", "out.jsonl", "--journal", name)
    assert ended.exit_code == 2 and "is a directory; name a file in it" in ended.stderr
    assert names(folder) == {"folder"}


def test_a_device_that_is_not_there_is_no_pipe_to_wait_for(folder: Path) -> None:
    said: list[str] = []
    with pytest.raises(OutputError, match="node: cannot be written: No such device"):
        ThroughLines(node(stat.S_IFCHR, 261, 0), said.append)
    assert said == []


@pytest.mark.parametrize("data", ["data", "data.parquet"])
def test_a_dataset_that_finds_no_room_is_named_and_leaves_nothing(vsgen: Vsgen, folder: Path, data: str) -> None:
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, room[1]))
    try:
        ended = vsgen("export", "labelled.jsonl", "--to", "datasets", "-o", data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert ended.exit_code == 4 and re.match(rf"vsgen: {data}: cannot be written: .+; ", ended.stderr), ended.stderr
    assert names(folder) == set()


@pytest.mark.parametrize("plant", [Path.mkdir, os.mkfifo, lambda part: part.symlink_to("nowhere")])
@pytest.mark.parametrize("command", ["run", "jsonl"])
def test_what_is_planted_in_the_place_of_a_part_is_named(
    vsgen: Vsgen, folder: Path, command: str, plant: Callable[[Path], object]
) -> None:
    plant(folder / "out.jsonl.part")
    ended = vsgen(*COMMANDS[command], "-o", "out.jsonl", "--overwrite")
    assert ended.exit_code == 4 and "out.jsonl.part: is not a regular file; move it away" in ended.stderr
    assert names(folder) == {"out.jsonl.part"}


def test_rejects_and_counts_through_a_device_leave_it_one(vsgen: Vsgen, folder: Path) -> None:
    null = node(stat.S_IFCHR, 1, 3)
    ended = vsgen(*ROWS, "-o", "out.jsonl", "--rejects", null, "--summary", null, "--overwrite")
    assert ended.exit_code == 0, ended.stderr
    assert null.is_char_device() and len(lines(folder / "out.jsonl")) == 2
    assert names(folder) == {"node", "out.jsonl", "out.jsonl.journal", "out.jsonl.vectors"}
    again = vsgen(*(word for word in ROWS if word != "-q"), "-o", "out.jsonl", "--rejects", null, "--resume")
    assert "is complete already" in again.stderr and null.is_char_device()


@pytest.mark.parametrize("command", COMMANDS)
def test_rows_through_a_pipe_are_those_of_a_file_and_leave_no_file(
    vsgen: Vsgen, folder: Path, reader: tuple[Path, list[bytes]], command: str
) -> None:
    pipe, read = reader
    assert vsgen(*COMMANDS[command], "-o", pipe, "--overwrite").exit_code == 0
    assert pipe.is_fifo() and names(folder) == {"pipe"}
    assert vsgen(*COMMANDS[command], "-o", "file").exit_code == 0
    assert read == [Path("file").read_bytes()]


def test_a_pipe_that_nobody_reads_is_said_and_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    said, read = list[str](), list[bytes]()
    thread = Thread(target=lambda: read.append((folder / "pipe").read_bytes()))

    def warn(text: str) -> None:
        said.append(text)
        thread.start()

    with ThroughLines(folder / "pipe", warn) as rows:
        rows.write([{"n": 1}])
    thread.join(60)
    assert said == [f"{folder}/pipe: is a pipe without a reader; waiting for one"] and read == [b'{"n":1}\n']


def test_a_journal_that_is_named_keeps_what_goes_through_a_pipe(vsgen: Vsgen, folder: Path) -> None:
    read, write = os.pipe()
    assert vsgen(*ROWS, "-o", f"/dev/fd/{write}", "--journal", "calls").exit_code == 0
    assert names(folder) == {"calls", "calls.vectors"} and b'"kind":"generate"' in Path("calls").read_bytes()
    refused = vsgen(*ROWS, "-o", f"/dev/fd/{write}", "--resume")
    assert refused.exit_code == 2 and "--resume needs -o FILE (or --journal FILE)" in refused.stderr
    again = vsgen(*(word for word in ROWS if word != "-q"), "-o", f"/dev/fd/{write}", "--journal", "calls", "--resume")
    assert again.exit_code == 0 and "calls made now: none" in again.stderr
    os.close(write)
    with os.fdopen(read, "rb") as rows:
        once, twice = (data := rows.read())[: len(data) // 2], data[len(data) // 2 :]
    assert once == twice and once.count(b"\n") == 2


def test_a_reader_that_goes_ends_a_run_quietly_unless_a_file_would_be_missing(vsgen: Vsgen, folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = vsgen(*ROWS, "-o", f"/dev/fd/{write}")
    assert (ended.exit_code, ended.stderr) == (0, "")
    with pytest.raises(OutputError, match="Broken pipe"):
        list(carried(Numbers(Places(Path("file"), Path(f"/dev/fd/{write}")), [1], held=True)))
    os.close(write)
    assert not Path("file").exists() and Path("file.part").exists()


@pytest.mark.parametrize("name", ["/dev/stdout", "link"])
def test_a_file_behind_standard_output_keeps_what_it_has(folder: Path, name: str) -> None:
    Path("link").symlink_to("/dev/stdout")
    out = folder / "rows.jsonl"
    out.write_text("what was there before\n")
    with out.open("ab") as appended:
        command = [sys.executable, "-m", "vsgen", "targets", "-q", "-o", name, "--overwrite"]
        subprocess.run(command, stdout=appended, check=True)
    first, *rest = out.read_text().splitlines()
    assert first == "what was there before" and len(rest) > 100
    assert names(folder) == {"rows.jsonl", "link"} and Path("link").is_symlink()


def test_rejects_and_counts_go_on_where_an_open_file_is(folder: Path) -> None:
    with (folder / "all").open("wb", buffering=0) as opened:
        opened.write(b"what was there before\n")
        name = Path(f"/dev/fd/{opened.fileno()}")
        for places in (Places(Path("one"), name), Places(Path("two"), summary=name)):
            list(carried(Numbers(places, [1, 2], held=True)))
    first, *rest = (folder / "all").read_text().splitlines()
    assert first == "what was there before" and [json.loads(line).get("n") for line in rest] == [1, 2, None]


def refusals() -> dict[str, tuple[Callable[[], str], str]]:
    def block() -> str:
        return str(node(stat.S_IFBLK, 7, 200))

    def local_socket() -> str:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket")
        return "socket"

    def directory() -> str:
        Path("directory").mkdir()
        return "directory"

    def circle() -> str:
        Path("here").symlink_to("there")
        Path("there").symlink_to("here")
        return "here"

    def read_only() -> str:
        return f"/dev/fd/{os.open('labelled.jsonl', os.O_RDONLY)}"

    return {
        "block device": (block, "is a block device or a socket"),
        "socket": (local_socket, "is a block device or a socket"),
        "folder": (directory, "is a directory; name a file in it"),
        "circle": (circle, "its symbolic links form a loop"),
        "no device": (lambda: "/dev/nulll", "is not a device, and no file can be created there"),
        "not open": (lambda: "/dev/fd/987", "is not open for writing"),
        "read only": (read_only, "is not open for writing"),
    }


@pytest.mark.parametrize("what", refusals())
def test_what_cannot_be_written_is_refused_before_any_work(vsgen: Vsgen, folder: Path, what: str) -> None:
    make, message = refusals()[what]
    name = make()
    before = names(folder)
    for files in (("-o", name), ("-o", "out", "--rejects", name), ("-o", "out", "--summary", name)):
        ended = vsgen(*ROWS, *files, "--overwrite")
        assert ended.exit_code == 2 and f"{name}: {message}" in ended.stderr
        assert names(folder) == before


@pytest.mark.parametrize("kind", ["relative", "absolute", "chain", "dangling"])
def test_a_link_stays_and_all_lies_beside_the_file_it_leads_to(vsgen: Vsgen, folder: Path, kind: str) -> None:
    real, link = folder / "real", folder / "link.jsonl"
    real.mkdir()
    rejects = folder / "rejects.jsonl"
    rejects.symlink_to("real/rejects.jsonl")
    first = {"absolute": str(real / "out.jsonl"), "chain": "second"}.get(kind, "real/out.jsonl")
    (folder / "second").symlink_to("real/out.jsonl")
    link.symlink_to(first)
    if kind != "dangling":
        (real / "out.jsonl").write_text("old\n")
    words = (*(word for word in ROWS if word != "-q"), "--rejects", rejects)
    assert kind == "dangling" or vsgen(*words, "-o", link).exit_code == 2
    assert vsgen(*words, "-o", link, "--overwrite", "--summary", rejects.with_name("counts")).exit_code == 0
    assert str(link.readlink()) == first and rejects.is_symlink()
    assert {path.name for path in real.iterdir()} == {
        "out.jsonl",
        "out.jsonl.journal",
        "out.jsonl.vectors",
        "rejects.jsonl",
    }
    assert len(lines(link)) == 2
    for name in (link, real / "out.jsonl"):
        assert "is complete already" in vsgen(*words, "-o", name, "--resume").stderr


def test_two_names_of_one_file_are_one_file(vsgen: Vsgen, folder: Path) -> None:
    (folder / "link").symlink_to("out")
    first = iter(carried(Numbers(Places(folder / "link"), [1, 2])))
    next(first)
    assert vsgen(*ROWS, "-o", "out", "--overwrite").exit_code == 4
    assert vsgen(*ROWS, "-o", "other", "--rejects", "link", "--overwrite").exit_code == 4
    list(first)
    ended = vsgen(*ROWS, "-o", "out", "--rejects", "link", "--overwrite")
    assert ended.exit_code == 2 and "is named twice" in ended.stderr


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet", "folder"])
def test_an_export_through_a_link_leaves_the_link(vsgen: Vsgen, folder: Path, name: str) -> None:
    words = ("export", "labelled.jsonl", "--to", "datasets" if name == "folder" else "jsonl", "-o")
    link = folder / f"link{Path(name).suffix}"
    link.symlink_to(f"there/{name}")
    (folder / "there").mkdir()
    for flags in ((), ("--overwrite",)):
        assert vsgen(*words, link, *flags).exit_code == 0
        assert link.is_symlink() and [path.name for path in (folder / "there").iterdir()] == [name]


@pytest.mark.parametrize("form", ["datasets", "jsonl"])
def test_a_dataset_takes_no_device_place(vsgen: Vsgen, folder: Path, form: str) -> None:
    os.mkfifo("pipe.parquet")
    ended = vsgen("export", "labelled.jsonl", "--to", form, "-o", "pipe.parquet", "--overwrite")
    assert ended.exit_code == 2 and "pipe.parquet: is not a file that a dataset can replace" in ended.stderr
    assert names(folder) == {"pipe.parquet"} and Path("pipe.parquet").is_fifo()


@pytest.mark.parametrize("what", ["pipe", "link"])
def test_what_comes_to_lie_in_the_place_meanwhile_is_not_replaced(folder: Path, what: str) -> None:
    out = folder / "out.jsonl"
    first = iter(carried(Numbers(Places(out), [1, 2])))
    next(first)
    os.mkfifo(out) if what == "pipe" else out.symlink_to("elsewhere")
    with pytest.raises(OutputError, match="is not a regular file any more"):
        list(first)
    assert out.is_fifo() or out.is_symlink()
    assert lines(folder / "out.jsonl.part") == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("what", ["pipe", "link"])
@pytest.mark.parametrize("name", ["out.part", "out.journal", "out.vectors"])
def test_a_planted_pipe_or_link_holds_nothing_up_and_gives_nothing_away(
    vsgen: Vsgen, folder: Path, name: str, what: str
) -> None:
    victim = folder / "victim"
    victim.write_text("precious\n")
    os.mkfifo(name) if what == "pipe" else Path(name).symlink_to("victim")
    ended = vsgen(*ROWS, "-o", "out", "--overwrite", "--journal", "out.journal")
    assert ended.exit_code in {2, 4} and re.search(r"vsgen: .*out\.(part|journal|vectors): ", ended.stderr)
    assert victim.read_text() == "precious\n" and not Path("out").exists()
