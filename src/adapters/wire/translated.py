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
        if chunks is None:
            return None
        return [self._chunk(part) for chunk in chunks for part in _parted(chunk)]

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
            usage=None if usage is None else token_usage(usage, body),
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


def _parted(body: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """OpenAI tells why a choice is finished after its calls, never with them. Its library takes a
    call for whole when the reason comes, and would miss one that comes along:
    https://github.com/openai/openai-python/blob/main/src/openai/lib/streaming/chat/_completions.py
    """
    if not any(
        choice["finish_reason"] is not None and choice["delta"].get("tool_calls")
        for choice in body["choices"]
    ):
        return (body,)
    first = {name: value for name, value in body.items() if name != "usage"}
    first["choices"] = [{**choice, "finish_reason": None} for choice in body["choices"]]
    last = [
        {"index": c["index"], "delta": {}, "logprobs": None, "finish_reason": c["finish_reason"]}
        for c in body["choices"]
    ]
    return first, {**body, "choices": last}


_: type[EventReader] = TranslatedEvents
