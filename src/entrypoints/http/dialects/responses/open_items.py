"""Items that are still being put out, and the events that tell of them.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Iterator
from typing import Any, Protocol

from .keepsakes import merged, wrapped
from .output_items import (
    IN_PROGRESS,
    call_item,
    message_item,
    reasoning_item,
    refusal_part,
    summary_part,
    text_part,
)

Event = tuple[str, dict[str, Any]]
"""Its type, and what it holds beside that and its number. To be written before the next is asked
for: what it holds goes on growing."""


class OpenItem(Protocol):
    def end(self, status: str) -> Iterator[Event]: ...

    def item(self, status: str) -> dict[str, Any]:
        """As far as it has come."""
        ...


class OpenReasoning:
    def __init__(self, item_id: str, index: int) -> None:
        self._id = item_id
        self._at = {"output_index": index}
        self._place = {"item_id": item_id, "output_index": index, "summary_index": 0}
        self._thoughts: list[str] = []
        self._signed: list[dict[str, Any]] = []

    def begin(self) -> Iterator[Event]:
        yield "response.output_item.added", {**self._at, "item": self.item(IN_PROGRESS)}

    def think(self, thoughts: str, signed: list[dict[str, Any]]) -> Iterator[Event]:
        self._signed += signed
        if not thoughts:
            return
        if not self._thoughts:
            part = summary_part("")
            yield "response.reasoning_summary_part.added", {**self._place, "part": part}
        self._thoughts.append(thoughts)
        yield "response.reasoning_summary_text.delta", {**self._place, "delta": thoughts}

    def end(self, status: str) -> Iterator[Event]:
        if text := "".join(self._thoughts):
            yield "response.reasoning_summary_text.done", {**self._place, "text": text}
            part = summary_part(text)
            yield "response.reasoning_summary_part.done", {**self._place, "part": part}
        yield "response.output_item.done", {**self._at, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        content = None if status == IN_PROGRESS else wrapped(self._signed)
        return reasoning_item(self._id, "".join(self._thoughts), content)


class OpenMessage:
    """Text, or a refusal, or one after the other: each is a part."""

    def __init__(self, item_id: str, index: int) -> None:
        self._id = item_id
        self._at = {"output_index": index}
        self._index = index
        self._parts: list[dict[str, Any]] = []
        self._heard: list[str] = []
        self._extra: dict[str, Any] = {}

    def begin(self) -> Iterator[Event]:
        yield "response.output_item.added", {**self._at, "item": self.item(IN_PROGRESS)}

    def say(self, text: str, logprobs: list[dict[str, Any]]) -> Iterator[Event]:
        yield from self._into(text_part(""))
        part = self._parts[-1]
        self._heard.append(text)
        part["logprobs"] += logprobs
        yield "response.output_text.delta", {**self._place(), "delta": text, "logprobs": logprobs}

    def refuse(self, text: str) -> Iterator[Event]:
        yield from self._into(refusal_part(""))
        self._heard.append(text)
        yield "response.refusal.delta", {**self._place(), "delta": text}

    def keep(self, extra: dict[str, Any]) -> None:
        self._extra = merged(self._extra, extra)

    def cite(self, annotations: list[dict[str, Any]]) -> Iterator[Event]:
        if self._parts and self._parts[-1]["type"] == "output_text":
            notes = self._parts[-1]["annotations"]
            for note in annotations:
                told = {"annotation_index": len(notes), "annotation": note}
                notes.append(note)
                yield "response.output_text.annotation.added", {**self._place(), **told}

    def end(self, status: str) -> Iterator[Event]:
        if not self._parts:
            yield from self._into(text_part(""))
        yield from self._part_done()
        yield "response.output_item.done", {**self._at, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        self._take_in()
        return message_item(self._id, self._parts, status) | self._extra

    def _take_in(self) -> None:
        """Not piece by piece: that would copy a long text as often as it has pieces."""
        if self._heard:
            part = self._parts[-1]
            part["refusal" if part["type"] == "refusal" else "text"] += "".join(self._heard)
            self._heard.clear()

    def _into(self, empty: dict[str, Any]) -> Iterator[Event]:
        if self._parts:
            if self._parts[-1]["type"] == empty["type"]:
                return
            yield from self._part_done()
        self._parts.append(empty)
        yield "response.content_part.added", {**self._place(), "part": empty}

    def _part_done(self) -> Iterator[Event]:
        self._take_in()
        part, place = self._parts[-1], self._place()
        if part["type"] == "refusal":
            yield "response.refusal.done", {**place, "refusal": part["refusal"]}
        else:
            told = {"text": part["text"], "logprobs": part["logprobs"]}
            yield "response.output_text.done", {**place, **told}
        yield "response.content_part.done", {**place, "part": part}

    def _place(self) -> dict[str, Any]:
        index = len(self._parts) - 1
        return {"item_id": self._id, "output_index": self._index, "content_index": index}


class OpenCall:
    """Told of once its name is known: it is called by that from its first event on."""

    def __init__(self, item_id: str, index: int, call_id: str) -> None:
        self.call_id = call_id
        self._id = item_id
        self._at = {"output_index": index}
        self._place = {"item_id": item_id, "output_index": index}
        self._name = ""
        self._arguments: list[str] = []
        self._extra: dict[str, Any] = {}

    def keep(self, extra: dict[str, Any]) -> None:
        self._extra = merged(self._extra, extra)

    def hear(self, name: str, arguments: str) -> Iterator[Event]:
        is_new = not self._name
        self._name = self._name or name
        self._arguments.append(arguments)
        if not self._name:
            return
        if is_new:
            yield from self._begin()
            arguments = "".join(self._arguments)
        if arguments:
            yield "response.function_call_arguments.delta", {**self._place, "delta": arguments}

    def end(self, status: str) -> Iterator[Event]:
        if not self._name:
            yield from self._begin()
        told = {"name": self._name, "arguments": "".join(self._arguments)}
        yield "response.function_call_arguments.done", {**self._place, **told}
        yield "response.output_item.done", {**self._at, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        arguments = "".join(self._arguments)
        item = call_item(self._id, self.call_id, self._name, arguments, status)
        return item | self._extra

    def _begin(self) -> Iterator[Event]:
        item = {**self.item(IN_PROGRESS), "arguments": ""}
        yield "response.output_item.added", {**self._at, "item": item}


_open: tuple[type[OpenItem], ...] = (OpenReasoning, OpenMessage, OpenCall)
