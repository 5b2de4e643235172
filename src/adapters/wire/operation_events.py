from typing import Any

from ...application.ports.upstream import ChatChunk
from ...domain.operations import Operation
from ...domain.usage import TokenUsage
from .chunk_stream import EventReader
from .codec import Codec, as_text
from .json_object import json_object
from .malformed import BrokeOff
from .operation_answers import operation_usage
from .sse import Event
from .usage import MAX_TOKENS

# There is one of the first for each picture, and nothing comes behind one of the others.
_PICTURES = frozenset({"image_generation.completed", "image_edit.completed"})
_LAST = frozenset({"transcript.text.done", "speech.audio.done"})


class OperationEvents:
    """Events of what is no chat, each passed on as it came.

    https://platform.openai.com/docs/api-reference/images-streaming,
    https://platform.openai.com/docs/api-reference/audio/transcript-text-done-event and
    https://platform.openai.com/docs/api-reference/audio/speech-audio-done-event
    """

    def __init__(self, codec: Codec, operation: Operation) -> None:
        self._codec = codec
        self._operation = operation
        self._usage: TokenUsage | None = None
        self._may_end = False
        self._is_over = False

    @property
    def is_over(self) -> bool:
        return self._is_over

    def read(self, event: Event) -> list[ChatChunk] | None:
        body = json_object(event.data)
        if not body.get("type") and event.name:
            body["type"] = event.name.decode(errors="replace")
        kind = as_text(body.get("type"))
        if body.get("error") or kind == "error":
            said = self._codec.complaint(body).message or "an error without a message"
            raise BrokeOff(f"broke off: {said}")
        self._is_over = kind in _LAST
        self._may_end = self._may_end or self._is_over or kind in _PICTURES
        return [ChatChunk(body=body, usage=self._told(kind, body), text_bytes=_said_bytes(body))]

    def done(self) -> list[ChatChunk]:
        """Wherever it stands: servers that have events of their own close with it."""
        return []

    def check_finished(self) -> None:
        if not self._may_end:
            raise BrokeOff("hung up before its answer was finished.")

    def _told(self, kind: str | None, body: dict[str, Any]) -> TokenUsage | None:
        """What has been used so far, where this event tells of it."""
        usage = operation_usage(body.get("usage"), self._operation)
        if usage is None or kind not in _PICTURES:
            return usage
        if self._usage is None:
            self._usage = usage
        elif self._usage.total + usage.total <= MAX_TOKENS:
            self._usage += usage
        return self._usage


def _said_bytes(body: dict[str, Any]) -> int:
    delta = body.get("delta")
    return len(delta.encode("utf-8", "surrogatepass")) if isinstance(delta, str) else 0


_: type[EventReader] = OperationEvents
