"""Mistral's own client libraries, which speak its format: OpenAI's, but for the name of a seed, and
with a stream of its own.

There, usage is always told, since nothing in the format asks for it; and a tool call comes whole,
with its name, without which its libraries refuse the chunk:
https://docs.mistral.ai/api/endpoint/chat and https://github.com/mistralai/client-python
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
from quart import Request, Response

from ....application.calls.stream_chat import ChatStream
from ....domain.chat import ChatRequest
from ..front import Handler
from .chat_completions import DONE, ChatCompletions
from .dialect import DialectFront
from .said import as_object

_AGENT = "mistral-client-"


def where_mistrals_client_asks(its_own: Handler, others: Handler) -> Handler:
    """Told by the name that it gives itself: nothing else in a request tells."""

    async def handle(request: Request) -> Response:
        is_its_own = request.headers.get("user-agent", "").startswith(_AGENT)
        return await (its_own if is_its_own else others)(request)

    return handle


class MistralChats(ChatCompletions):
    def parse(self, body: object) -> ChatRequest:
        if isinstance(body, dict) and "random_seed" in body:
            body = {"seed": body["random_seed"], **body}
            del body["random_seed"]
        return replace(super().parse(body), include_usage=True)

    async def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        del asked
        held = HeldCalls()
        async for chunk in stream:
            yield b"data: " + orjson.dumps(held.told(chunk)) + b"\n\n"
        yield DONE


class HeldCalls:
    """Holds the pieces of tool calls back until their choice is finished."""

    def __init__(self) -> None:
        self._calls: dict[int, dict[int, _HeldCall]] = {}

    def told(self, chunk: dict[str, Any]) -> dict[str, Any]:
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            return chunk
        return {**chunk, "choices": [self._choice(choice) for choice in choices]}

    def _choice(self, choice: Any) -> Any:
        if not isinstance(choice, dict) or not isinstance(choice.get("delta"), dict):
            return choice
        delta, place = choice["delta"], choice.get("index", 0)
        calls = self._calls.setdefault(place, {})
        for number, piece in enumerate(delta.get("tool_calls") or ()):
            _add(calls, number, piece)
        delta = {name: value for name, value in delta.items() if name != "tool_calls"}
        if choice.get("finish_reason") is not None and calls:
            delta["tool_calls"] = [call.whole() for call in self._calls.pop(place).values()]
        return {**choice, "delta": delta}


class _HeldCall:
    def __init__(self, piece: Mapping[str, Any]) -> None:
        self._first = piece
        self._name = ""
        self._arguments: list[str] = []

    def add(self, function: Mapping[str, Any]) -> None:
        self._name = self._name or function.get("name") or ""
        self._arguments.append(function.get("arguments") or "")

    def whole(self) -> dict[str, Any]:
        function = as_object(self._first.get("function"))
        told = {"name": self._name, "arguments": "".join(self._arguments)}
        return {**self._first, "function": {**function, **told}}


def _add(calls: dict[int, _HeldCall], number: int, piece: Mapping[str, Any]) -> None:
    call = calls.setdefault(piece.get("index", number), _HeldCall(piece))
    call.add(as_object(piece.get("function")))


_: type[DialectFront] = MistralChats
