"""A streamed answer as server-sent events.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import orjson

from ...errors import Answer, body_of
from .envelope import Envelope, ending
from .open_items import Event
from .output import Output
from .output_items import COMPLETED, IN_PROGRESS, INCOMPLETE
from .said import first_choice
from .usage import responses_usage

_RATE_LIMIT = "rate_limit_exceeded"
_MAX_NUMBER = 2**53  # clients count in JavaScript, too


class EventWriter(Protocol):
    """What is to be sent for what has come."""

    def chunk(self, chunk: Mapping[str, Any]) -> bytes: ...

    def end(self) -> bytes: ...

    def fail(self, message: str, answer: Answer) -> bytes:
        """The answer broke off."""
        ...


class TranslatedEvents:
    """Of the chunks of a chat."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._asked = asked
        self._begun: tuple[Envelope, Output] | None = None
        self._finish_reason: object = None
        self._usage: dict[str, Any] | None = None
        self._sent = 0

    def chunk(self, chunk: Mapping[str, Any]) -> bytes:
        return self._numbered(self._of_chunk(chunk))

    def end(self) -> bytes:
        return self._numbered(self._of_end())

    def fail(self, message: str, answer: Answer) -> bytes:
        events = [("error", error_fields(message, answer))]
        if self._begun is not None:
            envelope, output = self._begun
            error = {"code": failed_code(answer), "message": message}
            failed = envelope.response("failed", output.items(INCOMPLETE), error=error)
            events.append(("response.failed", {"response": failed}))
        return self._numbered(events)

    def _of_chunk(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        if self._begun is None:
            envelope = Envelope.of(self._asked, chunk)
            self._begun = envelope, Output(envelope)
            for kind in ("response.created", "response.in_progress"):
                yield kind, {"response": envelope.response(IN_PROGRESS, [])}
        self._usage = responses_usage(chunk.get("usage")) or self._usage
        choice = first_choice(chunk)
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        if isinstance(delta := choice.get("delta"), dict):
            yield from self._begun[1].add(delta, choice)

    def _of_end(self) -> Iterator[Event]:
        if self._begun is None:
            return
        envelope, output = self._begun
        status, reason = ending(self._finish_reason)
        yield from output.end(status)
        response = envelope.response(status, output.items(status), usage=self._usage, reason=reason)
        kind = "response.completed" if status == COMPLETED else "response.incomplete"
        yield kind, {"response": response}

    def _numbered(self, events: Iterable[Event]) -> bytes:
        written = b""
        for kind, fields in events:
            written += sse({"type": kind, "sequence_number": self._sent, **fields})
            self._sent += 1
        return written


class OwnEvents:
    """Of a provider that speaks the dialect itself: they are passed on."""

    def __init__(self) -> None:
        self._number = -1
        self._response: dict[str, Any] | None = None
        self._has_failed = False

    def chunk(self, chunk: Mapping[str, Any]) -> bytes:
        number, response = chunk.get("sequence_number"), chunk.get("response")
        self._number += 1
        if type(number) is int and 0 <= number <= _MAX_NUMBER:
            self._number = number
        self._response = response if isinstance(response, dict) else self._response
        self._has_failed = chunk.get("type") == "response.failed"
        return sse(chunk)

    def end(self) -> bytes:
        return b""

    def fail(self, message: str, answer: Answer) -> bytes:
        fields = error_fields(message, answer)
        written = sse({"type": "error", "sequence_number": self._number + 1, **fields})
        if self._response is None or self._has_failed:
            return written
        error = {"code": failed_code(answer), "message": message}
        failed = {**self._response, "status": "failed", "error": error}
        number = self._number + 2
        event = {"type": "response.failed", "sequence_number": number, "response": failed}
        return written + sse(event)


def sse(event: Mapping[str, Any]) -> bytes:
    """The event's own type is its name, too; one that would not fit into a line is left out."""
    kind = event.get("type")
    name = f"event: {kind}\n" if isinstance(kind, str) and kind.isprintable() else ""
    return name.encode() + b"data: " + orjson.dumps(event) + b"\n\n"


def error_fields(message: str, answer: Answer) -> dict[str, Any]:
    """The documents have them flat, and OpenAI sends them nested; its client library raises on what
    is nested, and has a type for what is flat (https://github.com/openai/openai-dotnet/issues/881).
    """
    told = {"code": answer.code or answer.type, "message": message, "param": answer.param}
    return {**told, **body_of(message, answer)}


def failed_code(answer: Answer) -> str:
    # Of the codes that the documents list, the two that a provider's failure can be.
    return _RATE_LIMIT if answer.code == _RATE_LIMIT else "server_error"


_writers: tuple[type[EventWriter], ...] = (TranslatedEvents, OwnEvents)
