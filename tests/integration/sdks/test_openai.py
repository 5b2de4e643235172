"""What OpenAI's library makes of how an error is told, and what else its users do."""

import asyncio
from typing import Any

import openai
import pytest
from client import HELLO, SAID
from openai import AsyncOpenAI

from every_upstream import MODELS, OF_EACH_PROVIDER, EveryUpstream
from gateway_fixtures import Scene

pytestmark = pytest.mark.usefixtures("loopback_only")
ASKS: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": HELLO}],
}


def client_of(where: EveryUpstream | Scene, key: str | None = None, **more: Any) -> Any:
    """Untyped: the tests are of what it does, and send what its types would not let through."""
    settings = {"max_retries": 0, **more}
    return AsyncOpenAI(base_url=f"{where.running.url}/v1", api_key=key or where.key, **settings)


@pytest.mark.parametrize(
    ("key", "code"), [("invalid", "invalid_api_key"), (None, "model_not_found")]
)
async def test_an_error_has_a_code_and_the_calls_id(
    upstreams: EveryUpstream, key: str | None, code: str
) -> None:
    async with client_of(upstreams, key) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(**{**ASKS, "model": "none"})
    assert caught.value.code == code
    assert caught.value.request_id


async def test_what_never_fits_is_not_tried_again(upstreams: EveryUpstream) -> None:
    key = await upstreams.running.new_key(requests_per_minute=0)
    async with client_of(upstreams, key, max_retries=3) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(**ASKS)
    assert caught.value.type == "requests"
    assert caught.value.response.headers["x-should-retry"] == "false"


async def test_a_client_tries_again_where_that_helps(upstreams: EveryUpstream) -> None:
    upstreams.doubles["openai"].fail(status=503, headers={"retry-after": "0"})
    async with client_of(upstreams, max_retries=1) as client:
        answer = await client.chat.completions.create(**ASKS)
    assert answer.choices[0].message.content == SAID


async def test_a_client_does_not_hammer_on_where_trying_again_cannot_help(scene: Scene) -> None:
    scene.openai.fail(status=401, times=5)
    scene.mistral.fail(status=401, times=5)
    async with client_of(scene, max_retries=3) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(**ASKS)
    assert len(scene.openai.seen) == 1


async def test_a_client_that_waits_no_longer_stops_the_provider(upstreams: EveryUpstream) -> None:
    upstreams.doubles["openai"].hang()
    async with client_of(upstreams, timeout=0.3) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(**ASKS)
    await upstreams.doubles["openai"].seen[0].wait_for_hang_up()
    assert (await upstreams.entry())["outcome"] == "client_cancelled"


@OF_EACH_PROVIDER
async def test_raw_and_streaming_responses_tell_headers(
    upstreams: EveryUpstream, provider: str
) -> None:
    asks = {**ASKS, "model": MODELS[provider]}
    async with client_of(upstreams) as client:
        raw = await client.chat.completions.with_raw_response.create(**asks)
        assert raw.headers["x-langroute-attempts"]
        assert raw.parse().choices[0].message.content == SAID
        streamed = client.chat.completions.with_streaming_response
        async with streamed.create(**asks, stream=True) as response:
            assert response.headers["x-request-id"]
            lines = [line async for line in response.iter_lines() if line]
    assert lines[-2] == "data: [DONE]"
    assert lines[-1].startswith(": x-langroute-cost: ")


@OF_EACH_PROVIDER
async def test_a_stream_tells_what_has_been_said_so_far(
    upstreams: EveryUpstream, provider: str
) -> None:
    asks = {**ASKS, "model": MODELS[provider]}
    async with (
        client_of(upstreams) as client,
        client.chat.completions.stream(**asks) as stream,
    ):
        events = [event async for event in stream]
        completion = await stream.get_final_completion()
    (done,) = (event for event in events if event.type == "content.done")
    assert done.content == completion.choices[0].message.content == SAID
    snapshots = [event.snapshot for event in events if event.type == "content.delta"]
    assert snapshots[-1] == SAID


async def test_many_calls_at_once_get_their_own_answers(upstreams: EveryUpstream) -> None:
    key = await upstreams.running.new_key(requests_per_minute=None, tokens_per_minute=None)

    async def ask(number: int) -> bool:
        messages = [{"role": "user", "content": f"number {number}"}]
        model = list(MODELS.values())[number % len(MODELS)]
        completion = await client.chat.completions.create(model=model, messages=messages)
        return bool(completion.choices[0].message.content == f"You said: number {number}")

    async with client_of(upstreams, key) as client:
        assert all(await asyncio.gather(*(ask(number) for number in range(60))))
