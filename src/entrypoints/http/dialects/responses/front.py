"""OpenAI's Responses: https://platform.openai.com/docs/api-reference/responses

Nothing is kept: a response can be had once, as the answer to its request. So `GET` and `DELETE`
of `/v1/responses/{id}`, its `/cancel` and its `/input_items` are unknown paths, and what builds on
responses that were kept, `previous_response_id` first of all, is for providers that keep them.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from .....application.calls.complete_chat import CompletedChat
from .....application.calls.stream_chat import ChatStream
from .....domain.chat import ChatRequest
from .....domain.dialects import Dialect, Native
from .....domain.errors import InvalidRequest
from ...errors import Answer, explained
from ..dialect import DialectFront, OpenAIErrors
from .events import EventWriter, OwnEvents, TranslatedEvents, error_fields, sse
from .keepsakes import without_keepsakes
from .replies import response_of
from .requests import translated


class Responses(OpenAIErrors):
    def parse(self, body: object) -> ChatRequest:
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        chat, lost = translated(body)
        native = Native(
            dialect=Dialect.RESPONSES,
            body=without_keepsakes(body),
            only_native=lost.only_native,
            dropped=lost.dropped,
        )
        return ChatRequest.parse(chat, native)

    def reply(self, asked: ChatRequest, completed: CompletedChat) -> Mapping[str, Any]:
        if completed.dialect is Dialect.RESPONSES:
            return completed.body
        return response_of(_asked(asked), completed.body)

    async def events(self, asked: ChatRequest, stream: ChatStream) -> AsyncIterator[bytes]:
        """Tells of a failure itself: its event is numbered, too."""
        is_own = stream.dialect is Dialect.RESPONSES
        writer: EventWriter = OwnEvents() if is_own else TranslatedEvents(_asked(asked))
        try:
            async for chunk in stream:
                if event := writer.chunk(chunk):
                    yield event
            if event := writer.end():
                yield event
        except Exception as error:  # noqa: BLE001  (whoever's fault it is)
            await stream.break_off(type(error).__name__)
            yield writer.fail(*explained(error))

    def error_event(self, message: str, answer: Answer) -> bytes:
        return sse({"type": "error", "sequence_number": 0, **error_fields(message, answer)})


def _asked(chat: ChatRequest) -> Mapping[str, Any]:
    return chat.body if chat.native is None else chat.native.body


_: type[DialectFront] = Responses
