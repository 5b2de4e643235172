from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from ....application.chat.complete_chat import CompletedChat
from ....application.chat.stream_chat import ChatStream
from ....domain.chat import ChatRequest
from ..errors import Answer


class DialectFront(Protocol):
    """A format of chats other than OpenAI's chat completions, as its callers see it.

    `parse` translates a request into a chat, and keeps what came beside it. Where the answer is in
    the dialect already, it is passed on; else it is translated back. Nothing here waits, or does
    I/O, but for the stream that is read.
    """

    def parse(self, body: object) -> ChatRequest:
        """Raises InvalidRequest, naming the field as the dialect does."""
        ...

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]: ...

    def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        """Server-sent events, the closing one included. Raises what the stream raises."""
        ...

    def error(self, message: str, answer: Answer) -> Mapping[str, Any]:
        """The body of an error."""
        ...

    def error_event(self, message: str, answer: Answer) -> bytes:
        """In the middle of a stream."""
        ...
