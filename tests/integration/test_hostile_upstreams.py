"""Providers, or what stands in for them, that send what no provider should: shown over real HTTP
through a running gateway, to callers of every dialect."""

import asyncio
import gzip
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from asked_in_each_dialect import PATHS, how_it_ends, is_answer, is_error, request
from langroute.adapters.wire.sse import MAX_EVENT_BYTES
from upstreams.obliging import SSE_HEAD, ObligingServer, as_it_should, streamed, whole, written
from upstreams.plain_answers import EVENTS, WHOLE
from watched_gateway import SECRET, Heard, WatchedGateway

KINDS = ["anthropic", "gemini", "mistral", "openai"]
PAGE = b"<!doctype html><title>502 Bad Gateway</title>"
OK = b"HTTP/1.1 200 OK\r\n"
ERROR = {"error": {"message": f"Overloaded, {SECRET}.", "type": "overloaded_error", "code": None}}


def page(kind: bytes) -> bytes:
    return OK + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(PAGE)) + PAGE


def status(line: bytes, *headers: bytes) -> bytes:
    told = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %s\r\n%sContent-Length: 0\r\n\r\n" % (line, told)


def compressed(raw: bytes, kind: bytes = b"application/json") -> bytes:
    told = b"Content-Type: %s\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    return OK + told % (kind, len(raw)) + raw


# What no call gets an answer from, whole or streamed.
NEVER: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a page": page(b"text/html"),
    "a page that says it is JSON": page(b"application/json"),
    "a page that says it is a stream": page(b"text/event-stream"),
    "a list": whole([]),
    "a number": whole(5),
    "a text": whole("Hi"),
    "null": whole(None),
    "an empty object": whole({}),
    "an empty body": whole(b""),
    "half of it": whole(b'{"id": "x", "choices": ['),
    "no UTF-8": whole(b'{"id": "\xff"}'),
    "no number": whole(b'{"id": NaN}'),
    "too deep": whole(b'{"a":' * 500 + b"1" + b"}" * 500),
    "an error with 200": whole(ERROR),
    "garbage for gzip": compressed(b"\x00\xff" * 50),
    "half of a gzip": compressed(gzip.compress(orjson.dumps(WHOLE["chat"]))[:-20]),
    "garbage for a gzipped stream": compressed(b"\x00\xff" * 50, b"text/event-stream"),
    "more promised than sent": OK + b"Content-Length: 5000\r\n\r\n{}",
    "a length that is none": OK + b"Content-Length: many\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "broken chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "only 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "only 103": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "101": status(b"101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"),
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "301": status(b"301 Moved Permanently", b"Location: http://127.0.0.1:1/elsewhere"),
    "307 to itself": status(b"307 Temporary Redirect", b"Location: /v1/chat/completions"),
    "304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "599": status(b"599 Strange"),
    "a status of one figure": status(b"7 Odd"),
    "an empty stream": SSE_HEAD,
    "comments alone": SSE_HEAD + b": still here\n\n" * 3,
    "an event without data": SSE_HEAD + b"event: message_start\n\n",
    "an error first": streamed([(b"", ERROR)]),
    "an error first, by its name": streamed([(b"error", {"type": "error", **ERROR})]),
    "an event that is no JSON": streamed([(b"", b"not JSON")]),
    "an event that is a list": streamed([(b"", [])]),
    "a mark of the end alone": streamed([(b"", b"[DONE]")]),
    "an event without an end": SSE_HEAD + b"data: " + b"x" * (MAX_EVENT_BYTES + 100),
    "a huge event": streamed([(b"", {"x": "x" * (MAX_EVENT_BYTES + 100)})]),
}


@dataclass(frozen=True, slots=True)
class Caller:
    gateway: WatchedGateway
    dialect: str

    async def ask(self, kind: str, *, stream: bool) -> Heard:
        body = orjson.dumps(request(self.dialect, kind, stream=stream))
        async with asyncio.timeout(30):
            heard = await self.gateway.post(PATHS[self.dialect], body)
        assert SECRET.encode() not in heard.body
        assert self.gateway.said_nothing()
        return heard


@pytest.fixture(params=PATHS)
def caller(request: pytest.FixtureRequest, watched: WatchedGateway) -> Caller:
    return Caller(watched, request.param)


