import asyncio

import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.domain.errors import (
    ProviderBrokeOff,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
)
from langroute.domain.timeouts import Timeouts
from upstreams.calls import call_to
from upstreams.openai import OpenAIUpstream
from upstreams.raw import RawServer

ANSWER = b'{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)


async def test_one_connection_serves_call_after_call(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.fail(status=503)
    with pytest.raises(ProviderRefused):
        await upstream.complete(call_to(openai_upstream))
    await upstream.complete(call_to(openai_upstream))
    async for _ in await upstream.stream(call_to(openai_upstream)):
        pass
    await upstream.complete(call_to(openai_upstream))
    assert openai_upstream.connections == 1


async def test_a_connection_closed_without_notice_is_replaced_by_a_fresh_one(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    await upstream.complete(call_to(openai_upstream))
    openai_upstream.cut_stale()
    await upstream.complete(call_to(openai_upstream))
    assert openai_upstream.connections == 2
    assert len(openai_upstream.seen) == 3


async def test_the_fresh_one_is_the_last_even_if_more_are_stale(upstream: HttpUpstream) -> None:
    async with RawServer([WHOLE, b""], [b""]) as server:
        await upstream.complete(call_to(server.base_url))
        with pytest.raises(ProviderUnreachable):
            await upstream.complete(call_to(server.base_url))
        assert server.requests == [2, 1]


async def test_a_new_connection_that_closes_is_not_tried_again(upstream: HttpUpstream) -> None:
    async with RawServer([b""], [WHOLE]) as server:
        with pytest.raises(ProviderUnreachable):
            await upstream.complete(call_to(server.base_url))
        assert server.requests == [1]


@pytest.mark.parametrize(
    "begun",
    [
        b"H",
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        WHOLE[:-5],
        b"\0\n",
        b"garbage\r\n\r\n",
    ],
)
async def test_nothing_is_asked_twice_once_a_byte_has_come(
    upstream: HttpUpstream, begun: bytes
) -> None:
    async with RawServer([WHOLE, begun], [WHOLE]) as server:
        await upstream.complete(call_to(server.base_url))
        with pytest.raises(ProviderError) as caught:
            await upstream.complete(call_to(server.base_url))
        assert isinstance(caught.value, ProviderBrokeOff)
        assert server.requests == [2]


async def test_a_stream_read_to_its_end_gives_its_connection_back(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    for _ in range(5):
        chunks = await upstream.stream(call_to(openai_upstream))
        assert [chunk async for chunk in chunks]
        await chunks.aclose()
    assert openai_upstream.connections == 1


async def test_no_cookie_goes_from_one_call_into_the_next(upstream: HttpUpstream) -> None:
    cookie = WHOLE.replace(b"\r\n\r\n", b"\r\nSet-Cookie: tenant=one\r\n\r\n")
    async with RawServer([cookie, cookie]) as server:
        await upstream.complete(call_to(server.base_url))
        await upstream.complete(call_to(server.base_url))
        assert b"tenant" not in b"".join(server.heads)


async def test_a_pool_that_is_used_up_is_not_waited_for_longer_than_for_a_connection(
    openai_upstream: OpenAIUpstream,
) -> None:
    gate = openai_upstream.hold()
    async with HttpClient(max_connections=1) as client:
        upstream = HttpUpstream(client, all_codecs())
        first = asyncio.create_task(upstream.complete(call_to(openai_upstream)))
        await gate.reached.wait()
        with pytest.raises(ProviderUnreachable):  # and so bills nothing: it was not asked
            await upstream.complete(call_to(openai_upstream, timeouts=Timeouts(connect_s=0.05)))
        gate.open()
        await first
    assert len(openai_upstream.seen) == 1


async def test_a_name_with_several_addresses_is_reached_at_the_one_that_listens(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    base_url = openai_upstream.base_url.replace("127.0.0.1", "localhost")
    await upstream.complete(call_to(base_url))
    openai_upstream.cut_stale()
    await upstream.complete(call_to(base_url))
    assert openai_upstream.connections == 2


async def test_a_closed_client_asks_nobody(openai_upstream: OpenAIUpstream) -> None:
    client = HttpClient()
    upstream = HttpUpstream(client, all_codecs())
    await upstream.complete(call_to(openai_upstream))
    await client.aclose()
    await client.aclose()
    with pytest.raises(RuntimeError):
        await upstream.complete(call_to(openai_upstream))
