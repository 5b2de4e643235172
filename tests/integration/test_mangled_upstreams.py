"""Whatever a provider sends, callers see an answer in their dialect, or an error in it; a stream
ends in its own end or in an error; and what was admitted is paid for once."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asked_in_each_dialect import PATHS, how_it_ends, is_answer, is_error, request
from langroute.adapters.wire.codecs import all_codecs
from mangled import MANGLES, Mangle, mangled, written
from upstreams.obliging import ObligingServer, streamed, whole
from upstreams.plain_answers import EVENTS, WHOLE
from watched_gateway import SECRET, WatchedGateway

KINDS = sorted(all_codecs())
MANY = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
KIND = st.sampled_from(KINDS)
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


async def ask(
    watched: WatchedGateway, dialect: str, kind: str, *, stream: bool, agent: str = "a test"
) -> None:
    body = request(dialect, kind, stream=stream)
    heard = await watched.post(PATHS[dialect], orjson.dumps(body), agent=agent)
    assert SECRET.encode() not in heard.body
    (entry,) = await watched.newly_settled()
    if heard.status != 200:
        assert heard.status in {400, 413, 429, 502, 503, 504}
        assert is_error(dialect, orjson.loads(heard.body)), heard
        assert entry.outcome == "failed"
    elif heard.is_stream:
        ended = how_it_ends(dialect, heard.body)
        assert entry.outcome == ("succeeded" if ended == "well" else "broken_off")
    else:
        assert is_answer(dialect, orjson.loads(heard.body))
        assert entry.outcome == "succeeded"
    assert watched.said_nothing()


@MANY
@given(kind=KIND, mangles=MANGLES)
@pytest.mark.parametrize("dialect", PATHS)
async def test_whole_answers(
    watched: WatchedGateway,
    obliging: ObligingServer,
    dialect: str,
    kind: str,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = lambda spoken, _: whole(written(mangled(WHOLE[spoken], mangles)))
    await ask(watched, dialect, kind, stream=False)


@MANY
@given(kind=KIND, mangles=MANGLES)
@pytest.mark.parametrize("dialect", PATHS)
async def test_streams_with_mangled_events(
    watched: WatchedGateway,
    obliging: ObligingServer,
    dialect: str,
    kind: str,
    mangles: Sequence[Mangle],
) -> None:
    obliging.answer = lambda spoken, _: streamed(events(spoken, mangles))
    await ask(watched, dialect, kind, stream=True)


@MANY
@given(kind=KIND, mangles=MANGLES)
async def test_streams_for_mistrals_own_clients(
    watched: WatchedGateway, obliging: ObligingServer, kind: str, mangles: Sequence[Mangle]
) -> None:
    obliging.answer = lambda spoken, _: streamed(events(spoken, mangles))
    await ask(watched, "chat", kind, stream=True, agent="mistral-client-python/1.9")


@MANY
@given(kind=KIND, order=st.lists(st.integers(0, 20), max_size=12), ends=LINE_ENDS, data=st.data())
@pytest.mark.parametrize("dialect", PATHS)
async def test_streams_whose_events_are_lost_or_out_of_order_or_cut(
    watched: WatchedGateway,
    obliging: ObligingServer,
    dialect: str,
    kind: str,
    order: list[int],
    ends: bytes,
    data: st.DataObject,
) -> None:
    cut = data.draw(st.none() | st.integers(0, 2_000))
    junk = data.draw(st.binary(max_size=10))

    def answer(spoken: str, _: object) -> bytes:
        told = EVENTS[spoken]
        raw = events(spoken, (), [told[number % len(told)] for number in order])
        raw = raw.replace(b"\n", ends)
        return streamed(raw if cut is None else raw[:cut] + junk)

    obliging.answer = answer
    await ask(watched, dialect, kind, stream=True)


@MANY
@given(kind=KIND, stream=st.booleans(), status=st.integers(100, 599), mangles=MANGLES)
@pytest.mark.parametrize("dialect", PATHS)
async def test_refusals(
    watched: WatchedGateway,
    obliging: ObligingServer,
    dialect: str,
    kind: str,
    stream: bool,
    status: int,
    mangles: Sequence[Mangle],
) -> None:
    refused = written(mangled(REFUSAL, mangles))
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    obliging.answer = lambda *_: head % (status, len(refused)) + refused
    await ask(watched, dialect, kind, stream=stream)


# Of all formats in one: each codec finds its own in it.
REFUSAL = {
    "type": "error",
    "object": "error",
    "message": {"detail": [{"loc": ["body", "messages", 0], "msg": f"Bad {SECRET}", "type": "x"}]},
    "error": {
        "type": "invalid_request_error",
        "message": f"messages.0: Bad {SECRET}",
        "param": "messages",
        "code": 400,
        "status": "INVALID_ARGUMENT",
        "metadata": {"raw": '{"error":{"message":"x"}}', "provider_name": "x"},
        "details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"},
            {"@type": "x", "reason": "API_KEY_INVALID", "fieldViolations": [{"field": "x"}]},
        ],
    },
}


def events(spoken: str, mangles: Sequence[Mangle], told: Any = None) -> bytes:
    """As they are written, whatever of them is left."""
    listed = [
        [name.decode(), data.decode() if isinstance(data, bytes) else data]
        for name, data in (EVENTS[spoken] if told is None else told)
    ]
    made = mangled(listed, mangles)
    raw = b""
    for event in made if isinstance(made, list) else [made]:
        pair = event if isinstance(event, list) and len(event) == 2 else ["", event]
        if isinstance(pair[0], str) and pair[0].isprintable() and pair[0]:
            raw += b"event: %s\n" % pair[0].encode()
        data = pair[1].encode() if pair[1] == "[DONE]" else written(pair[1])
        raw += b"data: %s\n\n" % data
    return raw
