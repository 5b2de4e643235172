"""Every client library, asked for everything that it can, in front of every kind of provider."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from client import HELLO, PARIS, SAID, SUNNY, Client
from libraries import LIBRARIES, those, those_that
from worker import ElsewhereClient, Workers

from every_upstream import EMBEDDERS, MODELS, OF_EACH_PROVIDER, EveryUpstream
from upstreams.operations import DIMENSIONS, vector
from upstreams.turn import Turn

pytestmark = pytest.mark.usefixtures("loopback_only")
# Untyped: what a client can differs.
Make = Callable[..., Any]


@pytest.fixture(scope="session")
async def workers(pytestconfig: pytest.Config) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        yield Workers(pytestconfig, stack)


@pytest.fixture
async def client(request: pytest.FixtureRequest, workers: Workers) -> AsyncIterator[Make]:
    """Makes clients of the library that the test's parameter names."""
    library = LIBRARIES[request.param]
    made: list[Client] = []
    worker = await workers.of(library) if issubclass(library, ElsewhereClient) else None

    def make(upstreams: EveryUpstream, provider: str = "openai", **other: str) -> Client:
        """`other` are a url, a key, or a model."""
        told = {"url": upstreams.running.url, "key": upstreams.key, "model": MODELS[provider]}
        one = library(**{**told, **other})
        if isinstance(one, ElsewhereClient) and worker is not None:
            one.worker = worker
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


