from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from ....application.calls.complete_chat import CompletedChat
from ....application.calls.stream_chat import ChatStream
from ....domain.chat import ChatRequest
from .dialect import DialectFront, OpenAIErrors

DONE = b"data: [DONE]\n\n"


class ChatCompletions(OpenAIErrors):
    """The gateway's own tongue: nothing is translated."""

    def parse(self, body: object) -> ChatRequest:
        return ChatRequest.parse(body)

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]:
        del asked
        return completed.body

    async def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        del asked
        async for chunk in stream:
            yield b"data: " + orjson.dumps(chunk) + b"\n\n"
        yield DONE


_: type[DialectFront] = ChatCompletions
