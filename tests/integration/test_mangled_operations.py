"""What is no chat, mangled on the one side or on the other: the gateway's own errors, and no
others."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asked_in_each_dialect import is_error, request
from langroute.adapters.wire.codecs import all_codecs
from mangled import MANGLES, Mangle, mangled, written
from upstreams.obliging import ObligingServer, whole
from watched_gateway import SECRET, WatchedGateway

KINDS = sorted(all_codecs())
MANY = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
KIND = st.sampled_from(KINDS)
REQUESTS: dict[str, dict[str, Any]] = {
    "embeddings": {"input": ["a", "b"], "encoding_format": "base64", "dimensions": 2, "user": "u"},
    "moderations": {"input": [{"type": "text", "text": "x"}]},
    "images/generations": {"prompt": "x", "n": 1, "size": "1024x1024", "user": "u"},
    "images/edits": {"prompt": "x", "images": [{"image_url": "https://a.example/b.png"}]},
    "audio/speech": {"input": "x", "voice": "alloy", "speed": 1.5},
}
_USAGE = {"prompt_tokens": 2, "total_tokens": 2, "input_tokens": 2, "output_tokens": 3}
# Every operation's answer in one; Google's embeddings have their own.
ANSWER = {
    "object": "list",
    "model": "m",
    "data": [{"index": n, "embedding": [0.5, 0.25], "b64_json": "aGk="} for n in range(2)],
    "embeddings": [{"values": [0.5, 0.25]}, {"values": [0.5, 0.25]}],
    "results": [{"flagged": False, "categories": {"pii": False}, "category_scores": {"pii": 0.5}}],
    "usage": {**_USAGE, "input_tokens_details": {"text_tokens": 2}},
    "usageMetadata": {"promptTokenCount": 2},
}


async def ask(watched: WatchedGateway, path: str, raw: bytes) -> int:
    heard = await watched.post(path, raw)
    assert SECRET.encode() not in heard.body
    if heard.status == 200:
        assert isinstance(orjson.loads(heard.body), dict)
    else:
        assert heard.status in {400, 413, 429, 501, 502, 503, 504}
        assert is_error("chat", orjson.loads(heard.body)), heard
    await watched.newly_settled()
    assert watched.said_nothing()
    return heard.status


@pytest.mark.parametrize("operation", REQUESTS)
async def test_what_is_in_order_is_answered(
    watched: WatchedGateway, obliging: ObligingServer, operation: str
) -> None:
    obliging.answer = lambda *_: whole(ANSWER)
    body = {**REQUESTS[operation], "model": "openai"}
    assert await ask(watched, f"/v1/{operation}", orjson.dumps(body)) == 200


@MANY
@given(kind=KIND, mangles=MANGLES)
@pytest.mark.parametrize("operation", REQUESTS)
async def test_requests(
    watched: WatchedGateway,
    obliging: ObligingServer,
    operation: str,
    kind: str,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = lambda *_: whole(ANSWER)
    body = mangled({"model": kind, **REQUESTS[operation]}, mangles)
    await ask(watched, f"/v1/{operation}", written(body))


@MANY
@given(kind=KIND, mangles=MANGLES)
@pytest.mark.parametrize("operation", REQUESTS)
async def test_answers(
    watched: WatchedGateway,
    obliging: ObligingServer,
    operation: str,
    kind: str,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = lambda *_: whole(written(mangled(ANSWER, mangles)))
    body = {**REQUESTS[operation], "model": kind}
    await ask(watched, f"/v1/{operation}", orjson.dumps(body))


@MANY
@given(kind=KIND, mangles=MANGLES)
async def test_counting_tokens(
    watched: WatchedGateway, kind: str, mangles: Sequence[Mangle]
) -> None:
    body = mangled(request("messages", kind, stream=False), mangles)
    heard = await watched.post("/v1/messages/count_tokens", written(body))
    told = orjson.loads(heard.body)
    if heard.status == 200:
        assert told["input_tokens"] > 0
    else:
        assert heard.status in {400, 404}
        assert is_error("messages", told)
    assert watched.said_nothing()