@pytest.mark.parametrize("name", NEVER)
async def test_what_is_no_answer_is_an_error_and_is_settled_as_one(
    caller: Caller, obliging: ObligingServer, name: str
) -> None:
    obliging.answer = lambda *_: NEVER[name]
    for kind in KINDS:
        for stream in (False, True):
            heard = await caller.ask(kind, stream=stream)
            assert heard.status in {502, 503, 504}, (kind, stream, heard)
            assert is_error(caller.dialect, orjson.loads(heard.body))
            (entry,) = await caller.gateway.newly_settled()
            assert (entry.outcome, entry.usage.total) == ("failed", 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_for_a_whole_call_and_the_other_way_round_is_an_error(
    caller: Caller, obliging: ObligingServer, kind: str
) -> None:
    obliging.answer = lambda spoken, stream: as_it_should(spoken, not stream)
    for stream in (False, True):
        heard = await caller.ask(kind, stream=stream)
        assert heard.status == 502
        assert is_error(caller.dialect, orjson.loads(heard.body))
        (entry,) = await caller.gateway.newly_settled()
        assert entry.outcome == "failed"


BOM = b"\xef\xbb\xbf"
WAYS: dict[str, Any] = {
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "CR": lambda raw: raw.replace(b"\n", b"\r"),
    "a byte order mark": lambda raw: BOM + raw,
    "comments between": lambda raw: raw.replace(b"\n\n", b"\n\n: still here\n\n"),
    "data without a space": lambda raw: raw.replace(b"data: ", b"data:"),
    "ids and retries": lambda raw: raw.replace(b"data: ", b"id: 7\nretry: 5\ndata: "),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_that_is_written_in_another_way_is_a_stream(
    caller: Caller, obliging: ObligingServer, kind: str, way: str
) -> None:
    obliging.answer = lambda spoken, _: SSE_HEAD + WAYS[way](written(EVENTS[spoken]))
    heard = await caller.ask(kind, stream=True)
    assert heard.status == 200
    assert how_it_ends(caller.dialect, heard.body) == "well"
    (entry,) = await caller.gateway.newly_settled()
    assert (entry.outcome, entry.usage.total, entry.estimated) == ("succeeded", 21, False)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_early_hint_before_the_answer_is_passed_over(
    caller: Caller, obliging: ObligingServer, kind: str
) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    obliging.answer = lambda spoken, stream: hint + as_it_should(spoken, stream)
    for stream in (False, True):
        assert (await caller.ask(kind, stream=stream)).status == 200
        await caller.gateway.newly_settled()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_gzipped_answer_that_nobody_asked_for_is_read(
    caller: Caller, obliging: ObligingServer, kind: str
) -> None:
    obliging.answer = lambda spoken, _: compressed(gzip.compress(orjson.dumps(WHOLE[spoken])))
    heard = await caller.ask(kind, stream=False)
    assert heard.status == 200
    assert is_answer(caller.dialect, orjson.loads(heard.body))
    await caller.gateway.newly_settled()


BREAKS: dict[str, bytes] = {
    "cut": b"",
    "an error": b"data: " + orjson.dumps(ERROR) + b"\n\n",
    "no JSON": b"data: {\n\n",
    "an event without an end": b"data: " + b"x" * (MAX_EVENT_BYTES + 100),
    "a number": b"data: 5\n\n",
    "a page": PAGE + b"\n\n",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BREAKS)
async def test_a_stream_that_breaks_off_never_ends_well(
    caller: Caller, obliging: ObligingServer, kind: str, name: str
) -> None:
    def answer(spoken: str, _: object) -> bytes:
        begun = 1 if spoken == "completions" else 3
        told = [(n, _unfinished(data)) for n, data in EVENTS[spoken][:begun]]
        return SSE_HEAD + written(told) + BREAKS[name]

    obliging.answer = answer
    heard = await caller.ask(kind, stream=True)
    assert heard.status == 200
    assert how_it_ends(caller.dialect, heard.body) == "error"
    (entry,) = await caller.gateway.newly_settled()
    assert (entry.outcome, entry.error) == ("broken_off", "broken")
    assert entry.usage.total > 0


def _unfinished(data: Any) -> Any:
    if data.get("object") != "text_completion":
        return data
    return {**data, "choices": [{**data["choices"][0], "finish_reason": None}]}
