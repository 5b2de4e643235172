"""A bug in the middle of a stream, when the status has been sent: callers are told, the log is
told once, and what was used is paid for."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from asked_in_each_dialect import PATHS, how_it_ends, is_error, request
from langroute.application.ports.upstream import (
    ChatChunk,
    ChatReply,
    ChunkStream,
    Upstream,
    UpstreamCall,
)
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect
from watched_gateway import SECRET, WatchedGateway, watched_gateway

Chat = UpstreamCall[ChatRequest]


def text(said: object) -> ChatChunk:
    choice = {"index": 0, "delta": {"content": said}, "finish_reason": None}
    head = {"id": "chatcmpl-1", "created": 1, "model": "m", "object": "chat.completion.chunk"}
    return ChatChunk(body={**head, "choices": [choice]}, text_bytes=8)


class Stumbling:
    """Says one thing, and then has a fault."""

    dropped: tuple[str, ...] = ()
    dialect: Dialect | None = None

    def __init__(self, then: Callable[[], ChatChunk]) -> None:
        self._lines = [lambda: text("One, two"), then]

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        return self

    async def __anext__(self) -> ChatChunk:
        return self._lines.pop(0)()

    async def aclose(self) -> None:
        self._lines.clear()


class Faulty:
    def __init__(self) -> None:
        self.has_fault: Callable[[Chat], ChatChunk] = _raises

    async def complete(self, call: Chat) -> ChatReply:
        raise ZeroDivisionError(repr(call))

    async def stream(self, call: Chat) -> ChunkStream:
        return Stumbling(lambda: self.has_fault(call))


def _raises(call: Chat) -> ChatChunk:
    raise ZeroDivisionError(repr(call))


def _cannot_be_written(_: Chat) -> ChatChunk:
    return ChatChunk(body={**text("three").body, "usage": None, "odd": object()})


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


@pytest.fixture
async def gateway(faulty: Faulty) -> AsyncIterator[WatchedGateway]:
    async with watched_gateway(["openai"], "http://127.0.0.1:1/v1", upstream=faulty) as gateway:
        yield gateway


def complaint(gateway: WatchedGateway) -> str:
    (said,) = gateway.complaints.said
    assert SECRET not in said
    assert gateway.key not in said
    return said


@pytest.mark.parametrize("dialect", PATHS)
async def test_a_fault_in_mid_stream_is_an_error_event(
    gateway: WatchedGateway, dialect: str
) -> None:
    body = orjson.dumps(request(dialect, "openai", stream=True))
    heard = await gateway.post(PATHS[dialect], body)
    assert heard.status == 200
    assert b"One" in heard.body
    assert how_it_ends(dialect, heard.body) == "error"
    assert b"ZeroDivision" not in heard.body
    (entry,) = await gateway.newly_settled()
    assert (entry.outcome, entry.error) == ("broken_off", "ZeroDivisionError")
    assert entry.usage.output > 0
    assert "ZeroDivisionError" in complaint(gateway)


async def test_so_is_a_fault_of_who_writes_the_answer_down(
    gateway: WatchedGateway, faulty: Faulty
) -> None:
    faulty.has_fault = _cannot_be_written
    body = orjson.dumps(request("chat", "openai", stream=True))
    heard = await gateway.post(PATHS["chat"], body)
    assert how_it_ends("chat", heard.body) == "error"
    (entry,) = await gateway.newly_settled()
    assert entry.outcome == "broken_off"
    assert entry.error
    assert "not JSON serializable" in complaint(gateway)


@pytest.mark.parametrize("dialect", PATHS)
async def test_a_fault_before_anything_was_said_has_a_status(
    gateway: WatchedGateway, dialect: str
) -> None:
    body: Any = orjson.dumps(request(dialect, "openai", stream=False))
    heard = await gateway.post(PATHS[dialect], body)
    assert heard.status == 500
    assert is_error(dialect, orjson.loads(heard.body))
    (entry,) = await gateway.newly_settled()
    assert (entry.outcome, entry.error) == ("failed", "ZeroDivisionError")
    assert "ZeroDivisionError" in complaint(gateway)


_: type[Upstream] = Faulty
_stream: type[ChunkStream] = Stumbling
