"""OpenAI's messages as Google's `contents`: https://ai.google.dev/api/caching#Content"""

from collections.abc import Mapping, Sequence
from typing import Any

from .calls import Calls
from .families import is_strict, takes_instructions
from .order import in_order
from .parts import Part, joined_text, parts_of
from .signatures import signature_of, signed, told_extra

_USER, _MODEL = "user", "model"
_SYSTEM = frozenset({"system", "developer"})
_TOOL = "tool"
_ASSISTANT = frozenset({"assistant", "model"})
# Behind the beginning of an answer, which newer models do not take for one.
_CLOSING = "Continue."
# What is read of a message, whichever its role.
_READ = frozenset({"role", "content", "extra_content"})
_READ_OF_ASSISTANT = _READ | {"tool_calls", "refusal", "images"}
_READ_OF_ANSWERS = _READ | {"tool_call_id", "name"}


class Conversation:
    """A conversation in Google's terms. `dropped` names what its messages cannot hold."""

    def __init__(self, model: str) -> None:
        self.dropped: dict[str, None] = {}
        self._calls = Calls(model)
        self._takes_instructions = takes_instructions(model)
        self._is_strict = is_strict(model)
        self._system: list[Part] = []
        self._beside: list[Part] = []
        self._contents: list[dict[str, Any]] = []

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`contents`, and the `systemInstruction` where there is one."""
        for message in in_order(messages):
            if message.get("role") != _TOOL:
                self._append_beside()
            self._add(message)
        self._append_beside()
        if not self._contents or not self._takes_instructions:
            # There must be contents, and an instruction alone is as good as a question.
            self._ask_first()
        if self._is_strict and self._contents[-1]["role"] == _MODEL:
            self._append(_USER, [{"text": _CLOSING}])
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
        elif role == _TOOL:
            read = _READ_OF_ANSWERS
            said = parts_of(message.get("content"), self.dropped)
            result, beside = self._calls.answered(message, said)
            self._append(_USER, [result])
            self._beside += beside
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

    def _ask_first(self) -> None:
        """What would be the instruction begins the first turn, which is the user's."""
        parts, self._system = self._system, []
        first = self._contents[0] if self._contents else None
        if first is not None and first["role"] == _USER and not _is_result(first["parts"]):
            first["parts"] = parts + first["parts"]
        elif parts or first is None:
            self._contents.insert(0, {"role": _USER, "parts": parts})

    def _append_beside(self) -> None:
        """What results came with, behind the last of them."""
        beside, self._beside = self._beside, []
        self._append(_USER, beside)

    def _append(self, role: str, parts: list[Part]) -> None:
        """Neighbours of one role are one turn, since the roles take turns; but nothing may stand
        beside results: https://github.com/vellum-ai/vellum-assistant/pull/39495"""
        if not parts:
            return
        last = self._contents[-1] if self._contents else None
        if last and last["role"] == role and _is_result(last["parts"]) == _is_result(parts):
            last["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})


def _is_result(parts: list[Part]) -> bool:
    return "functionResponse" in parts[0]


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