@pytest.mark.shows("chat", client="{client}")
@those_that("chat")
@OF_EACH_PROVIDER
async def test_chats(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    said = await client(upstreams, provider).chat()
    assert said.text == SAID
    assert said.tokens > 0
    assert HELLO in upstreams.told(provider)


@pytest.mark.shows("stream", "usage in streams", client="{client}")
@those_that("stream")
@OF_EACH_PROVIDER
async def test_streams_with_usage(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    said = await client(upstreams, provider).stream(usage=True)
    assert said.text == SAID
    assert len([piece for piece in said.pieces if piece]) > 1
    assert said.tokens == (await client(upstreams, provider).chat()).tokens


@pytest.mark.shows("stream", client="{client}")
@those(lambda library: hasattr(library, "stream") and not library.always_tells_usage)
@OF_EACH_PROVIDER
async def test_streams_without_usage(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    said = await client(upstreams, provider).stream(usage=False)
    assert said.text == SAID
    assert said.tokens is None


def call_of(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": "abcdefghi", "type": "function", "function": function}


@pytest.mark.shows("tools", client="{client}")
@those_that("tool")
@OF_EACH_PROVIDER
async def test_calls_a_tool(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    await calls_a_tool(client, upstreams, provider, streams=False)


@pytest.mark.shows("tools in streams", client="{client}")
@those_that("tool")
@OF_EACH_PROVIDER
async def test_calls_a_tool_in_a_stream(
    client: Make, upstreams: EveryUpstream, provider: str
) -> None:
    await calls_a_tool(client, upstreams, provider, streams=True)


async def calls_a_tool(
    client: Make, upstreams: EveryUpstream, provider: str, *, streams: bool
) -> None:
    double = upstreams.doubles[provider]
    double.say("", tool_calls=[call_of("weather", '{"city": "Paris"}')])
    double.say(SUNNY)
    called = await client(upstreams, provider).tool(streams=streams)
    assert (called.name, called.arguments, called.text) == ("weather", {"city": "Paris"}, SUNNY)
    assert "The weather in a city." in json.dumps(double.seen[0].body)
    assert "Sunny in Paris" in upstreams.told(provider)


@pytest.mark.shows("JSON schema", client="{client}")
@those_that("read_object")
@OF_EACH_PROVIDER
async def test_reads_an_object(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    asked = client(upstreams, provider)
    upstreams.doubles[provider].will(an_object(asked))
    assert await asked.read_object() == PARIS
    assert '"country"' in upstreams.told(provider)


@pytest.mark.shows("stream", client="{client}")
@those_that("read_growing")
@OF_EACH_PROVIDER
async def test_reads_an_object_as_it_grows(
    client: Make, upstreams: EveryUpstream, provider: str
) -> None:
    asked = client(upstreams, provider)
    upstreams.doubles[provider].will(an_object(asked))
    *growing, last = await asked.read_growing()
    assert last == PARIS
    at_once = asked.object_tool and provider in {"mistral", "gemini"}
    assert at_once or (growing and growing[0] != PARIS)


def an_object(asked: Any, **more: Any) -> Turn:
    text = json.dumps(PARIS)
    if asked.object_tool is None:
        return Turn(text=text, **more)
    return Turn(tool_calls=[call_of(asked.object_tool, text)], **more)


def midway(asked: Any, provider: str) -> int:
    """After how many events of a stream there is something of an object, and more to come."""
    return {"mistral": 2, "gemini": 1}.get(provider, 4) if asked.object_tool else 4


@pytest.mark.shows("stream", "tools", client="{client}")
@those_that("read_each")
@OF_EACH_PROVIDER
async def test_reads_objects_one_by_one(
    client: Make, upstreams: EveryUpstream, provider: str
) -> None:
    rome = {"name": "Rome", "country": "Italy"}
    cities = json.dumps({"tasks": [PARIS, rome]})
    upstreams.doubles[provider].say("", tool_calls=[call_of("IterableCity", cities)])
    assert await client(upstreams, provider).read_each() == [PARIS, rome]


@pytest.mark.shows("tools", client="{client}")
@those_that("read_valid")
@OF_EACH_PROVIDER
async def test_asks_again_until_an_object_is_valid(
    client: Make, upstreams: EveryUpstream, provider: str
) -> None:
    for name in ("paris", "Paris"):
        call = call_of("NamedCity", json.dumps({**PARIS, "name": name}))
        upstreams.doubles[provider].say("", tool_calls=[call])
    assert await client(upstreams, provider).read_valid() == PARIS
    assert "a name begins with a capital letter" in upstreams.told(provider)


@pytest.mark.shows("embeddings", client="{client}")
@those_that("embed")
@pytest.mark.parametrize("provider", EMBEDDERS)
async def test_embeds(client: Make, upstreams: EveryUpstream, provider: str) -> None:
    embedded = await client(upstreams, model=EMBEDDERS[provider]).embed()
    assert embedded == [vector("one", DIMENSIONS), vector("two", DIMENSIONS)]
    assert upstreams.doubles[provider].seen


@pytest.mark.shows("models", client="{client}")
@those_that("models")
async def test_lists_models(client: Make, upstreams: EveryUpstream) -> None:
    names = await client(upstreams, "anthropic").models()
    assert set(MODELS.values()) <= set(names)


# What goes wrong.


@pytest.mark.shows("typed errors", "waits told", client="{client}")
@those_that("kinds")
async def test_errors_are_typed(client: Make, upstreams: EveryUpstream) -> None:
    running = upstreams.running
    limited = await running.new_key(requests_per_minute=1)
    assert (await running.chat(limited, model=MODELS["openai"])).status == 200
    upstreams.doubles["openai"].fail(status=500)
    for status, asked in {
        400: client(upstreams, model="no-such-model"),
        401: client(upstreams, key="invalid"),
        404: client(upstreams, url=f"{running.url}/nowhere"),
        429: client(upstreams, key=limited),
        502: client(upstreams),
    }.items():
        ask = asked.chat if hasattr(asked, "chat") else asked.read_object
        with pytest.raises(asked.raises) as caught:
            await ask()
        failure = asked.failure(caught.value)
        assert failure.status == status
        assert asked.kinds[status] in failure.kinds
        if status == 429:
            assert 40 <= int(failure.wait) <= 61
    assert len(upstreams.doubles["openai"].seen) == 2


@pytest.mark.shows("broken streams", client="{client}")
@those_that("leave")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("how", ["cut_after", "error_after"])
async def test_a_broken_stream_raises(
    client: Make, upstreams: EveryUpstream, provider: str, how: Any
) -> None:
    asked = client(upstreams, provider)
    reads_text = hasattr(asked, "stream")
    breaks: dict[str, Any] = {how: 4 if reads_text else midway(asked, provider)}
    upstreams.doubles[provider].will(Turn(**breaks) if reads_text else an_object(asked, **breaks))
    with pytest.raises(asked.raises):
        await (asked.stream(usage=True) if reads_text else asked.read_growing())
    assert (await upstreams.entry())["outcome"] == "broken_off"


@pytest.mark.shows("leaving", client="{client}")
@those_that("leave")
@OF_EACH_PROVIDER
async def test_leaving_a_stream_stops_the_provider_and_settles_once(
    client: Make, upstreams: EveryUpstream, provider: str
) -> None:
    asked = client(upstreams, provider)
    upstreams.doubles[provider].will(
        Turn(hang_after=4)
        if hasattr(asked, "stream")
        else an_object(asked, hang_after=midway(asked, provider))
    )
    await asked.leave()
    await upstreams.doubles[provider].seen[0].wait_for_hang_up()
    entry = await upstreams.entry()
    assert entry["outcome"] == "client_cancelled"
    if provider == "openai":  # others may have told their usage, or some of it
        assert entry["estimated"]
