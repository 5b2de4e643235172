"""The order of roles that Mistral insists on, which OpenAI does not.

https://github.com/mistralai/mistral-common, `protocol/instruct/validator.py`: a user or system
message may not follow a tool's result, nor a system message an assistant's; an empty assistant
message is refused; the last message is a user's, a tool's, or an assistant's with `prefix`.
What cannot be put right without losing words is left for the provider to refuse.
"""

from typing import Any

Message = dict[str, Any]

# Between a tool's result and what the user says next, the assistant must have spoken.
_ACKNOWLEDGED = "OK."


def in_order(messages: list[Message]) -> list[Message]:
    ordered: list[Message] = []
    for message in messages:
        role = message.get("role")
        if role == "assistant" and not message.get("content") and not message.get("tool_calls"):
            continue
        if role == "system":
            ordered.insert(_place_for_system(ordered), message)
            continue
        if role == "user" and ordered and ordered[-1].get("role") == "tool":
            ordered.append({"role": "assistant", "content": _ACKNOWLEDGED})
        ordered.append(message)
    return _well_ended(ordered)


def _place_for_system(before: list[Message]) -> int:
    """Behind the last message that it may follow: it keeps its authority, a turn earlier."""
    place = len(before)
    while place and before[place - 1].get("role") in {"assistant", "tool"}:
        place -= 1
    return place


def _well_ended(messages: list[Message]) -> list[Message]:
    if not messages:
        return messages
    last = messages[-1]
    if last.get("role") == "assistant" and not last.get("tool_calls"):
        return [*messages[:-1], {**last, "prefix": True}]
    if last.get("role") == "system":
        systems = len(messages)
        while systems and messages[systems - 1].get("role") == "system":
            systems -= 1
        users = systems
        while users and messages[users - 1].get("role") == "user":
            users -= 1
        return [*messages[:users], *messages[systems:], *messages[users:systems]]
    return messages
