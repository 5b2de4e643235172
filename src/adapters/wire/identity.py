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
        if body.get("id") and body.get("model") and body.get("created") is not None:
            return
        if self._made is None:
            self._made = {
                "id": body.get("id") or f"chatcmpl-{uuid4().hex}",
                "created": int(time.time()),
                "model": body.get("model") or self._model,
            }
        for name, value in self._made.items():
            if not body.get(name):
                body[name] = value
