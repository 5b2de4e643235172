from collections.abc import AsyncIterator, Mapping
from typing import Any

from .....application.calls.complete_chat import CompletedChat
from .....application.calls.stream_chat import ChatStream
from .....domain.chat import ChatRequest
from .....domain.dialects import Dialect, Native
from ...errors import Answer
from ..dialect import DialectFront
from .errors import THREAD, error_body
from .events import StreamedMessage, event
from .replies import message_of
from .requests import chat_of
from .untranslated import lost


class Messages:
    """Anthropic's Messages, for every model that there is."""

    passed_on = ("anthropic-beta",)

    def parse(self, body: object) -> ChatRequest:
        return _parsed(body, is_capped=True)

    def parse_to_count(self, body: object) -> ChatRequest:
        """What `parse` takes, without a cap: nothing is going to be written."""
        return _parsed(body, is_capped=False)

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]:
        if completed.dialect is Dialect.MESSAGES:
            return completed.body
        return message_of(completed.body, asked)

    async def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        if stream.dialect is Dialect.MESSAGES:
            async for told in stream:
                yield event(told)
            return
        message = StreamedMessage(asked)
        async for chunk in stream:
            if events := b"".join(map(event, message.read(chunk))):
                yield events
        yield b"".join(map(event, message.end()))

    def error(self, message: str, answer: Answer) -> Mapping[str, Any]:
        return error_body(message, answer)

    def error_event(self, message: str, answer: Answer) -> bytes:
        return event(error_body(message, answer))


def _parsed(body: object, *, is_capped: bool) -> ChatRequest:
    chat = chat_of(body, is_capped=is_capped)
    native: dict[str, Any] = body if isinstance(body, dict) else {}
    # What was said before is kept by whoever answered: others would answer without it.
    kept = THREAD if native.get(THREAD) is not None else None
    return ChatRequest.parse(
        chat,
        Native(dialect=Dialect.MESSAGES, body=native, only_native=kept, dropped=lost(native)),
    )


_: type[DialectFront] = Messages
