"""A provider that costs next to nothing: it answers every chat with the same bytes."""

import asyncio
import json
import sys
from typing import cast

import uvloop

_USAGE = {"prompt_tokens": 20, "completion_tokens": 30, "total_tokens": 50}
_TEXT = "The quick brown fox jumps over the lazy dog, and does so thirty times a second. "
_CHUNKS = 30


def _whole() -> bytes:
    message = {"role": "assistant", "content": _TEXT * 4, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "bench-1",
            "choices": [choice],
            "usage": _USAGE,
        }
    ).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


def _event(choices: list[object], usage: object) -> bytes:
    data = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "bench-1",
        "choices": choices,
        "usage": usage,
    }
    event = b"data: " + json.dumps(data).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


def _stream() -> bytes:
    parts = [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    ]
    parts += [
        _event([{"index": 0, "delta": {"content": "word "}, "finish_reason": None}], None)
        for _ in range(_CHUNKS)
    ]
    parts.append(_event([{"index": 0, "delta": {}, "finish_reason": "stop"}], None))
    parts.append(_event([], _USAGE))
    parts.append(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
    return b"".join(parts)


WHOLE, STREAM = _whole(), _stream()


class Provider(asyncio.Protocol):
    def __init__(self) -> None:
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is no asyncio.Transport by inheritance.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            length = 0
            for line in self._read[:end].split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if len(self._read) < end + 4 + length:
                return
            body, self._read = (
                self._read[end + 4 : end + 4 + length],
                self._read[end + 4 + length :],
            )
            streamed = b'"stream":true' in body or b'"stream": true' in body
            self._transport.write(STREAM if streamed else WHOLE)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
