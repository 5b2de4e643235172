from collections.abc import Iterator, Mapping
from typing import Any

from ..said import arguments_of, signed_thoughts_of, text_of, thoughts_of
from .envelope import Envelope
from .keepsakes import extra_of
from .open_items import Event, OpenCall, OpenItem, OpenMessage, OpenReasoning
from .output_items import COMPLETED
from .said import annotations_of, calls_of, logprobs_of


class Output:
    """What a model is putting out: sorts the deltas of a chat into items.

    Thoughts and text end when something else begins. Calls stay open to the end, since nothing
    says that the deltas of one must all come before those of the next.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._items: list[OpenItem] = []
        self._latest: OpenItem | None = None
        self._speaking: OpenReasoning | OpenMessage | None = None
        self._calls: list[OpenCall] = []
        self._by_index: dict[int, OpenCall] = {}

    def add(self, delta: Mapping[str, Any], choice: Mapping[str, Any]) -> Iterator[Event]:
        thoughts, signed = thoughts_of(delta), signed_thoughts_of(delta)
        if thoughts or signed:
            yield from self._think(thoughts, signed)
        text, refusal = text_of(delta.get("content")), text_of(delta.get("refusal"))
        if text or refusal:
            yield from self._say(text, refusal, logprobs_of(choice))
        if isinstance(self._speaking, OpenMessage):
            self._speaking.keep(extra_of(delta))
            yield from self._speaking.cite(annotations_of(delta))
        for call in calls_of(delta):
            yield from self._call(call)

    def end(self, status: str) -> Iterator[Event]:
        """`status` is that of what was said last: the others came to their end."""
        if not self._items:
            yield from self._say("", "", [])
        yield from self._stop_speaking(status)
        for call in self._calls:
            yield from call.end(self._status_of(call, status))

    def items(self, status: str) -> list[dict[str, Any]]:
        return [item.item(self._status_of(item, status)) for item in self._items]

    def _think(self, thoughts: str, signed: list[dict[str, Any]]) -> Iterator[Event]:
        reasoning = self._speaking
        if not isinstance(reasoning, OpenReasoning):
            yield from self._stop_speaking()
            index = len(self._items)
            reasoning = OpenReasoning(self._envelope.item_id("rs", index), index)
            self._items.append(reasoning)
            self._speaking = reasoning
            yield from reasoning.begin()
        self._latest = reasoning
        yield from reasoning.think(thoughts, signed)

    def _say(self, text: str, refusal: str, logprobs: list[dict[str, Any]]) -> Iterator[Event]:
        message = self._speaking
        if not isinstance(message, OpenMessage):
            yield from self._stop_speaking()
            index = len(self._items)
            message = OpenMessage(self._envelope.item_id("msg", index), index)
            self._items.append(message)
            self._speaking = message
            yield from message.begin()
        self._latest = message
        if text:
            yield from message.say(text, logprobs)
        if refusal:
            yield from message.refuse(refusal)

    def _call(self, told: Mapping[str, Any]) -> Iterator[Event]:
        yield from self._stop_speaking()
        name = text_of(told["function"].get("name"))
        call_id, index = text_of(told.get("id")), told.get("index")
        call = self._known(index, call_id, name)
        if call is None:
            place = len(self._items)
            call_id = call_id or self._envelope.item_id("call", place)
            call = OpenCall(self._envelope.item_id("fc", place), place, call_id)
            self._items.append(call)
            self._calls.append(call)
        if type(index) is int:
            self._by_index[index] = call
        self._latest = call
        call.keep(extra_of(told))
        yield from call.hear(name, arguments_of(told["function"]))

    def _known(self, index: object, call_id: str, name: str) -> OpenCall | None:
        """The call that a delta adds to; None where it begins one. By its index; some servers have
        the same for all: their calls differ in id, and have a name each. Some leave it out: there,
        an id that is new begins another."""
        if type(index) is int:
            call = self._by_index.get(index)
            is_another = bool(call and call_id and name and call_id != call.call_id)
            return None if is_another else call
        last = self._calls[-1:]
        found = (call for call in self._calls if call.call_id == call_id) if call_id else last
        return next(iter(found), None)

    def _stop_speaking(self, status: str = COMPLETED) -> Iterator[Event]:
        item, self._speaking = self._speaking, None
        if item is not None:
            yield from item.end(self._status_of(item, status))

    def _status_of(self, item: OpenItem, status: str) -> str:
        return status if item is self._latest else COMPLETED
