"""Wire conversions, pinned. Each file tells where its provider's side was taken from, and when."""

import re
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain import errors
from langroute.domain.chat import ChatRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from langroute.domain.units import Units
from langroute.domain.usage import TokenUsage
from upstreams.openai import OpenAIUpstream
from upstreams.turn import Turn

GOLDEN = Path(__file__).parent / "golden"
PLAIN = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}]}


class Anywhere(OpenAIUpstream):
    """Sends what it is told to, whatever it is asked for."""

    path: ClassVar[str] = "/{path:.*}"


@pytest.fixture
async def provider() -> AsyncIterator[Anywhere]:
    async with Anywhere() as provider:
        yield provider


def golden(folder: str) -> pytest.MarkDecorator:
    files = sorted(GOLDEN.glob(f"*/{folder}/*.json"))
    assert files
    return pytest.mark.parametrize("file", files, ids=lambda file: f"{file.parts[-3]}-{file.stem}")


def call(file: Path, case: dict[str, Any], base_url: str) -> UpstreamCall[ChatRequest]:
    kind = ProviderKind(file.parts[-3])
    return UpstreamCall(
        provider=Provider(name="acme", kind=kind, base_url=base_url),
        credential=None,
        model=case.get("model", "sent-model"),
        request=ChatRequest.parse(case.get("given", PLAIN)),
        output_cap=case.get("output_cap"),
        timeouts=Timeouts(),
    )


def usage(told: dict[str, Any] | None) -> TokenUsage | None:
    if told is None:
        return None
    return TokenUsage(**{**told, "units": Units(told.get("units", {}))})


def as_shown(body: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Some providers do not say when they answered: then it is now."""
    if "created" in shown or "created" not in body:
        return body
    assert abs(body["created"] - time.time()) < 60
    return {name: value for name, value in body.items() if name != "created"}


@pytest.mark.parametrize("file", sorted(GOLDEN.rglob("*.json")), ids=lambda file: file.stem)
def test_every_file_tells_its_source_and_its_date(file: Path) -> None:
    case = orjson.loads(file.read_bytes())
    assert re.match(r"https://", case["source"])
    assert date.fromisoformat(case["date"]) > date(2020, 1, 1)
    assert case["about"]


@golden("requests")
def test_a_request_is_sent_as_its_provider_takes_it(file: Path) -> None:
    case = orjson.loads(file.read_bytes())
    asked = call(file, case, case.get("base_url", "https://acme.example/v1"))
    before = orjson.dumps(asked.request.body)
    sent = all_codecs()[asked.provider.kind].encode(asked, stream=case.get("stream", False))
    assert sent.body == case["sent"]
    assert sent.path == case.get("path", "/chat/completions")
    assert list(sent.dropped) == case["dropped"]
    assert orjson.dumps(asked.request.body) == before, "the next target needs it as it was"


@golden("replies")
async def test_a_reply_is_shown_in_the_openai_format(
    upstream: HttpUpstream, provider: Anywhere, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    provider.will(Turn(raw=orjson.dumps(case["came"])))
    reply = await upstream.complete(call(file, case, provider.base_url))
    assert as_shown(reply.body, case["shown"]) == case["shown"]
    assert reply.usage == usage(case["usage"])


@golden("streams")
async def test_a_stream_is_shown_in_the_openai_format(
    upstream: HttpUpstream, provider: Anywhere, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    provider.will(Turn(raw=[f"{event}\n\n".encode() for event in case["came"]]))
    chunks = await upstream.stream(call(file, case, provider.base_url))
    for shown in case["shown"]:
        chunk = await anext(chunks)
        assert as_shown(chunk.body, shown["body"]) == shown["body"]
        assert chunk.usage == usage(shown.get("usage"))
        assert chunk.text_bytes == shown.get("text_bytes", 0)
    if "raises" in case:
        with pytest.raises(errors.ProviderBrokeOff) as caught:
            await anext(chunks)
        assert str(caught.value) == case["raises"]
    else:
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


@golden("streams")
def test_openai_s_own_library_puts_a_stream_together(file: Path) -> None:
    """What it makes of the chunks is what they say: it is strict about lists."""
    case = orjson.loads(file.read_bytes())
    state = ChatCompletionStreamState()
    told: dict[int, str] = {}
    for shown in case["shown"]:
        state.handle_chunk(ChatCompletionChunk.model_validate({"created": 1, **shown["body"]}))
        for choice in shown["body"]["choices"]:
            text = choice["delta"].get("content") or ""
            told[choice["index"]] = told.get(choice["index"], "") + text
    if told:
        choices = state.current_completion_snapshot.choices
        assert {one.index: one.message.content or "" for one in choices} == told


@golden("errors")
async def test_a_failure_becomes_the_gateway_s_own(
    upstream: HttpUpstream, provider: Anywhere, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    raw = orjson.dumps(case["came"])
    provider.will(Turn(status=case["status"], raw=raw, headers=case.get("headers", {})), times=2)
    told = case["raises"]
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(getattr(errors, told["error"])) as caught:
            await ask(call(file, case, provider.base_url))
        facts = {name: getattr(caught.value, name) for name in told.keys() - {"error", "message"}}
        assert {"error": told["error"], "message": str(caught.value), **facts} == told
