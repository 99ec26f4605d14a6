"""What a student is taught token by token: the teacher's own distributions along each kept answer.

The answer is taught as the reply to the plain task, whatever method it was drawn by: that is the prompt which a student
will see. Several fields are taught as the JSON object that method direct asks for.
"""

from __future__ import annotations

from collections.abc import Mapping

from vsgen.errors import InputError
from vsgen.flow import Flow, try_all
from vsgen.sampling.direct import plain, written
from vsgen.values import Lesson, Message, Prompt, Refused, Taught, Teach


def teach(
    prompt: Prompt, answers: Mapping[str, Mapping[str, object]], *, top: int, lenient: bool
) -> Flow[list[Lesson | None]]:
    """The lesson of each answer.

    Args:
        prompt: The task.
        answers: Fields of each answer, by the record's id.
        top: Tokens to say at each position.
        lenient: An answer that is too long for the model has no lesson, instead of raising.

    Raises:
        InputError: An answer is too long for the model; names it.
    """
    calls = [Teach(plain(prompt, list(fields)), written(fields), top) for fields in answers.values()]
    found = yield from try_all(calls)
    for name, one in zip(answers, found, strict=True):
        if isinstance(one, Refused) and not lenient:
            raise InputError(f"{name}: --token-logprobs: {one.problem}; or pass --on-error skip")
    return [_lesson(call, one) for call, one in zip(calls, found, strict=True)]


def _lesson(call: Teach, found: Taught | Refused) -> Lesson | None:
    if isinstance(found, Refused):
        return None
    return Lesson((*call.prompt.messages, Message("assistant", call.answer)), found)
