"""How much of an operation's answer is held in memory, and what happens beyond that."""

import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import OperationReply, UpstreamCall
from langroute.domain.errors import ProviderBrokeOff
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from upstreams.calls import call_to
from upstreams.openai import OpenAIUpstream
from upstreams.turn import Turn

PIECE = bytes(100)


def spoken_by(upstream: OpenAIUpstream, **fields: str) -> UpstreamCall[OperationRequest]:
    body = {"model": "tts-1", "input": "Hi", "voice": "alloy", **fields}
    return UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind.OPENAI, base_url=upstream.base_url),
        credential=None,
        model="tts-1",
        request=OperationRequest.parse(Operation.SPEECH, body),
        output_cap=None,
        timeouts=Timeouts(),
    )


@pytest.mark.parametrize("in_pieces", [True, False])
async def test_sound_beyond_the_limit_is_a_broken_answer(
    openai_upstream: OpenAIUpstream, in_pieces: bool
) -> None:
    raw = [PIECE] * 11 if in_pieces else PIECE * 11
    openai_upstream.will(Turn(raw=raw, content_type="audio/mpeg"), times=2)
    async with HttpClient(max_reply_bytes=1000) as client:
        upstream = HttpUpstream(client, all_codecs())
        with pytest.raises(ProviderBrokeOff, match="more than 1000 bytes"):
            await upstream.perform(spoken_by(openai_upstream))
        with pytest.raises(ProviderBrokeOff, match="more than 1000 bytes"):
            await upstream.stream_operation(spoken_by(openai_upstream, stream_format="sse"))


async def test_sound_up_to_the_limit_is_whole(openai_upstream: OpenAIUpstream) -> None:
    openai_upstream.will(Turn(raw=[PIECE] * 10, content_type="audio/mpeg"))
    async with HttpClient(max_reply_bytes=1000) as client:
        upstream = HttpUpstream(client, all_codecs())
        made = await upstream.perform(spoken_by(openai_upstream))
    assert made == OperationReply(body=PIECE * 10, content_type="audio/mpeg")


async def test_an_event_beyond_the_limit_is_a_broken_answer(
    openai_upstream: OpenAIUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langroute.adapters.wire.upstream._MAX_PICTURE_BYTES", 1000)
    openai_upstream.will(Turn(raw=[b"data: ", *[b"A" * 100] * 11]))
    async with HttpClient() as client:
        upstream = HttpUpstream(client, all_codecs())
        events = await upstream.stream_operation(spoken_by(openai_upstream, stream_format="sse"))
        assert not isinstance(events, OperationReply)
        with pytest.raises(ProviderBrokeOff, match="too large"):
            await anext(events)


async def test_a_stream_without_end_is_broken_off(openai_upstream: OpenAIUpstream) -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"a" * 46)
    openai_upstream.will(Turn(raw=[event] * 50))
    async with HttpClient(max_reply_bytes=100) as client:
        upstream = HttpUpstream(client, all_codecs())
        chunks = await upstream.stream(call_to(openai_upstream, stream=True))
        with pytest.raises(ProviderBrokeOff, match="more than 1600 bytes"):
            [chunk async for chunk in chunks]
