import socket
from collections.abc import Iterator

import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.domain.errors import (
    CredentialUnreadable,
    GatewayError,
    InvalidRequest,
    ProviderBrokeOff,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUndefined,
    ProviderUnreachable,
    RejectedByProvider,
)
from langroute.domain.timeouts import Timeouts
from upstreams.calls import CREDENTIAL, call_to
from upstreams.openai import OpenAIUpstream
from upstreams.turn import Turn

SHORT = Timeouts(connect_s=5.0, first_byte_s=0.05, idle_s=0.05)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


async def test_a_whole_answer_comes_with_its_usage(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.credential = CREDENTIAL
    reply = await upstream.complete(call_to(openai_upstream))
    assert reply.body["choices"][0]["message"]["content"] == "You said: Say something."
    assert reply.usage is not None
    told = openai_upstream.seen[0].usage
    assert told is not None
    assert reply.usage.total == told["total_tokens"]
    assert reply.usage.reasoning == 4


@pytest.mark.parametrize("status", [300, 307, 401, 403, 404, 408, 409, 429, 500, 502, 503, 529])
async def test_a_provider_s_own_trouble_may_be_made_good_elsewhere(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, status: int
) -> None:
    openai_upstream.fail(status=status, headers={"retry-after": "7"}, message="Not today.")
    with pytest.raises(ProviderRefused, match=r"Not today\.") as caught:
        await upstream.complete(call_to(openai_upstream))
    assert (caught.value.status, caught.value.retry_after_s) == (status, 7.0)


async def test_a_redirect_is_not_followed(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    there = f"{openai_upstream.base_url}/chat/completions"
    openai_upstream.will(Turn(status=307, raw=b"", headers={"Location": there}))
    with pytest.raises(ProviderRefused):
        await upstream.complete(call_to(openai_upstream))
    assert len(openai_upstream.seen) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_at_fault_is_refused_for_good(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, status: int, stream: bool
) -> None:
    openai_upstream.fail(status=status, message="Bad field.", param="top_p", code="wrong")
    ask = upstream.stream if stream else upstream.complete
    with pytest.raises(RejectedByProvider, match=r"Bad field\.") as caught:
        await ask(call_to(openai_upstream))
    error = caught.value
    assert (error.status, error.param, error.code) == (status, "top_p", "wrong")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": 3}]}',
        b'{"choices": {"0": 1}}',
        b'{"error": {"message": "It broke."}}',
        b'{"error": "It broke."}',
        b'{"object": "error", "message": "It broke."}',
        b'{"choices": [{"message": {"content": "half"}, "finish_reason": "error"}]}',
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b"\xff\xfe",
    ],
)
async def test_a_success_that_is_no_answer_counts_as_broken_off(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, body: bytes
) -> None:
    openai_upstream.will(Turn(raw=body))
    with pytest.raises(ProviderBrokeOff):
        await upstream.complete(call_to(openai_upstream))


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_sent_as_a_success_is_taken_at_the_status_it_tells(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, stream: bool
) -> None:
    openai_upstream.will(Turn(raw=b'{"error": {"message": "Slow down.", "code": 429}}'))
    ask = upstream.stream if stream else upstream.complete
    with pytest.raises(ProviderRefused) as caught:
        await ask(call_to(openai_upstream))
    assert caught.value.status == 429


async def test_nobody_listening_is_unreachable(upstream: HttpUpstream) -> None:
    with pytest.raises(ProviderUnreachable):
        await upstream.complete(call_to(f"http://127.0.0.1:{free_port()}/v1"))


async def test_a_host_that_does_not_exist_is_unreachable(upstream: HttpUpstream) -> None:
    with pytest.raises(ProviderUnreachable):
        await upstream.complete(call_to("http://nowhere.invalid/v1"))


@pytest.mark.parametrize("base_url", ["http://[", "ftp://host/v1", "/v1", "http://a:99999/v1"])
async def test_an_address_that_is_none_leaves_the_provider_undefined(
    upstream: HttpUpstream, base_url: str
) -> None:
    with pytest.raises(ProviderUndefined):
        await upstream.complete(call_to(base_url))


@pytest.mark.parametrize("credential", ["two\r\nlines", "naïve", "nul\0"])
async def test_a_credential_that_fits_no_header_is_unreadable(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, credential: str
) -> None:
    with pytest.raises(CredentialUnreadable):
        await upstream.complete(call_to(openai_upstream, credential=credential))
    assert openai_upstream.seen == []


async def test_a_provider_without_a_credential_is_asked_without_one(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    await upstream.complete(call_to(openai_upstream, credential=None))
    assert "Authorization" not in openai_upstream.seen[0].headers


async def test_no_answer_in_time_is_a_time_out(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang()
    with pytest.raises(ProviderTimedOut):
        await upstream.complete(call_to(openai_upstream, timeouts=SHORT))
    await openai_upstream.seen[0].wait_for_hang_up()


async def test_a_connection_that_closes_before_the_answer_is_unreachable(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.cut()
    with pytest.raises(ProviderUnreachable):
        await upstream.complete(call_to(openai_upstream))


async def test_a_connection_that_closes_within_the_answer_is_broken_off(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.cut(after_events=1)
    with pytest.raises(ProviderBrokeOff):
        await upstream.complete(call_to(openai_upstream))


async def test_an_answer_without_end_is_cut_at_the_limit(openai_upstream: OpenAIUpstream) -> None:
    openai_upstream.say("word " * 1000)
    async with HttpClient(max_reply_bytes=1000) as client:
        with pytest.raises(ProviderBrokeOff, match="more than 1000 bytes"):
            await HttpUpstream(client, all_codecs()).complete(call_to(openai_upstream))


async def test_a_large_request_arrives_whole(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    text = "x" * (3 * 2**20)
    await upstream.complete(call_to(openai_upstream, messages=[{"role": "user", "content": text}]))
    assert openai_upstream.seen[0].body["messages"][0]["content"] == text


@pytest.mark.parametrize("value", [object(), 2**70, "\ud800"])
async def test_what_cannot_be_written_as_json_is_the_caller_s_fault(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, value: object
) -> None:
    with pytest.raises(InvalidRequest):
        await upstream.complete(call_to(openai_upstream, extra=value))


@pytest.mark.parametrize(
    "turn",
    [
        Turn(status=401, error={"message": f"Bad key {CREDENTIAL}."}),
        Turn(status=400, error={"message": CREDENTIAL * 40, "param": CREDENTIAL}),
        Turn(status=500, raw=CREDENTIAL.encode()),
        Turn(raw=f'{{"error": "{CREDENTIAL}"}}'.encode()),
        Turn(cut_after=0),
        Turn(cut_after=1),
        Turn(hangs=True),
    ],
)
async def test_no_error_ever_shows_the_credential(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, turn: Turn
) -> None:
    openai_upstream.will(turn)
    with pytest.raises(GatewayError) as caught:
        await upstream.complete(call_to(openai_upstream, timeouts=SHORT))
    for error in chain(caught.value):
        assert CREDENTIAL not in f"{error} {error!r} {error.args} {vars(error)}"


def test_a_call_does_not_show_its_credential() -> None:
    assert CREDENTIAL not in repr(call_to("http://127.0.0.1/v1"))
