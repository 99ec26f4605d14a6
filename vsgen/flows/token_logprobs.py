"""What a student is taught token by token: the teacher's own distributions along each kept answer.

The answer is taught as the reply to the plain task, whatever method it was drawn by: that is the prompt which a student
will see. Several fields are taught as the JSON object that method direct asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vsgen.flow import Flow, try_all
from vsgen.sampling.direct import plain, written
from vsgen.values import Lesson, Message, Prompt, Refused, Teach

UNTAUGHT: Final = "untaught"
"""The flag of an answer that the model could not be asked along."""


def teach(prompt: Prompt, answers: Mapping[str, Mapping[str, object]], *, top: int) -> Flow[Sequence[Lesson | str]]:
    """The lesson of each answer; or why there is none, where it is too long for the model, say.

    Args:
        prompt: The task.
        answers: Fields of each answer, by the record's id.
        top: Tokens to say at each position.
    """
    calls = [Teach(plain(prompt, list(fields)), written(fields), top) for fields in answers.values()]
    found = yield from try_all(calls)
    return [
        one.problem
        if isinstance(one, Refused)
        else Lesson((*call.prompt.messages, Message("assistant", call.answer)), one)
        for call, one in zip(calls, found, strict=True)
    ]
