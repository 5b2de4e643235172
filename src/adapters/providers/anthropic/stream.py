"""One streamed answer: https://platform.claude.com/docs/en/build-with-claude/streaming. Events of a
kind that is not known are to be ignored, and so are blocks of tools that Anthropic runs itself."""

from collections.abc import Sequence
from typing import Any

from ...wire.malformed import BrokeOff, Malformed
from ...wire.usage import openai_usage
from .citations import Sources
from .replies import arguments_of, explanation, finish_reason, head, text_of

Delta = dict[str, Any]


class StreamDecoder:
    """Keeps the blocks that are open: a thought is given back whole, once it has been signed."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._open: dict[int, dict[str, Any]] = {}
        self._thoughts: dict[int, list[str]] = {}
        self._calls: dict[int, int] = {}
        self._sources = Sources()
        self._listed: dict[str, int] = {}
        self._without_input: set[int] = set()
        self._begun = self._stopped = False

    def __call__(self, event: dict[str, Any], name: bytes) -> Sequence[dict[str, Any]] | None:
        del name
        match event.get("type"):
            case "message_start":
                return self._begin(event.get("message"))
            case "content_block_start":
                deltas = self._begin_block(_index(event), event.get("content_block"))
            case "content_block_delta":
                deltas = self._go_on(_index(event), event.get("delta"))
            case "content_block_stop":
                deltas = self._end_block(_index(event))
            case "message_delta":
                return self._end(event)
            case "message_stop":
                if not self._stopped:
                    raise BrokeOff("ended its answer without telling why.")
                return None
            case str():
                return []
            case _:
                raise Malformed("it does not tell its type")
        return [self._chunk(delta) for delta in deltas]

    def _begin(self, message: object) -> list[dict[str, Any]]:
        """A message may come with what it holds, whole: calls made by Anthropic's own code, at
        https://platform.claude.com/docs/en/agents-and-tools/tool-use/programmatic-tool-calling."""
        if not isinstance(message, dict):
            raise Malformed("its message is not an object")
        if self._begun:
            # Seen of servers in between: https://github.com/vercel/ai, packages/anthropic 4.0.32.
            if head(message) == self._head:
                return []
            raise BrokeOff("began another answer in the middle of its first one.")
        self._begun = True
        self._head = head(message)
        self._note_usage(message)
        chunks = [self._told(self._chunk({"role": "assistant", "content": ""}))]
        content = message.get("content")
        if not isinstance(content, list) or not content:
            return chunks
        for index, block in enumerate(content):
            deltas = (*self._begin_block(index, block), *self._end_block(index))
            chunks += [self._chunk(delta) for delta in deltas]
        return chunks + self._end({"delta": message})

    def _begin_block(self, index: int, block: object) -> list[Delta]:
        if not isinstance(block, dict):
            raise Malformed("its block is not an object")
        self._open[index] = block
        match block.get("type"):
            case "text":
                self._sources.begin(index, block.get("citations"))
                text = text_of(block.get("text"))
                return self._say(text) if text else []
            case "thinking":
                text = block["thinking"] = text_of(block.get("thinking"))
                return [{"reasoning_content": text}] if text else []
            case "tool_use":
                # Some servers tell the input at once, in place of pieces of it.
                arguments = arguments_of(block) if block.get("input") else ""
                if not arguments:
                    self._without_input.add(index)
                self._calls.setdefault(index, len(self._calls))
                function = {"name": text_of(block.get("name")), "arguments": arguments}
                call_id = text_of(block.get("id"))
                return self._call(index, {"id": call_id, "type": "function"}, function)
        return []

    def _go_on(self, index: int, delta: object) -> list[Delta]:
        block = self._open.get(index)
        if block is None or not isinstance(delta, dict):
            raise Malformed("it continues no block")
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                return self._say(text)
            case {"type": "citations_delta", "citation": citation}:
                self._sources.find(index, citation)
            case {"type": "thinking_delta", "thinking": str(text)}:
                self._thoughts.setdefault(index, []).append(text)
                return [{"reasoning_content": text}]
            case {"type": "signature_delta", "signature": str(signature)}:
                block["signature"] = text_of(block.get("signature")) + signature
            case {"type": "input_json_delta", "partial_json": str(text)} if index in self._calls:
                if text:
                    self._without_input.discard(index)
                    return self._call(index, {}, {"arguments": text})
        return []

    def _say(self, text: str) -> list[Delta]:
        self._sources.say(text)
        return [{"content": text}]

    def _end_block(self, index: int) -> list[Delta]:
        block = self._open.pop(index, None)
        if block is None:
            return []
        if thoughts := self._thoughts.pop(index, []):
            block["thinking"] = text_of(block.get("thinking")) + "".join(thoughts)
        match block:
            case {"type": "thinking", "signature": str(signature)} if signature:
                return self._list("thinking_blocks", [block])
            case {"type": "redacted_thinking"}:
                return self._list("thinking_blocks", [block])
            case {"type": "text"} if sources := self._sources.end(index):
                return self._list("annotations", sources)
        if index in self._without_input:
            self._without_input.discard(index)
            return self._call(index, {}, {"arguments": "{}"})
        return []

    def _end(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The output is told as a total so far; the input was told at the beginning."""
        self._note_usage(event)
        told = event.get("delta")
        if not isinstance(told, dict) or not told.get("stop_reason"):
            return []
        self._stopped = True
        refusal = explanation(told)
        chunk = self._chunk({} if refusal is None else {"refusal": refusal})
        chunk["choices"][0]["finish_reason"] = finish_reason(told["stop_reason"])
        return [self._told(chunk)]

    def _told(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """With what was used so far: at the beginning, what was read."""
        return {**chunk, "usage": openai_usage(self._usage)} if self._usage else chunk

    def _list(self, name: str, more: list[dict[str, Any]]) -> list[Delta]:
        """Numbered, since by that clients put the pieces of a list together."""
        number = self._listed.get(name, 0)
        self._listed[name] = number + len(more)
        return [{name: [{**one, "index": at} for at, one in enumerate(more, number)]}]

    def _call(self, index: int, call: dict[str, Any], function: dict[str, Any]) -> list[Delta]:
        return [{"tool_calls": [{"index": self._calls[index], **call, "function": function}]}]

    def _note_usage(self, told: dict[str, Any]) -> None:
        if isinstance(usage := told.get("usage"), dict):
            self._usage |= {name: value for name, value in usage.items() if value is not None}

    def _chunk(self, delta: Delta) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}


def _index(event: dict[str, Any]) -> int:
    index = event.get("index")
    if type(index) is not int:
        raise Malformed("it does not tell its block")
    return index
