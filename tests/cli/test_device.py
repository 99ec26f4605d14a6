"""``--device`` and its like: unknown names, and places where they mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, tickets, write

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

HASH = ("--set", "dedup.embedder=hash")


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is opened."""

    def opened(*_: object, **__: object) -> None:
        pytest.fail("something was opened")

    for name in ("open_model", "open_embedder"):
        monkeypatch.setattr(f"vsgen.jobs.desk.{name}", opened)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", tickets(2))


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(
    "command", [("run", "random-item"), ("try", "random-item"), ("measure",), ("doctor", "-m", "x")]
)
@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:one", "CPU", "cpu:0", "cuda:1 ", ""])
def test_an_unknown_device_is_one_message_before_anything_is_opened(
    vsgen: Vsgen, command: tuple[str, ...], device: str
) -> None:
    ended = vsgen(*command, "--device", device)
    problem = f"vsgen: --device: no device named {device!r}; choose auto, cpu, cuda, cuda:1 or mps\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", problem)


@pytest.mark.usefixtures("unopened")
def test_an_unknown_number_format_is_one_message_before_anything_is_opened(vsgen: Vsgen) -> None:
    ended = vsgen("run", "random-item", "--dtype", "int4")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("vsgen: --dtype: no number format named 'int4'; choose auto, float32, ")
    assert "did you mean float16?" in vsgen("run", "random-item", "--dtype", "fp16").stderr


@pytest.mark.usefixtures("unopened")
def test_an_unknown_name_in_the_environment_is_named_as_such(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_DEVICE", "gpu")
    assert "vsgen: VSGEN_DEVICE: no device named 'gpu'" in vsgen("run", "random-item").stderr
    assert "vsgen: --device: no device named 'tpu'" in vsgen("run", "random-item", "--device", "tpu").stderr


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
@pytest.mark.parametrize(
    ("command", "opened"),
    [
        (("run", "random-item", *HASH), "tiny and the embedder hash always run"),
        (("run", "random-item", "--no-dedup", "-m", "tiny"), "tiny always runs"),
        (("try", "random-item", *HASH), "tiny and the embedder hash always run"),
        (("label", "ROWS", *CATEGORY), "tiny always runs"),
        (("measure", "-m", "tiny"), "tiny always runs"),
        (("doctor", "-m", "tiny"), "tiny always runs"),
    ],
)
def test_a_device_is_refused_where_all_that_is_opened_runs_on_the_cpu(
    vsgen: Vsgen, rows: Path, command: tuple[str, ...], opened: str, device: str
) -> None:
    ended = vsgen(*(str(rows) if word == "ROWS" else word for word in command), "--device", device)
    assert (ended.exit_code, ended.stdout) == (2, "")
    *_, message = ended.stderr.splitlines()
    assert message == f"vsgen: --device {device}: {opened} on the CPU; leave it out, or name another model with -m"


@pytest.mark.parametrize("words", [("--device", "cpu"), ("--device", "auto"), ()])
def test_the_cpu_is_where_the_embedded_model_runs_and_a_device_of_the_environment_is_but_a_default(
    vsgen: Vsgen, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not words:
        monkeypatch.setenv("VSGEN_DEVICE", "cuda")
    ended = vsgen("run", "random-item", "-n", 1, *HASH, *words, "-q")
    assert (ended.exit_code, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [("--device", "cuda"), ("--dtype", "float32"), ("--batch", 2), ("--trust-remote-code",), ("--allow-pickle",)],
)
def test_doctor_refuses_what_is_about_a_model_where_none_is_named(vsgen: Vsgen, words: tuple[object, ...]) -> None:
    ended = vsgen("doctor", *words)
    problem = f"vsgen: {words[0]}: needs a model to load; name one with -m\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", problem)


def test_what_opens_no_model_has_no_such_option(vsgen: Vsgen) -> None:
    for command in (("targets",), ("check", "random-item"), ("export", "x", "--to", "trl"), ("templates",)):
        ended = vsgen(*command, "--device", "cuda")
        assert ended.exit_code == 2 and f"vsgen: --device: no such option of vsgen {command[0]}; " in ended.stderr
