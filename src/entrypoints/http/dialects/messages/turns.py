from typing import Any

from .....domain.errors import InvalidRequest
from .....domain.fields import Json, as_a, given, path, required, wrong_type
from .blocks import blocks
from .json_text import written
from .parts import Part, parts_of, text_part

Blocks = list[tuple[dict[str, Any], str]]
Message = dict[str, Any]

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def messages_of(body: Json) -> list[Message]:
    """The whole conversation, the system's words in front of it."""
    turns: list[Any] = required(body, "messages", list)
    if not turns:
        raise InvalidRequest("'messages' must hold at least one message.", param="messages")
    messages = _system(body, "system") if body.get("system") is not None else []
    for index, item in enumerate(turns):
        at = f"messages.{index}"
        turn: dict[str, Any] = as_a(dict, item, at)
        match required(turn, "role", str, at):
            case "user":
                messages += _user(blocks(turn, "content", at))
            case "assistant":
                messages.append(_assistant(blocks(turn, "content", at)))
            case "system":
                messages += _system(turn, "content", at)
            case _:
                raise wrong_type(path(at, "role"), "'user' or 'assistant'")
    return messages


def _system(holder: Json, name: str, at: str = "") -> list[Message]:
    said = []
    for block, where in blocks(holder, name, at):
        if block["type"] != "text":
            raise wrong_type(path(where, "type"), "'text'")
        said.append(required(block, "text", str, where))
    return [{"role": "system", "content": "\n\n".join(said)}] if any(said) else []


def _user(content: Blocks) -> list[Message]:
    """The results of tools first, each a message of its own, then what the user says. OpenAI takes
    texts only for a result: pictures and files in one are shown by the user."""
    messages: list[Message] = []
    shown: list[Part] = []
    said: Blocks = []
    for block, at in content:
        if block["type"] != "tool_result":
            said.append((block, at))
            continue
        call_id = required(block, "tool_use_id", str, at)
        inside = [] if block.get("content") is None else parts_of(blocks(block, "content", at))
        text = "\n".join(part["text"] for part in inside if part["type"] == "text")
        if rest := [part for part in inside if part["type"] != "text"]:
            shown += [text_part(f"From the result of the tool call {call_id}:"), *rest]
            text = text or "The result is shown in the next message."
        if given(block, "is_error", bool, at):
            text = f"Error: {text}"
        messages.append({"role": "tool", "tool_call_id": call_id, "content": text})
    parts = [*shown, *parts_of(said)]
    if parts or not messages:
        messages.append({"role": "user", "content": _plain(parts)})
    return messages


def _assistant(content: Blocks) -> Message:
    calls = [_call(block, at) for block, at in content if block["type"] == "tool_use"]
    thoughts = [(block, at) for block, at in content if block["type"] in _THOUGHTS]
    parts = parts_of([(b, at) for b, at in content if b["type"] not in {"tool_use", *_THOUGHTS}])
    message: Message = {"role": "assistant", "content": _plain(parts, joined=True)}
    if calls:
        message["tool_calls"] = calls
        message["content"] = message["content"] or None
    return message | _thoughts(thoughts)


def _call(block: Json, at: str) -> dict[str, Any]:
    asked: dict[str, Any] = required(block, "input", dict, at)
    function = {
        "name": required(block, "name", str, at),
        "arguments": written(asked, path(at, "input")),
    }
    return {"id": required(block, "id", str, at), "type": "function", "function": function}


def _thoughts(thoughts: Blocks) -> dict[str, Any]:
    """As text for servers that want it back (DeepSeek, vLLM); as blocks where they are signed or
    redacted, which nothing else can hold."""
    texts = [
        required(block, "thinking", str, at)
        for block, at in thoughts
        if block["type"] == "thinking"
    ]
    kept = [
        dict(block)
        for block, at in thoughts
        if block["type"] == "redacted_thinking" or given(block, "signature", str, at)
    ]
    fields: dict[str, Any] = {"reasoning_content": "\n\n".join(texts)} if any(texts) else {}
    return fields | ({"thinking_blocks": kept} if kept else {})


def _plain(parts: list[Part], *, joined: bool = False) -> str | list[Part]:
    """A text where that is all there is: every server takes one, and not every one takes parts.
    An answer's blocks are joined, too: they are one text, cut where it cites."""
    if any(part["type"] != "text" for part in parts) or (len(parts) > 1 and not joined):
        return parts
    return "".join(part["text"] for part in parts)
