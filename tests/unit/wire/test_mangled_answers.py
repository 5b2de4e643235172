from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import ChatReply, UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.errors import GatewayError
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from upstreams.calls import call_to
from upstreams.raw import RawServer

FEW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KINDS = st.sampled_from(sorted(all_codecs()))
JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**31), 2**31),
        st.floats(allow_nan=False),
        st.text(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "message", "delta", "content", "type", "text", "thinking"),
                    *("tool_calls", "function", "arguments", "id", "index", "finish_reason"),
                    *("usage", "prompt_tokens", "completion_tokens", "prompt_tokens_details"),
                    *("error", "detail", "loc", "msg", "code", "param", "object", "model"),
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)
CHOICES = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"delta": JUNK, "message": JUNK}), max_size=2)}
)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[RawServer]:
    async with RawServer([b""]) as server:
        yield server


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


def call(server: RawServer, kind: ProviderKind) -> UpstreamCall[ChatRequest]:
    plain = call_to(server.base_url)
    return UpstreamCall(
        provider=Provider(name="acme", kind=kind, base_url=server.base_url),
        credential=plain.credential,
        model=plain.model,
        request=plain.request,
        output_cap=None,
        timeouts=Timeouts(first_byte_s=2, idle_s=2),
    )


async def ask(client: HttpClient, server: RawServer, kind: ProviderKind, answer: bytes) -> None:
    """Both ways. Whatever comes back, only the gateway's own errors may."""
    upstream = HttpUpstream(client, all_codecs())
    server.told([answer])
    with suppress(GatewayError):
        assert isinstance(await upstream.complete(call(server, kind)), ChatReply)
    server.told([answer])
    with suppress(GatewayError):
        async for chunk in await upstream.stream(call(server, kind)):
            assert isinstance(chunk.body["choices"], list)


@FEW
@given(kind=KINDS, answer=st.binary(max_size=200))
async def test_bytes_that_are_no_http_raise_nothing_but_the_gateway_s_errors(
    client: HttpClient, server: RawServer, kind: ProviderKind, answer: bytes
) -> None:
    await ask(client, server, kind, answer)


@FEW
@given(
    kind=KINDS,
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    headers=st.lists(
        st.tuples(
            st.sampled_from(
                [
                    *(b"retry-after", b"retry-after-ms", b"date", b"content-type", b"location"),
                    *(b"content-encoding", b"transfer-encoding", b"content-length", b"set-cookie"),
                ]
            ),
            st.one_of(
                st.binary(max_size=20).map(lambda value: value.translate(None, b"\r\n")),
                st.sampled_from([b"gzip", b"br", b"chunked", b"5", b"application/json"]),
            ),
        ),
        max_size=4,
    ),
    body=st.binary(max_size=100),
)
async def test_mangled_heads_raise_nothing_but_the_gateway_s_errors(
    client: HttpClient,
    server: RawServer,
    kind: ProviderKind,
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    await ask(client, server, kind, b"HTTP/1.1 %d X\r\n%s\r\n%s" % (status, lines, body))


@FEW
@given(
    kind=KINDS,
    status=st.sampled_from([200, 400, 422, 429, 500]),
    body=st.one_of(JUNK, CHOICES),
    as_event=st.booleans(),
)
async def test_json_of_any_shape_raises_nothing_but_the_gateway_s_errors(
    client: HttpClient,
    server: RawServer,
    kind: ProviderKind,
    status: int,
    body: object,
    as_event: bool,
) -> None:
    raw = orjson.dumps(body)
    raw = b"data: " + raw + b"\n\ndata: [DONE]\n\n" if as_event else raw
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(raw))
    await ask(client, server, kind, head + raw)
