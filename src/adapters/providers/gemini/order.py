from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Message = Mapping[str, Any]

_TOOL = "tool"


def in_order(messages: Sequence[Message]) -> Iterator[Message]:
    """Results stand right behind the calls that they answer, in the order of those: older models
    tell them apart by their places alone. What was said in between comes after them."""
    calls: list[Any] = []
    answers: list[Message] = []
    between: list[Message] = []
    for message in messages:
        if message.get("role") == _TOOL:
            answers.append(message)
        elif message.get("role") == "assistant":
            yield from _sorted(answers, calls)
            yield from between
            yield message
            calls, answers, between = _ids(message), [], []
        else:
            between.append(message)
    yield from _sorted(answers, calls)
    yield from between


def _sorted(answers: list[Message], calls: list[Any]) -> list[Message]:
    def place(answer: Message) -> int:
        call_id = answer.get("tool_call_id")
        return calls.index(call_id) if call_id in calls else len(calls)

    return sorted(answers, key=place)


def _ids(message: Message) -> list[Any]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return []
    return [call.get("id") for call in calls if isinstance(call, dict)]
