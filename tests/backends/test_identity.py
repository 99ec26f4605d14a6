"""What tells the weights of one model from those of another."""

from __future__ import annotations

from pathlib import Path

from vsgen.backends.identity import fingerprint


def test_large_weight_files_are_told_apart_by_samples(tmp_path: Path) -> None:
    names = []
    for middle in (b"a", b"b"):
        (tmp_path / "model.safetensors").write_bytes(bytes(12_000_000) + middle * 100 + bytes(12_000_000))
        names.append(fingerprint(tmp_path))
    assert names[0] != names[1]
