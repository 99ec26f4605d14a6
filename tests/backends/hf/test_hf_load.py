"""A model that cannot be opened is one clear error; one that can is named by its weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from vsgen.backends.hf import load as loading
from vsgen.backends.hf.load import load, pick_dtype, slow
from vsgen.backends.hf.model import open_hf
from vsgen.backends.identity import fingerprint
from vsgen.backends.open import open_model
from vsgen.errors import ModelError

MakeModel = Callable[..., Path]


@pytest.fixture
def folder(make_model: MakeModel, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(make_model(), tmp_path / "toy"))


def test_folder_is_named_by_its_contents(folder: Path) -> None:
    first = load(str(folder), device="cpu", dtype="auto")
    assert first.name == f"toy@{fingerprint(folder)}"
    assert first.model.dtype == torch.float32
    weights = load_file(folder / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, folder / "model.safetensors", metadata={"format": "pt"})
    again = load(str(folder), device="cpu", dtype="float64")
    assert again.name.startswith("toy@")
    assert again.name.partition("@")[2] != first.name.partition("@")[2]


def test_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not a model folder, config.json is missing; give a folder"):
        open_model(str(tmp_path))


def test_folder_without_weights_says_so(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \*.safetensors file; copy the weights there"):
        open_model(str(folder))
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="only pickled weights are there"):
        open_model(str(folder))


def test_weights_that_are_missing_are_never_made_up(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    lacking = {name: tensor for name, tensor in weights.items() if "layers.1.mlp.up_proj" not in name}
    save_file(lacking, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights are missing or of the wrong shape, first .*up_proj"):
        open_model(str(folder))


@pytest.mark.parametrize(
    ("file", "contents"),
    [
        ("config.json", "{"),
        ("config.json", json.dumps({"model_type": "no-such-architecture"})),
        ("model.safetensors", "torn"),
        ("tokenizer.json", "{}"),
    ],
)
def test_broken_files_are_one_clear_error(
    folder: Path, file: str, contents: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / file).write_text(contents)
    with pytest.raises(
        ModelError, match=r"toy(: cannot be opened as a|/[a-z.]+: not) .+ \(?(check|copy) the (files|model)"
    ):
        open_model(str(folder))
    assert capfd.readouterr().err == ""


def test_unknown_id_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"no-such/model: is not on this machine, and HF_HUB_OFFLINE=1"):
        open_model("no-such/model")


def test_a_dtype_is_checked() -> None:
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert pick_dtype("auto", cuda, torch.float16) == torch.bfloat16
    assert pick_dtype("auto", cuda, torch.float32) == torch.float32
    assert pick_dtype("auto", cpu, torch.bfloat16) == torch.float32
    assert pick_dtype("float64", cpu, torch.bfloat16) == torch.float64
    with pytest.raises(ModelError, match="'int8' is not known; choose auto, float32"):
        pick_dtype("int8", cpu, None)


def test_opening_writes_nothing_on_stderr(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_model(str(folder), device="cpu")
    assert capfd.readouterr().err == ""


def test_a_type_that_the_cpu_cannot_multiply_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(loading, "has_bfloat16", lambda: False)
    assert slow(torch.float32, cpu) is None
    assert slow(torch.bfloat16, torch.device("cuda")) is None
    assert pick_dtype("auto", cpu, torch.bfloat16) == torch.float32  # whatever the CPU has
    facts = open_hf(str(folder), device="cpu", dtype="bfloat16").facts()
    assert facts.slow is not None
    assert facts.slow.startswith("this CPU has no instructions for bfloat16")
    assert facts.slow.endswith("slower than --dtype float32")
    monkeypatch.setattr(loading, "has_bfloat16", lambda: True)
    assert slow(torch.bfloat16, cpu) is None
