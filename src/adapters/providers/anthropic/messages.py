"""A conversation in Anthropic's terms: https://platform.claude.com/docs/en/api/messages, and for
the place of results https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...wire.json_object import json_object
from ...wire.malformed import Malformed
from .blocks import Block, blocks, lost
from .tool_ids import ToolIds

Message = dict[str, Any]

_SHARED = frozenset({"role", "content", "cache_control"})
_TAKEN = {
    "assistant": _SHARED | {"tool_calls", "refusal", "thinking_blocks", "reasoning_content"},
    "tool": _SHARED | {"tool_call_id", "name", "is_error"},
}
# A conversation that the assistant began is not taken without somebody before it, nor by newer
# models one that the assistant ended without somebody behind it.
_OPENING = "Begin."
_CLOSING = "Continue."
# Turns of which this is the last word are refused where white space ends them.
_SPACE = " \t\r\n"


class Conversation:
    """`dropped` names what its messages cannot hold; `tools` are the names of those that were
    called in it."""

    def __init__(self) -> None:
        self.system: list[Block] = []
        self.messages: list[Message] = []
        self.dropped: dict[str, None] = {}
        self.tools: dict[str, None] = {}
        self._ids = ToolIds()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Conversation":
        conversation = cls()
        for message in body["messages"]:
            conversation._add(message)
        conversation._put_in_order()
        return conversation

    @property
    def resumes_without_thinking(self) -> bool:
        """Whether the assistant is in the middle of a turn that it began without a thought that is
        kept. A model with a budget refuses to think from there on."""
        last = self.messages[-1]["content"] if self.messages else []
        if not last or last[0].get("type") != "tool_result" or len(self.messages) < 2:  # noqa: PLR2004
            return False
        return "thinking" not in str(self.messages[-2]["content"][0].get("type"))

    def close(self) -> None:
        """With the last word left to the user."""
        if self.messages and self.messages[-1]["role"] == "assistant":
            closing = {"type": "text", "text": _CLOSING}
            self.messages.append({"role": "user", "content": [closing]})

    def _add(self, message: Mapping[str, Any]) -> None:
        role = message["role"]
        if role in {"system", "developer"}:
            self.system += _cached(blocks(message.get("content")), message)
        elif role == "assistant":
            self._append("assistant", _cached(list(self._said(message)), message))
        elif role == "tool":
            self._append("user", _cached([self._result(message)], message))
        else:  # a user's; or a role that Anthropic may know, or else refuse by its name
            self._append(role, _cached(blocks(message.get("content")), message))
        self.dropped.update(dict.fromkeys(lost(message.get("content"))))
        taken = _TAKEN.get(role, _SHARED)
        for name, value in message.items():
            if name not in taken and value:
                self.dropped[f"messages.{name}"] = None

    def _append(self, role: str, content: list[Block]) -> None:
        """To the turn before it, where that is of the same role."""
        if not content:
            return
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += content
        else:
            self.messages.append({"role": role, "content": content})

    def _said(self, message: Mapping[str, Any]) -> Iterator[Block]:
        said = blocks(message.get("content")) or blocks(message.get("refusal"))
        calls = list(self._calls(message))
        if said or calls:  # a thought alone is no turn
            yield from self._thoughts(message)
        yield from said
        yield from calls

    def _thoughts(self, message: Mapping[str, Any]) -> Iterator[Block]:
        """As they came: they are signed. What another provider thought is not, and is refused."""
        kept = message.get("thinking_blocks")
        kept = kept if isinstance(kept, list) else []
        signed = [
            block
            for block in kept
            if isinstance(block, dict) and (block.get("signature") or block.get("data"))
        ]
        if len(signed) < len(kept):
            self.dropped["messages.thinking_blocks"] = None
        if message.get("reasoning_content") and not signed:
            self.dropped["messages.reasoning_content"] = None
        for block in signed:  # a stream numbers them
            yield {name: value for name, value in block.items() if name != "index"}

    def _calls(self, message: Mapping[str, Any]) -> Iterator[Block]:
        given = message.get("tool_calls")
        for call in given if isinstance(given, list) else ():
            if isinstance(call, dict):
                yield self._call(call.get("id"), call.get("function"), call)

    def _call(self, own_id: object, function: object, call: Mapping[str, Any]) -> Block:
        if not isinstance(function, dict):
            custom = call.get("custom")
            custom = custom if isinstance(custom, dict) else {}
            function = {"name": custom.get("name"), "arguments": {"input": custom.get("input")}}
        name = str(function.get("name") or "")
        self.tools[name] = None
        arguments = self._arguments(function.get("arguments"))
        block = {"type": "tool_use", "id": self._ids.of_call(own_id), "name": name}
        return _cached([{**block, "input": arguments}], call)[0]

    def _arguments(self, arguments: object) -> dict[str, Any]:
        if isinstance(arguments, dict):
            return arguments
        try:
            raw = arguments if isinstance(arguments, str) else ""
            return json_object(raw.encode("utf-8", "surrogatepass"))
        except Malformed:
            if arguments:
                self.dropped["messages.tool_calls.function.arguments"] = None
            return {}

    def _result(self, message: Mapping[str, Any]) -> Block:
        result: Block = {"type": "tool_result"}
        result["tool_use_id"] = self._ids.of_answer(message.get("tool_call_id"))
        if told := blocks(content := message.get("content")):
            result["content"] = content if isinstance(content, str) else told
        if isinstance(is_error := message.get("is_error"), bool):
            result["is_error"] = is_error
        return result

    def _put_in_order(self) -> None:
        for message in self.messages:
            # Results stand before whatever else the user says.
            message["content"].sort(key=lambda block: block.get("type") != "tool_result")
        if not self.messages and self.system:
            self.messages = [{"role": "user", "content": self.system}]
            self.system = []
        if self.messages and self.messages[0]["role"] == "assistant":
            opening = {"type": "text", "text": _OPENING}
            self.messages.insert(0, {"role": "user", "content": [opening]})
        if self.messages and self.messages[-1]["role"] == "assistant":
            last = self.messages[-1]["content"][-1]
            if last.get("type") == "text" and isinstance(last.get("text"), str):
                last["text"] = last["text"].rstrip(_SPACE)


def _cached(content: list[Block], given: Mapping[str, Any]) -> list[Block]:
    """With the message's own `cache_control` on its last block: Anthropic knows it of blocks."""
    control = given.get("cache_control")
    if not control or not content:
        return content
    return [*content[:-1], {**content[-1], "cache_control": control}]
