"""A model's files that are broken, or made to hurt, are one error that names them, before they take memory or time."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from vsgen.backends.open import open_model
from vsgen.backends.open_embedder import open_embedder
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.errors import ModelError
from vsgen.tiny import WEIGHTS
from vsgen.values import Embed

Break = Callable[[Path], object]
INDEX = "model.safetensors.index.json"
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the embedded model, to be broken."""
    return Path(shutil.copytree(WEIGHTS, tmp_path / "toy"))


def sharded(index: object) -> Break:
    """Let an index name the weights."""

    def write(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder / "one.safetensors")
        (folder / INDEX).write_text(index if isinstance(index, str) else json.dumps(index))

    return write


def configured(**changes: object) -> Break:
    """Change settings of config.json."""

    def write(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return write


def tokenized(change: Callable[[dict[str, Any]], object]) -> Break:
    """Change tokenizer.json."""

    def write(folder: Path) -> None:
        path = folder / "tokenizer.json"
        spelled = json.loads(path.read_text())
        change(spelled)
        path.write_text(json.dumps(spelled))

    return write


def text(name: str, content: str) -> Break:
    return lambda folder: (folder / name).write_text(content)


def head(header: bytes, size: int | None = None) -> Break:
    """Other safetensors."""
    data = struct.pack("<Q", len(header) if size is None else size) + header + bytes(4)
    return lambda folder: (folder / "model.safetensors").write_bytes(data)


def torn(name: str) -> Break:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def pipe(name: str) -> Break:
    """A pipe that nobody writes to, in place of a file."""

    def write(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return write


def shifted(spelled: dict[str, Any]) -> None:
    """A vocabulary of another model."""
    words = spelled["model"]["vocab"]
    spelled["model"]["vocab"] = {word: number + 1_000_000 for word, number in words.items()}


HUGE = json.dumps({"x": {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 4]}}).encode()
FILES: dict[str, tuple[Break, str]] = {
    "index: no JSON": (sharded("{"), rf"{INDEX}: not JSON"),
    "index: deep": (sharded('{"weight_map":' + DEEP + "}"), rf"{INDEX}: not JSON: nested too deeply"),
    "index: a list": (sharded([]), rf"{INDEX}: not a JSON object"),
    "index: empty": (sharded({}), rf"{INDEX}: weight_map: must name"),
    "index: names no mapping": (sharded({"weight_map": ["a"]}), rf"{INDEX}: weight_map: must name"),
    "index: numbers": (sharded({"weight_map": {"a": 5}}), rf"{INDEX}: weight_map: must name"),
    "index: a missing shard": (sharded({"weight_map": {"a": "two.safetensors"}}), rf"{INDEX}: names 'two.+missing"),
    "index: outside": (sharded({"weight_map": {"a": "../x/one.safetensors"}}), rf"{INDEX}: names a file outside"),
    "index: absolute": (sharded({"weight_map": {"a": "/etc/passwd"}}), rf"{INDEX}: names a file outside"),
    "index: the folder": (sharded({"weight_map": {"a": ".."}}), rf"{INDEX}: names a file outside|is missing"),
    "weights: torn": (torn("model.safetensors"), r"model.safetensors: not whole"),
    "weights: empty": (text("model.safetensors", ""), r"model.safetensors: not whole"),
    "weights: a head without end": (head(b"{}", 2**62), r"model.safetensors: not whole"),
    "weights: a torn head": (head(b'{"a":'), r"model.safetensors: not whole"),
    "weights: a shape without end": (head(HUGE), r"model.safetensors: not whole"),
    "weights: a pipe": (pipe("model.safetensors"), r"model.safetensors: is not a regular file"),
    "config: a list": (text("config.json", "[]"), r"config.json: not a JSON object"),
    "config: deep": (text("config.json", '{"a":' + DEEP + "}"), r"config.json: not JSON: nested too deeply"),
    "config: 1e9 layers": (configured(num_hidden_layers=10**9), r"config.json: num_hidden_layers: must be at most"),
    "config: layers within": (configured(text_config={"n_layer": 10**9}), r"config.json: n_layer: must be at most"),
    "config: 1e9 labels": (configured(num_labels=10**9), r"config.json: num_labels: must be at most"),
    "config: a text": (configured(hidden_size="big"), r"its configuration: "),
    "config: a fraction": (configured(num_hidden_layers=2.5), r"its configuration: "),
    "config: nothing": (configured(vocab_size=None), r"its configuration: "),
    "config: no heads": (configured(num_attention_heads=0), r"its configuration: |its weights: "),
    "config: less than none": (configured(num_attention_heads=-4), r"its configuration: |its weights: "),
    "config: a type": (configured(model_type=["llama"]), r"its configuration: "),
    "config: 1e12 tokens": (configured(vocab_size=10**12), r"its weights: "),
    "config: a width of 1e9": (configured(hidden_size=10**9), r"its weights: "),
    "config: code": (configured(model_type="x", auto_map={"AutoConfig": "x.X"}), r"its configuration: "),
    "tokenizer: torn": (torn("tokenizer.json"), r"its tokenizer: "),
    "tokenizer: a list": (text("tokenizer.json", "[]"), r"its tokenizer: "),
    "tokenizer: a pipe": (pipe("tokenizer.json"), r"tokenizer.json: is not a regular file"),
    "tokenizer: of another model": (tokenized(shifted), r"its tokenizer has \d+ tokens for which the model's 2560"),
    "tokenizer: texts": (tokenized(lambda one: one["model"].update(vocab={"a": "b"})), r"its tokenizer: "),
    "tokenizer: a length": (text("tokenizer_config.json", '{"model_max_length":"x"}'), r"model_max_length: must be"),
    "tokenizer: no settings": (text("tokenizer_config.json", "[]"), r"its tokenizer: "),
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_of_a_model_is_one_error_that_names_it(
    folder: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    damage, problem = FILES[name]
    damage(folder)
    with pytest.raises(ModelError, match=problem) as raised:
        open_model(str(folder), device="cpu")
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["config: 1e9 layers", "config: 1e9 labels", "config: deep"])
def test_tokenizers_and_embedders_are_as_careful(folder: Path, name: str) -> None:
    damage, problem = FILES[name]
    damage(folder)
    with pytest.raises(ModelError, match=problem):
        open_tokenizer(str(folder))
    with pytest.raises(ModelError, match=problem):
        open_embedder(str(folder)).embed([Embed("a")])


def test_a_folder_of_shards_is_opened(folder: Path) -> None:
    whole = open_model(str(folder), device="cpu")
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        places = dict.fromkeys(file.keys(), "one.safetensors")
    sharded({"metadata": {}, "weight_map": places})(folder)
    opened = open_model(str(folder), device="cpu")
    assert opened.name != whole.name and opened.name.startswith("toy@")


def gguf(entries: bytes, tensors: int = 0, count: int = 1) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, count) + entries


def entry(key: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value


LLAMA = entry("general.architecture", 8, struct.pack("<Q", 5) + b"llama")
HEADS = {
    "empty": b"",
    "the mark alone": b"GGUF",
    "no metadata": gguf(b"", 0, 0),
    "entries without end": gguf(LLAMA, 0, 2**62),
    "tensors without end": gguf(LLAMA, 2**62, 1),
    "a text without end": gguf(entry("general.architecture", 8, struct.pack("<Q", 2**63)), 0, 1),
    "an array without end": gguf(LLAMA + entry("a", 9, struct.pack("<IQ", 8, 2**60)), 0, 2),
    "numbers without end": gguf(LLAMA + entry("a", 9, struct.pack("<IQ", 4, 2**60)), 0, 2),
    "an unknown type": gguf(LLAMA + entry("a", 77, b""), 0, 2),
    "no UTF-8": gguf(LLAMA + entry("a", 8, struct.pack("<Q", 2) + b"\xff\xfe"), 0, 2),
    "1e9 layers": gguf(LLAMA + entry("llama.block_count", 4, struct.pack("<I", 10**9)), 0, 2),
    "garbage": b"GGUF" + bytes(range(256)) * 40,
}


@pytest.mark.parametrize("name", HEADS)
def test_a_hostile_gguf_file_is_one_error_that_names_it(tmp_path: Path, name: str) -> None:
    pytest.importorskip("gguf")
    path = tmp_path / "toy.gguf"
    path.write_bytes(HEADS[name])
    for open_it in (open_model, open_tokenizer):
        with pytest.raises(ModelError, match=r"toy\.gguf: ") as raised:
            open_it(str(path))
        assert "\n" not in str(raised.value)
