import time
from typing import Any
from uuid import uuid4


class Identity:
    """The `id`, `created` and `model` that the OpenAI format requires, for upstreams that leave
    them out. One for each answer, since all of its chunks must tell the same."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._made: dict[str, Any] | None = None

    def complete(self, body: dict[str, Any]) -> None:
        if _is_text(body.get("id")) and _is_text(body.get("model")) and _is_time(body):
            return
        if self._made is None:
            self._made = {
                "id": _text(body.get("id")) or f"chatcmpl-{uuid4().hex}",
                "created": body["created"] if _is_time(body) else int(time.time()),
                "model": _text(body.get("model")) or self._model,
            }
        for name in ("id", "model"):
            if not _is_text(body.get(name)):
                body[name] = self._made[name]
        if not _is_time(body):
            body["created"] = self._made["created"]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _is_time(body: dict[str, Any]) -> bool:
    return type(body.get("created")) is int
