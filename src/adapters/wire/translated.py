from typing import Any

from ...application.ports.upstream import ChatChunk
from .call_numbers import CallNumbers
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
        self._calls: dict[int, CallNumbers] = {}
        self._last: dict[str, Any] = {}

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

    def done(self) -> list[ChatChunk]:
        """A closing `[DONE]` is the provider's own word for a clean end, also from servers that
        never tell why a choice finished. No dialect can end without a reason: it is told in their
        place, and so chats, responses, messages and completions all end as finished ones. A server
        that has told it of one choice, and not of another, has left that one unfinished."""
        if self._finished:
            self.check_finished()
        return [self._ended(index) for index in sorted(self._begun - self._finished)]

    def check_finished(self) -> None:
        if not self._finished or self._begun - self._finished:
            raise BrokeOff("hung up before its answer was finished.")

    def _ended(self, index: int) -> ChatChunk:
        reason = "tool_calls" if index in self._calls else "stop"
        choice = {"index": index, "delta": {}, "finish_reason": reason}
        head = {name: self._last[name] for name in ("id", "object", "created", "model")}
        return ChatChunk(body={**head, "choices": [choice]})

    def _chunk(self, body: dict[str, Any]) -> ChatChunk:
        self._identity.complete(body)
        self._last = body
        choices = body["choices"]
        self._note(choices)
        usage = body.get("usage")
        return ChatChunk(
            body=body,
            usage=None if usage is None else token_usage(usage),
            text_bytes=said_bytes(choices) if choices else 0,
        )

    def _note(self, choices: list[dict[str, Any]]) -> None:
        for choice in choices:
            index, reason = choice["index"], choice["finish_reason"]
            self._begun.add(index)
            if calls := choice["delta"].get("tool_calls"):
                self._calls.setdefault(index, CallNumbers()).number(calls)
            if reason == "error":  # Mistral and OpenRouter
                raise BrokeOff("broke off with an error.")
            if reason is not None:
                self._finished.add(index)


_: type[EventReader] = TranslatedEvents
