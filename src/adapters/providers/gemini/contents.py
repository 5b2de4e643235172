"""OpenAI's messages as Google's `contents`: https://ai.google.dev/api/caching#Content"""

from collections.abc import Iterable, Mapping
from typing import Any

from .calls import Calls
from .parts import Part, joined_text, parts_of
from .signatures import signature_of, signed, told_extra

_USER, _MODEL = "user", "model"
_SYSTEM = frozenset({"system", "developer"})
_ASSISTANT = frozenset({"assistant", "model"})
_ANSWERS = frozenset({"tool", "function"})
# What is read of a message, whichever its role.
_READ = frozenset({"role", "content", "extra_content"})
_READ_OF_ASSISTANT = _READ | {"tool_calls", "function_call", "refusal", "images"}
_READ_OF_ANSWERS = _READ | {"tool_call_id", "name"}


class Conversation:
    """A conversation in Google's terms. `dropped` names what its messages cannot hold."""

    def __init__(self, model: str) -> None:
        self.dropped: dict[str, None] = {}
        self._calls = Calls(model)
        self._system: list[Part] = []
        self._contents: list[dict[str, Any]] = []

    def encode(self, messages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """`contents`, and the `systemInstruction` where there is one."""
        for message in messages:
            self._add(message)
        if not self._contents:
            # There must be some; an instruction alone is as good as a question.
            return {"contents": [{"role": _USER, "parts": self._system}]}
        body: dict[str, Any] = {"contents": self._contents}
        if self._system:
            body["systemInstruction"] = {"parts": self._system}
        return body

    def _add(self, message: Mapping[str, Any]) -> None:
        role, read = message.get("role"), _READ
        if role in _SYSTEM:
            self._system += parts_of(message.get("content"), self.dropped)
        elif role in _ASSISTANT:
            read = _READ_OF_ASSISTANT
            self._append(_MODEL, self._said(message))
        elif role in _ANSWERS:
            read = _READ_OF_ANSWERS
            said = parts_of(message.get("content"), self.dropped)
            self._append(_USER, self._calls.answered(message, said))
        else:
            self._append(str(role), parts_of(message.get("content"), self.dropped))
        for name, value in message.items():
            if value and name not in read:
                self.dropped[f"messages.{name}"] = None

    def _said(self, message: Mapping[str, Any]) -> list[Part]:
        """What the model said and did, in the order in which Google tells it."""
        said = parts_of(message.get("content"), self.dropped)
        if not joined_text(said):
            said += parts_of(message.get("refusal"), self.dropped)
        said += parts_of(message.get("images"), self.dropped)
        said = [*_own_parts(message), *_with_signature(said, signature_of(message))]
        return said + self._calls.made(message)

    def _append(self, role: str, parts: list[Part]) -> None:
        """Neighbours of one role are one turn: the roles take turns."""
        if not parts:
            return
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})


def _own_parts(message: Mapping[str, Any]) -> list[Part]:
    """What Google's own tools did, which OpenAI's format has no place for. The numbers were given
    to them in a stream."""
    parts = told_extra(message).get("parts")
    if not isinstance(parts, list):
        return []
    return [
        {name: value for name, value in part.items() if name != "index"}
        for part in parts
        if isinstance(part, dict) and part
    ]


def _with_signature(said: list[Part], signature: str | None) -> list[Part]:
    """On the last text, or on an empty one: that is how a stream tells it, too."""
    if signature is None:
        return said
    for place in reversed(range(len(said))):
        if "text" in said[place]:
            return [*said[:place], signed(said[place], signature), *said[place + 1 :]]
    return [*said, signed({"text": ""}, signature)]
