import dataclasses
import re
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.gemini.codec import GeminiCodec
from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.functions import WithFunctions
from langroute.adapters.wire.malformed import BrokeOff, Malformed
from langroute.adapters.wire.sse import Event, EventDecoder
from langroute.adapters.wire.translated import TranslatedEvents
from langroute.adapters.wire.usage import token_usage
from langroute.application.ports.upstream import ChatChunk

SENT = EncodedChat(path="/models/some-model:generateContent", body={})
LEGACY = dataclasses.replace(SENT, calls_functions=True)

SIGNATURES = st.none() | st.just("c2ln")
PART = st.one_of(
    st.fixed_dictionaries({"text": st.text(max_size=5)}, optional={"thought": st.booleans()}),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {
                    "name": st.just("f"),
                    "args": st.dictionaries(st.text(max_size=3), st.integers(0, 9)),
                },
                optional={"id": st.text(min_size=1, max_size=3)},
            )
        },
        optional={"thoughtSignature": st.just("c2ln")},
    ),
    st.just({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}),
    st.just({"executableCode": {"code": "1"}}),
)
NAMES = st.sampled_from(
    [
        *("candidates", "content", "parts", "text", "thought", "thoughtSignature"),
        *("functionCall", "name", "args", "id", "inlineData", "mimeType", "data", "index"),
        *("finishReason", "usageMetadata", "promptTokenCount", "candidatesTokenCount"),
        *("totalTokenCount", "promptTokensDetails", "modality", "tokenCount"),
        *("cacheTokensDetails", "candidatesTokensDetails"),
        *("promptFeedback", "blockReason", "responseId", "modelVersion", "logprobsResult"),
        *("chosenCandidates", "topCandidates", "token", "logProbability", "error", "code"),
        *("message", "status", "details", "retryDelay", "fieldViolations", "field"),
        *("reason", "embeddings", "values", "groundingMetadata"),
    ]
)
JUNK = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(), st.text()),
        st.sampled_from(["STOP", "SAFETY", "AUDIO", "IMAGE", "1.5s", "nans", "infs", "image/png"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
LIKELY = st.fixed_dictionaries(
    {
        "candidates": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "content": st.fixed_dictionaries({"parts": st.lists(PART | JUNK, max_size=3)}),
                    "finishReason": st.sampled_from(["STOP", "SAFETY", "MAX_TOKENS", "NEW"]) | JUNK,
                    "logprobsResult": st.fixed_dictionaries(
                        {"chosenCandidates": st.lists(JUNK), "topCandidates": st.lists(JUNK)}
                    ),
                    "index": JUNK,
                },
            ),
            max_size=3,
        )
    },
    optional={"usageMetadata": st.dictionaries(NAMES, JUNK), "promptFeedback": JUNK},
)


def answer(parts: list[dict[str, Any]], reason: str | None = "STOP") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}}
    return {"candidates": [candidate if reason is None else {**candidate, "finishReason": reason}]}


def streamed(events: list[dict[str, Any]], sent: EncodedChat = SENT) -> list[dict[str, Any]]:
    decode = GeminiCodec().decoder(sent)
    return [chunk for event in events for chunk in decode(event, b"") or ()]


@given(body=st.dictionaries(NAMES, JUNK) | LIKELY, sent=st.sampled_from([SENT, LEGACY]))
def test_any_json_is_an_answer_or_malformed(body: dict[str, Any], sent: EncodedChat) -> None:
    codec = WithFunctions(GeminiCodec())
    raw = orjson.dumps(body)
    with suppress(Malformed):
        shown = codec.reply(orjson.loads(raw), sent)
        orjson.dumps(shown)
        token_usage(shown.get("usage"))
        assert all(choice["message"]["role"] == "assistant" for choice in shown["choices"])
    with suppress(Malformed):
        orjson.dumps(codec.decoder(sent)(orjson.loads(raw), b""))
    codec.complaint(orjson.loads(raw))


