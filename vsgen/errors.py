"""Every error that a user can meet, each with its exit status; none of these reaches a user as a traceback.

::

    VsgenError
    ├── Unanswered      1  calls wait in batch files; nothing failed, and the next round goes on
    ├── UserError       2  the template, the input or the flags are wrong
    │   ├── TemplateError
    │   ├── InputError
    │   └── OptionError
    ├── ModelError      3  the model or the endpoint failed for good
    │   ├── EndpointError   a server refuses everything, or does not answer any more; --resume goes on
    │   └── CallError   3  it cannot answer this one call; others it can
    │       ├── TooLongError    the call does not fit into the model's context
    │       ├── ChoiceError     a choice to score cannot be written with the model's tokens
    │       └── CommandError    an external command of a template gave no verdict on a row
    ├── OutputError     4  what was made cannot be written (disk full, no permission); all that was written stays
    │   ├── FullError       there is no space; the command line says which command goes on
    │   └── BusyError       another run holds the file
    └── GateError       5  all was made and written, but it failed a quality gate (--strict)

A message says where, what, what was got and what to do: ``tickets.yaml:7: sampling.k: must be >= 1, got 0``.
"""

from __future__ import annotations

from typing import Final

SKIP_IT: Final = "run and label skip it with --on-error skip (after an unfinished run with -o: add --resume)"
"""The remedy of a row that cannot be used."""


class VsgenError(Exception):
    """The root; `status` is the exit status of a command that ends with it."""

    status = 1


class Unanswered(VsgenError):
    """Calls are written to batch files, and have to be answered before the command can go on."""

    def __init__(self, problem: str) -> None:
        how = "then run the same command with --resume --ingest-batch RESULTS"
        super().__init__(f"{problem}; have the batch answered, {how}")
        self.problem = problem
        """What was written where."""


class UserError(VsgenError):
    """The user's template, input or flags are wrong."""

    status = 2


class TemplateError(UserError):
    """A template cannot be read, does not fit the schema, or cannot be rendered."""


class InputError(UserError):
    """An input line is not what the template needs."""


class OptionError(UserError):
    """Flags that are wrong or do not go together."""


class ModelError(VsgenError):
    """A model cannot be opened or has failed for good."""

    status = 3


class EndpointError(ModelError):
    """A server refuses whatever it is asked, or has not answered for too long; what was answered is kept."""

    def __init__(self, problem: str, *, http: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        """What is wrong, and what to do."""
        self.http = http
        """The status of the response that says so; None where none does."""


class CallError(ModelError):
    """A model cannot answer one call, whose prompt is too long for it, say; the flow that asked is told."""


class TooLongError(CallError):
    """A call does not fit into the model's context."""

    def __init__(self, message: str, *, tokens: int, context: int) -> None:
        super().__init__(message)
        self.tokens = tokens
        """How many the call takes."""
        self.context = context
        """How many there may be."""


class ChoiceError(CallError):
    """A choice cannot be written with the model's tokens, or is written as another one is."""


class CommandError(CallError):
    """An external command that a template names ended, hung, or wrote something else than a verdict."""


class OutputError(VsgenError):
    """An output cannot be written."""

    status = 4


class FullError(OutputError):
    """There is no space for an output; what to run once there is some depends on the command."""

    def __init__(self, problem: str, how: str = "again") -> None:
        super().__init__(f"{problem}; free some space, then run the same command {how}")
        self.problem = problem
        """What cannot be written, and why."""


class BusyError(OutputError):
    """A file cannot be held; another name for it helps, which an option gives."""

    def __init__(self, problem: str, option: str = "-o") -> None:
        super().__init__(f"{problem} another {option}")
        self.problem = problem
        """All but the option."""


class GateError(VsgenError):
    """What was made failed a quality gate that the user had set; it is written all the same."""

    status = 5


_MEMORY = ("out of memory", "allocate memory", "not enough memory")
"""What libraries say in a RuntimeError when they cannot allocate."""


def short_of_memory(error: BaseException) -> bool:
    """Whether an error of a library says that memory does not suffice, so that less at once may do."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _MEMORY)


def no_memory(error: BaseException) -> CallError:
    """Why a call has no reply for which memory does not suffice though it is computed alone."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return CallError(f"not enough memory for this call alone ({first}); request less, or free some")
