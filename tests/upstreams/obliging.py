"""A server that speaks every format, and takes anything: what it answers is up to the test."""

import asyncio
from collections.abc import Callable

import orjson

from .loopback import LoopbackServer
from .plain_answers import EVENTS, WHOLE, Events

Head = bytes
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def whole(body: object) -> bytes:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return JSON_HEAD + b"Content-Length: %d\r\n\r\n" % len(raw) + raw


def streamed(events: Events | bytes) -> bytes:
    return SSE_HEAD + (events if isinstance(events, bytes) else written(events))


def written(events: Events) -> bytes:
    return b"".join(
        (b"event: %s\n" % name if name else b"")
        + b"data: "
        + (data if isinstance(data, bytes) else orjson.dumps(data))
        + b"\n\n"
        for name, data in events
    )


def format_of(path: str) -> str:
    """What is spoken where."""
    if ":" in path:
        return "gemini"
    last = path.partition("?")[0].rpartition("/")[2]
    if last == "completions":
        return "chat" if "chat/completions" in path else "completions"
    return {"messages": "messages", "responses": "responses"}.get(last, "chat")


Answer = Callable[[str, bool], bytes]
"""By the format, and whether it is to be a stream."""


def as_it_should(spoken: str, stream: bool) -> bytes:
    return streamed(EVENTS[spoken]) if stream else whole(WHOLE[spoken])


class ObligingServer(LoopbackServer):
    """Closes each connection after one answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Answer = as_it_should
        self.asked: list[tuple[str, bytes]] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            body = await reader.readexactly(length)
            path = head.split(b" ")[1].decode()
            self.asked.append((path, body))
            stream = "streamGenerateContent" in path or bool(orjson.loads(body).get("stream"))
            writer.write(self.answer(format_of(path), stream))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away
        finally:
            writer.close()
