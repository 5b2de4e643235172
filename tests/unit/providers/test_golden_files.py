"""Wire conversions, pinned. Each file tells where its provider's side was taken from, and when."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import ChatChunk, UpstreamCall
from langroute.domain import errors
from langroute.domain.chat import ChatRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import TokenUsage
from upstreams.openai import OpenAIUpstream
from upstreams.turn import Turn

GOLDEN = Path(__file__).parent / "golden"
PLAIN = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}]}


def golden(folder: str) -> pytest.MarkDecorator:
    files = sorted(GOLDEN.glob(f"*/{folder}/*.json"))
    assert files
    return pytest.mark.parametrize("file", files, ids=lambda file: f"{file.parts[-3]}-{file.stem}")


def call(file: Path, case: dict[str, Any], base_url: str) -> UpstreamCall[ChatRequest]:
    kind = ProviderKind(file.parts[-3])
    return UpstreamCall(
        provider=Provider(name="acme", kind=kind, base_url=base_url),
        credential=None,
        model="sent-model",
        request=ChatRequest.parse(case.get("given", PLAIN)),
        output_cap=case.get("output_cap"),
        timeouts=Timeouts(),
    )


def usage(told: dict[str, int] | None) -> TokenUsage | None:
    return None if told is None else TokenUsage(**told)


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
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    openai_upstream.will(Turn(raw=orjson.dumps(case["came"])))
    reply = await upstream.complete(call(file, case, openai_upstream.base_url))
    assert reply.body == case["shown"]
    assert reply.usage == usage(case["usage"])


@golden("streams")
async def test_a_stream_is_shown_in_the_openai_format(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    openai_upstream.will(Turn(raw=[f"{event}\n\n".encode() for event in case["came"]]))
    chunks = await upstream.stream(call(file, case, openai_upstream.base_url))
    for shown in case["shown"]:
        assert await anext(chunks) == ChatChunk(
            body=shown["body"],
            usage=usage(shown.get("usage")),
            text_bytes=shown.get("text_bytes", 0),
        )
    if "raises" in case:
        with pytest.raises(errors.ProviderBrokeOff) as caught:
            await anext(chunks)
        assert str(caught.value) == case["raises"]
    else:
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


@golden("errors")
async def test_a_failure_becomes_the_gateway_s_own(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, file: Path
) -> None:
    case = orjson.loads(file.read_bytes())
    raw = orjson.dumps(case["came"])
    openai_upstream.will(
        Turn(status=case["status"], raw=raw, headers=case.get("headers", {})), times=2
    )
    told = case["raises"]
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(getattr(errors, told["error"])) as caught:
            await ask(call(file, case, openai_upstream.base_url))
        facts = {name: getattr(caught.value, name) for name in told.keys() - {"error", "message"}}
        assert {"error": told["error"], "message": str(caught.value), **facts} == told
