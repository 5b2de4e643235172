"""A conversation's items as the messages of a chat.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
"""

from typing import Any

from .....domain.fields import given, required, wrong_type
from .keepsakes import EXTRA, extra_of, is_wrapped, unwrapped
from .parts import as_parts, chat_content, simplest
from .untranslated import Untranslated

# What a chat cannot say but by its place: an item's id, and how far it came.
_ALWAYS = frozenset({"type", "id", "status"})
_KNOWN = {
    "message": _ALWAYS | {"role", "content", EXTRA},
    "reasoning": _ALWAYS | {"summary", "content", "encrypted_content"},
    "function_call": _ALWAYS | {"call_id", "name", "arguments", EXTRA},
    "function_call_output": _ALWAYS | {"call_id", "output"},
}
# Not every server knows the newer name.
_ROLES = {"developer": "system"}


class Conversation:
    """Collects `messages`. What a model thinks, says and calls in one turn are items of their own;
    in a chat they are one message, which the calls' outputs follow at once."""

    def __init__(self, lost: Untranslated) -> None:
        self.messages: list[dict[str, Any]] = []
        self._lost = lost
        self._turn: dict[str, Any] | None = None
        self._thoughts: list[str] = []
        self._signed: list[dict[str, Any]] = []

    def add(self, item: object, param: str) -> None:
        """Raises InvalidRequest, naming the field."""
        if not isinstance(item, dict):
            raise wrong_type(param, "an object")
        kind = _kind(item, param)
        if kind in _KNOWN:
            self._lost.drop_all_but(_KNOWN[kind], item, "input")
        match kind:
            case "message":
                self._add_message(item, param)
            case "reasoning":
                self._add_thoughts(item, param)
            case "function_call":
                self._add_call(item, param)
            case "function_call_output":
                self._add_output(item, param)
            case "item_reference":
                self._lost.needs_native(param)
            case _:
                self._lost.needs_native(f"{param}.type")

    def end_turn(self) -> None:
        if self._thoughts or self._signed:
            # Thoughts that led to nothing which was sent along: no message can hold them.
            self._lost.drop("input.reasoning")
            self._thoughts.clear()
            self._signed.clear()
        self._turn = None

    def _add_message(self, item: dict[str, Any], param: str) -> None:
        role = required(item, "role", str, param)
        content = chat_content(item.get("content"), f"{param}.content", self._lost)
        if role != "assistant":
            self.end_turn()
            self.messages.append({"role": _ROLES.get(role, role), "content": content})
            return
        parts = as_parts(content)
        refusal = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
        said = [part for part in parts if part["type"] != "refusal"]
        turn = self._turn
        if turn is not None and "tool_calls" not in turn:
            self._turn = None  # it has said what it had to say
        turn = self._open_turn()
        # Behind a call that waits for its output, no message may stand.
        said = [*as_parts(turn["content"] or ""), *said]
        turn["content"] = simplest(said) if said or not refusal else None
        if refusal:
            turn["refusal"] = refusal
        turn.update(extra_of(item))

    def _add_thoughts(self, item: dict[str, Any], param: str) -> None:
        content = given(item, "encrypted_content", str, param)
        if content is not None:
            if is_wrapped(content):
                self._signed.extend(unwrapped(content))
            else:  # another provider's, or that of another format
                self._lost.drop("input.encrypted_content")
        for name in ("content", "summary"):  # the thoughts themselves, else what is told of them
            found = given(item, name, list, param) or []
            texts = [part["text"] for part in found if _is_text(part)]
            if texts:
                self._thoughts.extend(texts)
                return

    def _add_call(self, item: dict[str, Any], param: str) -> None:
        function = {
            "name": required(item, "name", str, param),
            "arguments": required(item, "arguments", str, param),
        }
        call_id = required(item, "call_id", str, param)
        call = {"id": call_id, "type": "function", "function": function, **extra_of(item)}
        self._open_turn().setdefault("tool_calls", []).append(call)

    def _add_output(self, item: dict[str, Any], param: str) -> None:
        call_id = required(item, "call_id", str, param)
        content = chat_content(item.get("output"), f"{param}.output", self._lost)
        self.end_turn()
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _open_turn(self) -> dict[str, Any]:
        if self._turn is None:
            self._turn = {"role": "assistant", "content": None}
            self.messages.append(self._turn)
        if self._thoughts:
            before = self._turn.get("reasoning_content")
            thoughts = [*([before] if before else []), *self._thoughts]
            self._turn["reasoning_content"] = "\n\n".join(thoughts)
            self._thoughts.clear()
        if self._signed:
            self._turn.setdefault("thinking_blocks", []).extend(self._signed)
            self._signed.clear()
        return self._turn


def _kind(item: dict[str, Any], param: str) -> str:
    kind = given(item, "type", str, param)
    if kind is not None:
        return kind
    if "role" in item:
        return "message"
    if "id" in item:
        return "item_reference"
    raise wrong_type(f"{param}.type", "a string")


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str) and bool(part["text"])
