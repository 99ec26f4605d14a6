"""What is added to a prompt: a method's instruction, and the turns of a conversation that goes on."""

from __future__ import annotations

from dataclasses import replace

from vsgen.values import Message, Prompt


def instructed(prompt: Prompt, instruction: str) -> Prompt:
    """The prompt with a method's instruction in its system message, after the user's own; plain text stays as it is."""
    if not instruction or not prompt.messages:
        return prompt
    first, *rest = prompt.messages
    if first.role != "system":
        return replace(prompt, messages=(Message("system", instruction), first, *rest))
    return replace(prompt, messages=(Message("system", f"{first.content}\n\n{instruction}"), *rest))


def shown(prompt: Prompt) -> bool:
    """Whether worked exchanges stand before the task."""
    return any(message.role == "assistant" for message in prompt.messages)


def answered(prompt: Prompt, reply: str, further: str) -> Prompt:
    """The conversation gone on: the model's reply, and what the user says next."""
    turns = (*prompt.messages, Message("assistant", prompt.prefill + reply), Message("user", further))
    return replace(prompt, messages=turns)
