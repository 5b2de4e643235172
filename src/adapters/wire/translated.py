from typing import Any

from ...application.ports.upstream import ChatChunk
from .chunk_stream import EventReader
from .codec import Codec, EncodedChat
from .identity import Identity
from .json_object import json_object
from .malformed import BrokeOff
from .said import said_bytes
from .sse import Event
from .usage import token_usage


class TranslatedEvents:
    """Events of any provider, as chunks in the OpenAI format."""

    def __init__(self, codec: Codec, sent: EncodedChat, model: str) -> None:
        self._codec = codec
        self._decode = codec.decoder(sent)
        self._identity = Identity(model)
        self._begun: set[int] = set()
        self._finished: set[int] = set()

    @property
    def is_over(self) -> bool:
        return False

    def read(self, event: Event) -> list[ChatChunk] | None:
        body = json_object(event.data)
        if body.get("error") or body.get("object") == "error" or event.name == b"error":
            said = self._codec.complaint(body).message or "an error without a message"
            raise BrokeOff(f"broke off: {said}")
        chunks = self._decode(body, event.name)
        return None if chunks is None else [self._chunk(chunk) for chunk in chunks]

    def check_done(self) -> None:
        """Wherever it stands: servers that leave out why a choice finished close with it, too."""

    def check_finished(self) -> None:
        if not self._finished or self._begun - self._finished:
            raise BrokeOff("hung up before its answer was finished.")

    def _chunk(self, body: dict[str, Any]) -> ChatChunk:
        self._identity.complete(body)
        choices = body["choices"]
        self._note_finished(choices)
        usage = body.get("usage")
        return ChatChunk(
            body=body,
            usage=None if usage is None else token_usage(usage),
            text_bytes=said_bytes(choices) if choices else 0,
        )

    def _note_finished(self, choices: list[dict[str, Any]]) -> None:
        for choice in choices:
            index, reason = choice["index"], choice["finish_reason"]
            self._begun.add(index)
            if reason == "error":  # Mistral and OpenRouter
                raise BrokeOff("broke off with an error.")
            if reason is not None:
                self._finished.add(index)


_: type[EventReader] = TranslatedEvents
