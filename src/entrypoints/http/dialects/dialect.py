from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import orjson

from ....application.calls.complete_chat import CompletedChat
from ....application.calls.stream_chat import ChatStream
from ....domain.chat import ChatRequest
from ..errors import Answer, body_of


class DialectFront(Protocol):
    """A format of chats, as its callers see it.

    `parse` translates a request into a chat, and keeps the caller's own words beside it. Where the
    answer is in the dialect already, it is passed on; else it is translated back. Nothing here
    waits, or does I/O, but for the stream that is read.
    """

    @property
    def passed_on(self) -> tuple[str, ...]:
        """The headers that change what a caller asks for, in small letters."""
        ...

    def parse(self, body: object) -> ChatRequest:
        """Raises InvalidRequest, naming the field as the dialect does."""
        ...

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]: ...

    def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        """Server-sent events, the closing one included. Raises what the stream raises, where it
        has not told of it already."""
        ...

    def error(self, message: str, answer: Answer) -> Mapping[str, Any]:
        """The body of an error."""
        ...

    def error_event(self, message: str, answer: Answer) -> bytes:
        """In the middle of a stream."""
        ...


class OpenAIErrors:
    """The shape that OpenAI's own formats share; client libraries raise on the event."""

    passed_on: tuple[str, ...] = ()

    def error(self, message: str, answer: Answer) -> Mapping[str, Any]:
        return body_of(message, answer)

    def error_event(self, message: str, answer: Answer) -> bytes:
        return b"data: " + orjson.dumps(body_of(message, answer)) + b"\n\n"
