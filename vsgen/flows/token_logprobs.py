"""What a student is taught token by token: the teacher's own distributions along each kept answer.

The answer is taught as the reply to the plain task, whatever method it was drawn by: that is the prompt which a student
will see. Several fields are taught as the JSON object that method direct asks for.
"""

from __future__ import annotations

from collections.abc import Mapping

from vsgen.errors import CallError, InputError
from vsgen.flow import Flow, ask
from vsgen.sampling.direct import plain, written
from vsgen.values import Lesson, Message, Prompt, Teach


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
    lessons: list[Lesson | None] = []
    for name, fields in answers.items():
        asked, answer = plain(prompt, list(fields)), written(fields)
        try:
            taught = yield from ask(Teach(asked, answer, top))
        except CallError as error:
            if not lenient:
                raise InputError(f"{name}: --token-logprobs: {error}; or pass --on-error skip") from error
            lessons.append(None)
        else:
            lessons.append(Lesson((*asked.messages, Message("assistant", answer)), taught))
    return lessons
