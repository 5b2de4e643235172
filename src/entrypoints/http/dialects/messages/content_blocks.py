from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .answer import call_block, text_block

Event = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class _Block:
    """`start` is None until enough is known to begin it. A `lasting` one may be added to when later
    ones have begun, until the answer is over; any other ends with the next."""

    start: dict[str, Any] | None
    lasting: bool = False
    is_begun: bool = False
    is_full: bool = False
    deltas: list[Event] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    block: _Block


class ContentBlocks:
    """The content of one streamed message. Anthropic's blocks come one after the other, where
    OpenAI's tool calls may be told in turns: what belongs to a later block waits until the one
    before it is over.

    https://docs.anthropic.com/en/docs/build-with-claude/streaming
    """

    def __init__(self, message_id: str) -> None:
        self._own_id = message_id.replace("msg_", "toolu_", 1)
        self._waiting: deque[_Block] = deque()
        self._index = 0
        self._calls: list[_Call] = []
        self._by_number: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    @property
    def has_calls(self) -> bool:
        return bool(self._calls)

    def text(self, text: str) -> None:
        block = self._open("text", text_block(""))
        block.deltas.append({"type": "text_delta", "text": text})

    def thinking(self, text: str, signature: str = "") -> None:
        """Some gateways say a thought again, whole, when they tell its signature."""
        block = self._open("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        if text and not (signature and text == "".join(block.thought)):
            block.thought.append(text)
            block.deltas.append({"type": "thinking_delta", "thinking": text})
        if signature:
            block.deltas.append({"type": "signature_delta", "signature": signature})
            block.is_full = True

    def whole(self, block: dict[str, Any]) -> None:
        self._waiting.append(_Block(start=block, is_full=True))

    def call(self, number: int | None, call_id: str, name: str, arguments: str) -> None:
        """What is told of one call."""
        call = self._known(number, call_id, name)
        if call is None:
            call = self._new_call(number, call_id)
        if name and not call.name:
            call.name = name
            self._begin(call)
        if arguments:
            call.block.deltas.append({"type": "input_json_delta", "partial_json": arguments})

    def told(self, *, is_over: bool = False) -> Iterator[Event]:
        """The events of what can be told by now."""
        if is_over:
            for call in self._calls:
                self._begin(call)
        while self._waiting:
            block = self._waiting[0]
            if block.start is None:
                return
            if not block.is_begun:
                block.is_begun = True
                yield self._event("content_block_start", content_block=block.start)
            for delta in block.deltas:
                yield self._event("content_block_delta", delta=delta)
            block.deltas.clear()
            if not is_over and (block.lasting or (len(self._waiting) == 1 and not block.is_full)):
                return
            yield self._event("content_block_stop")
            self._waiting.popleft()
            self._index += 1

    def _open(self, kind: str, start: dict[str, Any]) -> _Block:
        """The last block, where it is of this kind and can be added to."""
        last = self._waiting[-1] if self._waiting else None
        if last and last.start and last.start["type"] == kind and not last.is_full:
            return last
        block = _Block(start=start)
        self._waiting.append(block)
        return block

    def _known(self, number: int | None, call_id: str, name: str) -> _Call | None:
        """None for a call that begins. Some servers number all of them alike: an id and a name that
        are new begin another one; or not at all: then an id does."""
        if number is not None:
            call = self._by_number.get(number)
            is_another = call and call_id and name and call.name and call_id != call.id
            return None if is_another else call
        last = self._calls[-1] if self._calls else None
        return self._by_id.get(call_id) if call_id else last

    def _new_call(self, number: int | None, call_id: str) -> _Call:
        own_id = f"{self._own_id}_{len(self._calls)}"
        call = _Call(call_id or own_id, "", _Block(start=None, lasting=True))
        self._calls.append(call)
        self._by_id[call.id] = call
        self._waiting.append(call.block)
        if number is not None:
            self._by_number[number] = call
        return call

    def _begin(self, call: _Call) -> None:
        call.block.start = call_block(call.id, call.name, {})

    def _event(self, kind: str, **more: Any) -> Event:
        return {"type": kind, "index": self._index, **more}
