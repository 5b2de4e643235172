"""OpenAI's `functions` and `function_call`, before there were tools: whoever sends them reads the
answer there, too. https://platform.openai.com/docs/api-reference/chat/object"""

from dataclasses import dataclass
from typing import Any

from ...wire.codec import EncodedChat


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyChat(EncodedChat):
    """One whose caller knows no tools."""


def speaks_legacy(sent: EncodedChat) -> bool:
    return isinstance(sent, LegacyChat)


def with_function_call(body: dict[str, Any]) -> dict[str, Any]:
    """An answer or chunk, in place. There is room for one call only: the first."""
    for choice in body["choices"]:
        said = choice.get("message") or choice.get("delta") or {}
        calls = said.pop("tool_calls", None)
        if calls and calls[0].get("index", 0) == 0:
            extra = {name: calls[0][name] for name in ("extra_content",) if name in calls[0]}
            said["function_call"] = {**calls[0]["function"], **extra}
        if choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"] = "function_call"
    return body
