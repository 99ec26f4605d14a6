"""The machine, its accelerators, and the folders that are written to."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from vsgen.backends.devices import Accelerator, accelerators
from vsgen.jobs.health import machine


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    assert machine._folder("folder", lambda: tmp_path, "-").state == "ok"
    found = machine._folder("folder", lambda: tmp_path / "none", "change it")
    assert (found.state, found.status, found.remedy) == ("problem", 4, "change it")


def test_a_temporary_folder_that_is_not_there_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    found = {one.name: one for one in machine.machine()}["temporary"]
    assert found.state == "problem" and "TMPDIR" in found.remedy


def test_a_folder_that_was_removed_under_the_command_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    found = {one.name: one for one in machine.machine()}["folder"]
    assert (found.state, found.value, found.status) == ("problem", "none: No such file or directory", 4)


def test_without_torch_nobody_knows_the_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsgen.backends.devices.find_spec", lambda name: None)
    assert accelerators() is None
    (found,) = machine._devices()
    assert found.state == "absent" and "models" in found.remedy


def test_a_gpu_has_its_name_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    each = [Accelerator("cuda:0", "H200", 150_000_000_000), Accelerator("mps", "Apple GPU", 0)]
    monkeypatch.setattr(machine, "accelerators", lambda: each)
    assert [(one.name, one.value) for one in machine._devices()] == [("cuda:0", "H200, 150.0 GB"), ("mps", "Apple GPU")]


def test_every_gpu_of_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = ModuleType("torch")
    gpu = SimpleNamespace(name="H200", total_memory=5)
    cuda = SimpleNamespace(device_count=lambda: 2, get_device_properties=lambda i: gpu)
    vars(torch).update(cuda=cuda, backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr("vsgen.backends.devices.find_spec", lambda name: True)
    assert accelerators() == [Accelerator("cuda:0", "H200", 5), Accelerator("cuda:1", "H200", 5)]


def test_a_torch_that_fails_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("libcudart.so: cannot open\nmore")

    monkeypatch.setattr(machine, "accelerators", fail)
    (found,) = machine._devices()
    assert (found.state, found.value, found.status) == ("problem", "torch fails: libcudart.so: cannot open", 3)