@given(
    st.lists(st.lists(PART, max_size=3), min_size=1, max_size=4),
    st.data(),
    st.sampled_from([b"\n\n", b"\r\n\r\n"]),
)
def test_a_stream_is_the_same_however_the_network_has_cut_it(
    said: list[list[dict[str, Any]]], data: st.DataObject, gap: bytes
) -> None:
    events = [answer(parts, None) for parts in said]
    events.append({**answer([]), "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 2}})
    events = [{"responseId": "r", "modelVersion": "m", **event} for event in events]
    raw = b"".join(b"data: " + orjson.dumps(event) + gap for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    whole, cut = read([raw]), read(pieces)
    assert [without_made(one) for one in cut] == [without_made(one) for one in whole]
    assert whole[-1].usage is not None


def read(pieces: list[bytes]) -> list[ChatChunk]:
    decoder, reader = EventDecoder(), TranslatedEvents(GeminiCodec(), SENT, "some-model")
    events: list[Event] = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.flush()
    chunks = [chunk for event in events for chunk in reader.read(event) or ()]
    reader.check_finished()
    return chunks


def without_made(chunk: ChatChunk) -> str:
    """Ids and times that are made up where Google gives none."""
    return re.sub(r"call_[0-9a-f]{32}|'created': \d+", "", repr(chunk))


@given(st.lists(PART, max_size=6))
def test_what_a_model_said_is_what_it_is_sent_back(parts: list[dict[str, Any]]) -> None:
    """Whether it came whole or in a stream. Thoughts are its own, and stay where they are."""
    message = GeminiCodec().reply(answer(parts), SENT)["choices"][0]["message"]
    told = "".join(p["text"] for p in parts if "text" in p and not p.get("thought"))
    called = [p["functionCall"]["args"] for p in parts if "functionCall" in p]
    chunks = streamed([*(answer([part], None) for part in parts), answer([])])
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == told
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert [call["index"] for call in calls] == list(range(len(called)))
    for made in (message.get("tool_calls", []), calls):
        assert [orjson.loads(call["function"]["arguments"]) for call in made] == called
        assert len({call["id"] for call in made if call["id"].startswith("call_")}) == sum(
            "id" not in p["functionCall"] for p in parts if "functionCall" in p
        )
    assert (message["content"] or "") == told
    ends = "tool_calls" if called else "stop"
    assert chunks[-1]["choices"][0]["finish_reason"] == ends


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        *(("STOP", "stop"), ("MAX_TOKENS", "length"), ("FINISH_REASON_UNSPECIFIED", "stop")),
        *(
            ("SAFETY", "content_filter"),
            ("RECITATION", "content_filter"),
            ("SPII", "content_filter"),
        ),
        *(("IMAGE_SAFETY", "content_filter"), ("OTHER", "content_filter")),
        *(("MALFORMED_FUNCTION_CALL", "error"), ("UNEXPECTED_TOOL_CALL", "error")),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_why_it_finished(told: str, shown: str) -> None:
    body = GeminiCodec().reply(answer([{"text": "a"}], told), SENT)
    assert body["choices"][0]["finish_reason"] == shown


def test_a_safety_stop_with_calls_is_no_call() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    body = GeminiCodec().reply(answer([call], "SAFETY"), SENT)
    assert body["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": []},
        {"candidates": "none"},
        {"candidates": [[]]},
        answer([{"functionCall": {"args": {}}}]),
    ],
)
def test_what_nobody_answered_is_no_answer(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        GeminiCodec().reply(body, SENT)


def test_a_finish_that_is_told_again_is_shown_once() -> None:
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    events = [answer([{"text": "a"}]), {**answer([]), "usageMetadata": usage}]
    chunks = streamed(events)
    assert [len(chunk["choices"]) for chunk in chunks] == [1, 0]
    assert chunks[1]["usage"]["total_tokens"] == 2


def test_usage_is_kept_for_the_finish_where_that_does_not_tell_it() -> None:
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    chunks = streamed([{**answer([{"text": "a"}], None), "usageMetadata": usage}, answer([])])
    assert [chunk.get("usage", {}).get("total_tokens") for chunk in chunks] == [2, 2]


@pytest.mark.parametrize(
    ("told", "service"),
    [("priority", "priority"), ("FLEX", "flex"), ("standard", None), (None, None), ([], None)],
)
def test_the_service_that_answered_is_told_as_openai_tells_it(
    told: object, service: str | None
) -> None:
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    body = {**answer([{"text": "a"}]), "usageMetadata": {**usage, "serviceTier": told}}
    reply = GeminiCodec().reply(body, SENT)
    (chunk,) = streamed([body])
    for one in (reply, chunk):
        used = token_usage(one["usage"], one)
        assert used is not None
        assert used.service == service


def test_sound_is_put_together_by_its_bytes() -> None:
    parts = [{"inlineData": {"mimeType": "audio/wav", "data": data}} for data in ("YQ==", "Yg==")]
    audio = GeminiCodec().reply(answer(parts), SENT)["choices"][0]["message"]["audio"]
    assert audio["data"] == "YWI="
    first, second = streamed([answer([parts[0]], None), answer([parts[1]])])
    assert first["choices"][0]["delta"]["audio"]["mime_type"] == "audio/wav"
    assert second["choices"][0]["delta"]["audio"] == {"data": "Yg=="}


def test_an_error_in_a_stream_breaks_it_off() -> None:
    reader = TranslatedEvents(GeminiCodec(), SENT, "some-model")
    error = {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}
    with pytest.raises(BrokeOff, match="Overloaded"):
        reader.read(Event(orjson.dumps([{"error": error}])))


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ("generation_config.thinking_config.thinking_level", "reasoning_effort"),
        ("generation_config.temperature", "temperature"),
        ("contents[0].parts[1]", "messages"),
        ("tools[0].function_declarations[0].name", "tools[0].function_declarations[0].name"),
        ("[0]", "[0]"),
    ],
)
def test_a_field_is_named_as_the_caller_named_it(field: str, param: str) -> None:
    kind = "type.googleapis.com/google.rpc.BadRequest"
    details = [{"@type": kind, "fieldViolations": [{"field": field}]}]
    assert GeminiCodec().complaint({"error": {"code": 400, "details": details}}).param == param


@pytest.mark.parametrize("delay", ["1.5", "s", "soon", 3, None, "1.5m"])
def test_a_wait_that_cannot_be_read_is_none(delay: object) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
    told = GeminiCodec().complaint({"error": {"code": 429, "details": details}})
    assert told.retry_after_s is None
