"""What Claude is asked, as a chat in the OpenAI format.

https://docs.anthropic.com/en/api/messages
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from .....domain.errors import InvalidRequest
from .....domain.fields import Json, as_a, given, required
from .tools import is_strict, tools_of
from .turns import messages_of

_MAX_CAP = 10**9
# OpenAI refuses a longer `user`; Claude Code's are about 150 characters.
_MAX_USER = 64
# How many tokens of thinking come to how much effort, where each begins.
_MEDIUM_FROM, _HIGH_FROM = 4_000, 16_000
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}


def chat_of(body: object, *, is_capped: bool = True) -> dict[str, Any]:
    """`is_capped` is False where nothing is going to be written. Raises InvalidRequest."""
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    model = required(body, "model", str)
    if not model:
        raise InvalidRequest("'model' must not be empty.", param="model")
    chat: dict[str, Any] = {"model": model, "messages": messages_of(body)}
    if is_capped:
        chat["max_tokens"] = _cap(body)
    if (user := _user(body)) is not None:
        chat["user"] = user
    if (effort := _effort(body)) is not None:
        chat["reasoning_effort"] = effort
    if (schema := _schema(body)) is not None:
        asked = {"name": "output", "schema": schema, "strict": is_strict(schema)}
        chat["response_format"] = {"type": "json_schema", "json_schema": asked}
    if given(body, "stream", bool):
        chat |= {"stream": True, "stream_options": {"include_usage": True}}
    return chat | _sampling(body) | tools_of(body)


def _cap(body: Json) -> int:
    cap = required(body, "max_tokens", int)
    if not 1 <= cap <= _MAX_CAP:
        raise InvalidRequest(f"'max_tokens' must be from 1 to {_MAX_CAP}.", param="max_tokens")
    return cap


def _sampling(body: Json) -> dict[str, Any]:
    given(body, "top_k", int)
    told = {name: given(body, name, float) for name in ("temperature", "top_p")}
    fields: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if stops := given(body, "stop_sequences", list):
        fields["stop"] = [as_a(str, s, f"stop_sequences.{i}") for i, s in enumerate(stops)]
    return fields


def _user(body: Json) -> str | None:
    metadata: Mapping[str, Any] = given(body, "metadata", dict) or {}
    user = given(metadata, "user_id", str, "metadata")
    if user is None or len(user) <= _MAX_USER:
        return user
    return blake2b(user.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _effort(body: Json) -> str | None:
    """None where no thinking is asked for. How much of it may be told beside it, in words."""
    thinking: Mapping[str, Any] | None = given(body, "thinking", dict)
    config: Mapping[str, Any] = given(body, "output_config", dict) or {}
    told = _EFFORTS.get(given(config, "effort", str, "output_config") or "")
    if thinking is None:
        return None
    match required(thinking, "type", str, "thinking"):
        case "enabled":
            budget = required(thinking, "budget_tokens", int, "thinking")
            if budget < _MEDIUM_FROM:
                return told or "low"
            return told or ("medium" if budget < _HIGH_FROM else "high")
        case "adaptive" | "between_tools":
            return told or "medium"
    return None


def _schema(body: Json) -> dict[str, Any] | None:
    """In `output_config.format`, or, in its beta, in `output_format`.

    https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
    """
    config: Mapping[str, Any] = given(body, "output_config", dict) or {}
    for holder, name, at in ((config, "format", "output_config"), (body, "output_format", "")):
        wanted: dict[str, Any] | None = given(holder, name, dict, at)
        if wanted is None:
            continue
        where = f"{at}.{name}" if at else name
        if required(wanted, "type", str, where) == "json_schema":
            schema: dict[str, Any] = required(wanted, "schema", dict, where)
            return schema
    return None
