"""Whether the models that labels ask for decisions have a decision interface."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from vsgen.errors import OptionError

_INSTEAD = "use method: score, votes or verbalized"


def check_deciding(
    deciding: Mapping[str, Sequence[str | None]], own: str, served: Container[str], *, emits: bool
) -> None:
    """See that no model in this process is asked for decisions, and no batch service.

    Args:
        deciding: By the name of each label of method decisions, the models that it names; None is the run's own.
        own: The run's own model.
        served: The models that are behind a URL.
        emits: Calls are written to files.

    Raises:
        OptionError: One is.
    """
    for label, judges in deciding.items():
        if emits:
            raise OptionError(
                f"label {label}: batch services have no decision interface; remove --emit-batch, or {_INSTEAD}"
            )
        for name in (name for judge in judges if (name := judge or own) not in served):
            raise OptionError(
                f"label {label}: method decisions needs a server with a decision interface (--endpoint, or the label's "
                f"own endpoint), and {name} runs in this process; otherwise {_INSTEAD}"
            )
