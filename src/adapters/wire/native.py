"""Answers that go back as they came, in the dialect that the caller speaks: read for what the
gateway has to know, and not changed.

https://platform.openai.com/docs/api-reference/responses-streaming and
https://platform.openai.com/docs/api-reference/completions;
https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from collections.abc import Mapping
from typing import Any

from ...application.ports.upstream import ChatChunk
from ...domain.dialects import Dialect
from ...domain.usage import TokenUsage
from .chunk_stream import EventReader
from .codec import Codec
from .json_object import json_object
from .malformed import BrokeOff, Malformed
from .sse import Event
from .usage import messages_usage, responses_usage, token_usage

# Where a whole answer holds what the model said.
_SAID = {
    Dialect.MESSAGES: "content",
    Dialect.RESPONSES: "output",
    Dialect.COMPLETIONS: "choices",
}
_RESPONSE_ENDS = ("response.completed", "response.incomplete")
_RESPONSE_FAILED = "response.failed"


def native_usage(dialect: Dialect, answer: Mapping[str, Any]) -> TokenUsage | None:
    """Of a whole answer, or of what has been told of it so far."""
    usage = answer.get("usage")
    match dialect:
        case Dialect.MESSAGES:
            return messages_usage(usage)
        case Dialect.RESPONSES:
            return responses_usage(usage, answer)
        case Dialect.COMPLETIONS:
            return token_usage(usage, answer)


def check_native(dialect: Dialect, answer: Mapping[str, Any]) -> None:
    """Raises Malformed where a whole answer is none in the dialect."""
    name = _SAID[dialect]
    if not isinstance(answer.get(name), list):
        raise Malformed(f"it has no {name}")


class NativeEvents:
    """Events of one streamed answer, each passed on as it came."""

    def __init__(self, codec: Codec, dialect: Dialect, credential: str | None = None) -> None:
        self._codec = codec
        self._dialect = dialect
        self._credential = credential
        self._has_begun = False
        self._usage: dict[str, Any] = {}
        self._may_end = False
        self._is_over = False
        self._failure: str | None = None

    @property
    def is_over(self) -> bool:
        return self._is_over

    def read(self, event: Event) -> list[ChatChunk] | None:
        self._check_failure()
        if self._is_over:
            return None
        body = json_object(event.data)
        kind = body.get("type")
        if kind == "error" or (kind is None and body.get("error")):
            said = self._codec.complaint(body).message or "an error without a message"
            raise BrokeOff(f"broke off: {said}")
        if kind == _RESPONSE_FAILED:
            body = self._failed(event)
        self._has_begun = True
        return [ChatChunk(body=body, usage=self._told(kind, body), text_bytes=_said_bytes(body))]

    def _failed(self, event: Event) -> dict[str, Any]:
        """Passed on for what it tells, but for the credential, which some providers quote; no way
        to end well, and none to begin, since another target may be asked."""
        secret = (self._credential or "").encode()
        body = json_object(event.data.replace(secret, b"***") if secret else event.data)
        self._failure = self._codec.complaint(_object(body, "response")).message or "it failed"
        if not self._has_begun:
            self._check_failure()
        return body

    def done(self) -> list[ChatChunk]:
        """Text completions end so, and nothing is added to what is passed on as it came. The others
        have a closing event of their own, and what is marked as done without it was cut off."""
        self._check_failure()
        if self._dialect is not Dialect.COMPLETIONS:
            self.check_finished()
        return []

    def check_finished(self) -> None:
        self._check_failure()
        if not self._may_end:
            raise BrokeOff("hung up before its answer was finished.")

    def _check_failure(self) -> None:
        if self._failure is not None:
            raise BrokeOff(f"broke off: {self._failure}")

    def _told(self, kind: object, body: dict[str, Any]) -> TokenUsage | None:
        """The usage, where this event tells it; notes whether it may be, or is, the last."""
        match self._dialect:
            case Dialect.COMPLETIONS:
                choices = body.get("choices")
                if isinstance(choices, list):
                    ended = (c.get("finish_reason") for c in choices if isinstance(c, dict))
                    self._may_end = self._may_end or any(ended)
                return native_usage(self._dialect, body)
            case Dialect.RESPONSES:
                self._may_end = self._is_over = kind in _RESPONSE_ENDS
                ends = self._is_over or kind == _RESPONSE_FAILED
                return native_usage(self._dialect, _object(body, "response")) if ends else None
            case Dialect.MESSAGES:
                self._may_end = self._is_over = kind == "message_stop"
                return self._messages_usage(kind, body)

    def _messages_usage(self, kind: object, body: dict[str, Any]) -> TokenUsage | None:
        """The input is told at the start, the output at the end, and grows."""
        told = _object(body, "message") if kind == "message_start" else body
        usage = _object(told, "usage")
        if kind not in ("message_start", "message_delta") or not usage:
            return None
        self._usage.update({name: value for name, value in usage.items() if value is not None})
        return messages_usage(self._usage)


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _said_bytes(body: Mapping[str, Any]) -> int:
    """How much the model has said in an event, whichever dialect it is in."""
    delta = body.get("delta")
    if isinstance(delta, str):
        return len(delta.encode("utf-8", "surrogatepass"))
    choices = body.get("choices")
    said = [delta] if isinstance(delta, dict) else choices if isinstance(choices, list) else ()
    return sum(
        len(value.encode("utf-8", "surrogatepass"))
        for part in said
        if isinstance(part, dict)
        for name in ("text", "thinking", "partial_json")
        if isinstance(value := part.get(name), str)
    )


_: type[EventReader] = NativeEvents
