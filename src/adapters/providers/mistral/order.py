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
    return _without_trailing(before, {"assistant", "tool"})


def _well_ended(messages: list[Message]) -> list[Message]:
    if not messages:
        return messages
    last = messages[-1]
    if last.get("role") == "assistant" and not last.get("tool_calls"):
        return [*messages[:-1], {**last, "prefix": True}]
    if last.get("role") == "system":
        end = _without_trailing(messages, {"system"})
        place = _place_for_system(messages[: _without_trailing(messages[:end], {"user"})])
        return [*messages[:place], *messages[end:], *messages[place:end]]
    return messages


def _without_trailing(messages: list[Message], roles: set[str]) -> int:
    """How many messages are left without the last ones of these roles."""
    count = len(messages)
    while count and messages[count - 1].get("role") in roles:
        count -= 1
    return count
