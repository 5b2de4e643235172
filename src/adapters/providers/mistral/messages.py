from collections.abc import Mapping
from typing import Any

from .content import mistral_part
from .order import in_order
from .tool_ids import ToolIds

# https://docs.mistral.ai/api/#tag/chat: what a message of each role may hold.
_FIELDS = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}


class Messages:
    """A conversation in Mistral's terms. `dropped` names what its messages cannot hold."""

    def __init__(self) -> None:
        self.ids = ToolIds()
        self.dropped: dict[str, None] = {}

    def encode(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return in_order([self._message(message) for message in body["messages"]])

    def _message(self, given: Mapping[str, Any]) -> dict[str, Any]:
        role = "system" if given.get("role") == "developer" else given.get("role")
        fields = _FIELDS.get(role) if isinstance(role, str) else None
        if fields is None:
            return dict(given)
        message = {
            name: value
            for name, value in given.items()
            if name in fields and (value is not None or name == "content")
        }
        message["role"] = role
        if isinstance(content := message.get("content"), list):
            message["content"] = [self._part(part) for part in content]
        elif not content and isinstance(given.get("refusal"), str):
            message["content"] = given["refusal"]
            fields |= {"refusal"}
        if isinstance(call_id := message.get("tool_call_id"), str):
            message["tool_call_id"] = self.ids.sent(call_id)
        if isinstance(calls := message.get("tool_calls"), list):
            message["tool_calls"] = [self._call(call) for call in calls]
        for name, value in given.items():
            if name not in fields and value:
                self.dropped[f"messages.{name}"] = None
        return message

    def _part(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        part = mistral_part(given)
        if part.get("type") == "text":
            for name in given.keys() - {"type", "text", "refusal"}:
                self.dropped[f"messages.content.{name}"] = None
        return part

    def _call(self, call: Any) -> Any:
        if not isinstance(call, dict) or not isinstance(call_id := call.get("id"), str):
            return call
        # Google's signature, which means nothing to others.
        sent = {name: value for name, value in call.items() if name != "extra_content"}
        if sent.keys() != call.keys():
            self.dropped["messages.tool_calls.extra_content"] = None
        return {**sent, "id": self.ids.sent(call_id)}
