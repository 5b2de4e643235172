"""A streamed answer as https://docs.anthropic.com/en/docs/build-with-claude/streaming has it: named
events, one message, its blocks one after the other."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from .....domain.chat import ChatRequest
from ..said import arguments_of, as_object, as_text, objects, text_of, thoughts_of
from .answer import head, stop_of, thinking_blocks
from .content_blocks import ContentBlocks, Event
from .usage import NOTHING_YET, delta_usage


def event(body: Mapping[str, Any]) -> bytes:
    kind = body.get("type")
    name = f"event: {kind}\n" if isinstance(kind, str) and kind.isidentifier() else ""
    return name.encode() + b"data: " + orjson.dumps(body) + b"\n\n"


class StreamedMessage:
    """Turns the chunks of one answer in the OpenAI format into events."""

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self._blocks: ContentBlocks | None = None
        self._last_choice: dict[str, Any] = {}
        self._has_refused = False
        self._usage: object = None
        self._said_bytes = 0

    def read(self, chunk: Mapping[str, Any]) -> Iterator[Event]:
        if self._blocks is None:
            begun = head(chunk, self._asked)
            self._blocks = ContentBlocks(begun["id"])
            yield _started(begun)
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        for choice in objects(chunk.get("choices")):
            if choice.get("index") in (0, None):
                self._add(as_object(choice.get("delta")), self._blocks)
                if choice.get("finish_reason") is not None:
                    self._last_choice = choice
        yield from self._blocks.told()

    def end(self) -> Iterator[Event]:
        has_calls = False
        if self._blocks is not None:
            yield from self._blocks.told(is_over=True)
            has_calls = self._blocks.has_calls
        stop = stop_of(self._last_choice, has_calls=has_calls, has_refused=self._has_refused)
        usage = delta_usage(self._usage, self._asked, self._said_bytes)
        yield {"type": "message_delta", "delta": stop, "usage": usage}
        yield {"type": "message_stop"}

    def _add(self, delta: Mapping[str, Any], blocks: ContentBlocks) -> None:
        if thoughts := thinking_blocks(delta):
            for block in thoughts:
                self._think(block, blocks)
        elif text := thoughts_of(delta):
            blocks.thinking(self._noted(text))
        if text := text_of(delta.get("content")):
            blocks.text(self._noted(text))
        if text := as_text(delta.get("refusal")):
            self._has_refused = True
            blocks.text(self._noted(text))
        for call in objects(delta.get("tool_calls")):
            number, function = call.get("index"), as_object(call.get("function"))
            blocks.call(
                number if type(number) is int else None,
                as_text(call.get("id")),
                as_text(function.get("name")),
                self._noted(arguments_of(function)),
            )

    def _think(self, block: dict[str, Any], blocks: ContentBlocks) -> None:
        if block["type"] == "redacted_thinking":
            blocks.whole(block)
            return
        text, signature = as_text(block.get("thinking")), as_text(block.get("signature"))
        if text or signature:
            blocks.thinking(self._noted(text), signature)

    def _noted(self, text: str) -> str:
        self._said_bytes += len(text.encode("utf-8", "surrogatepass"))
        return text


def _started(begun: dict[str, Any]) -> Event:
    """What was read is told at the end: only Anthropic knows it before it writes."""
    no_end = {"stop_reason": None, "stop_sequence": None, "stop_details": None, "container": None}
    return {
        "type": "message_start",
        "message": {**begun, "content": [], **no_end, "usage": NOTHING_YET},
    }
