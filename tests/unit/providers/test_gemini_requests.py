import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.gemini.codec import GeminiCodec
from langroute.adapters.providers.gemini.schemas import json_schema
from langroute.adapters.providers.gemini.thinking import thinking_config
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.errors import OperationUnsupported
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from upstreams.gemini_rules import faults

TEXTS = st.sampled_from(["", "a", "b c", "ü"])
MODELS = st.sampled_from(["gemini-2.0-flash", "gemini-2.5-pro", "gemini-3.8-flash", "some-model"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
WORDS = st.sampled_from(
    [
        *("type", "text", "image_url", "url", "input_audio", "data", "format", "file"),
        *("file_data", "file_id", "filename", "id", "function", "name", "arguments"),
        *("extra_content", "google", "thought_signature", "parts", "content", "tool_calls"),
        *("detail", "custom", "refusal", "$ref", "$defs", "properties", "definitions"),
        *("const", "enum", "parameters", "schema", "json_schema", "mode", "tools"),
        *("allowed_tools", "voice", "thinking_config", "max_output_tokens"),
        *("candidateCount",),
    ]
)
JUNK = st.recursive(
    JSON | WORDS | st.sampled_from(["data:,", "data:a/b;base64,xx", "http://[", "#/$defs/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


OPEN_FIELDS = [
    *("functions", "function_call", "reasoning_effort", "modalities", "audio"),
    *("web_search_options", "extra_body", "generation_config", "toolConfig"),
    *("thinkingConfig", "service_tier", "safety_settings", "unheard_of"),
]


def chat(
    body: dict[str, Any], model: str = "some-model", cap: int | None = None
) -> UpstreamCall[ChatRequest]:
    whole = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}], **body}
    return UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind.GEMINI, base_url="https://acme.example"),
        credential=None,
        model=model,
        request=ChatRequest.parse(whole),
        output_cap=cap,
        timeouts=Timeouts(),
    )


def sent(body: dict[str, Any], model: str = "some-model") -> dict[str, Any]:
    return GeminiCodec().encode(chat(body, model), stream=False).body


def tool_turn(
    calls: list[tuple[str, dict[str, Any] | None]], backwards: bool
) -> list[dict[str, Any]]:
    """An assistant's calls, each answered; some with a signature, as Google's own are."""
    made, answers = [], []
    for place, (name, args) in enumerate(calls):
        function = {"name": name, "arguments": json.dumps(args)}
        extra = {"google": {"thought_signature": "c2ln"}} if place % 2 else None
        made.append({"id": f"id{place}", "type": "function", "function": function})
        made[-1] |= {"extra_content": extra} if extra else {}
        answers.append({"role": "tool", "tool_call_id": f"id{place}", "content": "1"})
    asked = {"role": "assistant", "content": None, "tool_calls": made}
    return [asked, *(reversed(answers) if backwards else answers)]


CALLS = st.lists(
    st.tuples(st.sampled_from(["f", "g"]), st.none() | st.dictionaries(TEXTS, JSON)),
    min_size=1,
    max_size=3,
)
ROLES = st.sampled_from(["user", "assistant", "system", "developer"])
PARTS = st.lists(
    st.sampled_from(
        [
            {"type": "text", "text": "t"},
            {"type": "text", "text": ""},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}},
            {"type": "image_url", "image_url": {"url": "https://acme.example/a.png"}},
            {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}},
        ]
    ),
    max_size=3,
)
TURNS = st.one_of(
    st.builds(lambda role, said: [{"role": role, "content": said}], ROLES, TEXTS | PARTS),
    # Whoever calls has been asked, and its results are taken up before another calls.
    st.builds(
        lambda calls, backwards: [
            {"role": "user", "content": "So"},
            *tool_turn(calls, backwards),
            {"role": "assistant", "content": "I see"},
        ],
        CALLS,
        st.booleans(),
    ),
)
CONVERSATIONS = st.lists(TURNS, max_size=6).map(
    lambda turns: [{"role": "user", "content": "Hi"}, *(m for turn in turns for m in turn)]
)


@given(CONVERSATIONS, MODELS)
def test_every_conversation_that_openai_takes_is_one_that_google_takes(
    messages: list[dict[str, Any]], model: str
) -> None:
    before = orjson.dumps(messages)
    body = sent({"messages": messages, "temperature": 0.5, "presence_penalty": 1}, model)
    is_new = model == "gemini-3.8-flash"
    assert list(faults(body, signs=is_new or model == "some-model", strict=is_new)) == []
    assert orjson.dumps(messages) == before


@given(CONVERSATIONS)
def test_no_words_and_no_calls_are_lost_on_the_way(messages: list[dict[str, Any]]) -> None:
    body = sent({"messages": messages})
    contents = [*body["contents"], body.get("systemInstruction", {"parts": []})]
    parts = [part for content in contents for part in content["parts"]]
    said = [text for m in messages if m["role"] != "tool" for text in texts(m["content"])]
    assert sorted(p["text"] for p in parts if "text" in p) == sorted(said)
    calls = [
        (c["function"]["name"], json.loads(c["function"]["arguments"]) or {})
        for m in messages
        for c in m.get("tool_calls", [])
    ]
    assert [
        (p["functionCall"]["name"], p["functionCall"]["args"]) for p in parts if "functionCall" in p
    ] == calls
    answers = [p["functionResponse"] for p in parts if "functionResponse" in p]
    assert [answer["name"] for answer in answers] == [name for name, _ in calls]


def texts(content: Any) -> list[str]:
    parts = [{"text": content}] if isinstance(content, str) else content or []
    return [part["text"] for part in parts if part.get("text")]


@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant", "tool", "function", "system", "x"])},
            optional={
                "content": st.none() | st.text() | st.lists(st.dictionaries(WORDS, JUNK)),
                "tool_calls": JUNK,
                "function_call": JUNK,
                "tool_call_id": JUNK,
                "name": JUNK,
                "images": JUNK,
                "extra_content": JUNK,
            },
        ),
        min_size=1,
        max_size=4,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(OPEN_FIELDS, JUNK),
            "tools": st.lists(JUNK),
            "tool_choice": st.text() | st.dictionaries(WORDS, JUNK),
            "response_format": st.dictionaries(WORDS, JUNK),
        },
    ),
    MODELS,
)
def test_whatever_a_caller_sends_is_encoded_and_left_as_it_was(
    messages: list[dict[str, Any]], more: dict[str, Any], model: str
) -> None:
    asked = chat({"messages": messages, **more}, model, cap=100)
    before = orjson.dumps(asked.request.body)
    for stream in (False, True):
        encoded = GeminiCodec().encode(asked, stream=stream)
        orjson.dumps(encoded.body)
        assert encoded.body["generationConfig"]["maxOutputTokens"] <= 100
        assert "candidateCount" not in encoded.body["generationConfig"]
    assert orjson.dumps(asked.request.body) == before


@pytest.mark.parametrize("where", ["body", "extra_body"])
@pytest.mark.parametrize(
    "name", ["serviceTier", "service__tier", "service_Tier", "cached__content", "cached_content_"]
)
def test_what_is_held_back_for_is_not_said_again_in_other_letters(name: str, where: str) -> None:
    """What a call may cost is read of `service_tier`; `cachedContent` is refused by its name."""
    own = {name: "priority"}
    body = sent(own if where == "body" else {"extra_body": {"google": own}})
    assert body.keys() <= {"contents", name}
    assert "serviceTier" not in body
    assert sent({**own, "service_tier": "flex"})["serviceTier"] == "flex"


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        ("gemini-3.8-flash", "none", {"thinkingLevel": "LOW"}),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        (
            "gemini-3-flash-preview",
            "minimal",
            {"thinkingLevel": "MINIMAL", "includeThoughts": True},
        ),
        ("gemini-3.1-flash-lite", "none", {"thinkingLevel": "MINIMAL"}),
        (
            "models/gemini-3.1-pro-preview",
            "xhigh",
            {"thinkingLevel": "HIGH", "includeThoughts": True},
        ),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3.1-flash-image", "low", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-flash-latest", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-4-argon", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24_576, "includeThoughts": True}),
        ("gemini-2.0-flash", "high", None),
        ("gemini-2.5-flash-image", "none", None),
        ("gemini-robotics-er-1.5-preview", "high", None),
        ("gemma-3-27b-it", "high", None),
        ("gemini-3.8-flash", ["high"], None),
    ],
)
def test_effort_is_told_as_each_family_of_models_takes_it(
    model: str, effort: object, config: dict[str, Any] | None
) -> None:
    assert thinking_config(effort, model) == config


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("required", {"mode": "ANY"}),
        ("none", {"mode": "NONE"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "f"}}],
                },
            },
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_a_choice_of_tools_is_a_mode(choice: Any, config: dict[str, Any]) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = sent({"tools": tools, "tool_choice": choice})
    assert body["toolConfig"] == {"functionCallingConfig": config}
    assert "toolConfig" not in sent({"tool_choice": choice}), "without tools there is none"


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (
            "gemini-3.8-flash",
            {
                "functionCallingConfig": {"mode": "VALIDATED"},
                "includeServerSideToolInvocations": True,
            },
        ),
        ("gemini-2.5-flash", {"functionCallingConfig": {"mode": "AUTO"}}),
    ],
)
def test_google_s_own_tools_stand_beside_functions_where_they_may(
    model: str, config: dict[str, Any]
) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}, {"google_search": {}}]
    assert sent({"tools": tools, "tool_choice": "auto"}, model)["toolConfig"] == config


@given(st.text(), st.sampled_from(["9", "9" * 5, "9" * 5000]))
def test_any_name_of_a_model_is_encoded(name: str, digits: str) -> None:
    for model in (name, f"gemini-{name}", f"gemini-{digits}", f"gemini-3.{digits}"):
        path = GeminiCodec().encode(chat({}, model), stream=False).path
        assert path.count("/") == 2


def test_a_schema_that_doubles_at_each_step_stays_small() -> None:
    defs: dict[str, Any] = {"d40": {"type": "string"}}
    for step in range(40):
        ref = {"$ref": f"#/$defs/d{step + 1}", "description": "."}
        defs[f"d{step}"] = {"type": "object", "properties": {"a": ref, "b": ref}}
    schema = {"$defs": defs, "properties": {"a": {"$ref": "#/$defs/d0", "title": "A"}}}
    assert len(orjson.dumps(json_schema(schema))) < 100_000


def test_a_schema_as_deep_as_may_be_is_rewritten() -> None:
    schema: dict[str, Any] = {"$ref": "#/$defs/deep", "title": "."}
    for _ in range(60):
        schema = {"properties": {"a": {"anyOf": [schema]}}}
    orjson.dumps(json_schema({"$defs": {"deep": schema}, **schema}))


@given(st.dictionaries(WORDS, JUNK))
def test_any_schema_is_rewritten_and_left_as_it_was(schema: dict[str, Any]) -> None:
    before = orjson.dumps(schema)
    written = json_schema(schema)
    orjson.dumps(written)
    assert orjson.dumps(schema) == before


def embeddings(body: dict[str, Any]) -> UpstreamCall[OperationRequest]:
    return UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind.GEMINI, base_url="https://acme.example"),
        credential=None,
        model="models/gemini-embedding-001",
        request=OperationRequest(operation=Operation.EMBEDDINGS, body=body, model="asked"),
        output_cap=None,
        timeouts=Timeouts(),
    )


def test_texts_are_embedded_in_one_call() -> None:
    body = {"model": "asked", "input": ["a", "b"], "dimensions": 8, "user": "u", "taskType": "X"}
    encoded = GeminiCodec().operation(embeddings(body))
    assert encoded is not None
    assert encoded.path == "/models/gemini-embedding-001:batchEmbedContents"
    assert encoded.body == {
        "requests": [
            {
                "taskType": "X",
                "outputDimensionality": 8,
                "model": "models/gemini-embedding-001",
                "content": {"parts": [{"text": text}]},
            }
            for text in ("a", "b")
        ]
    }
    assert encoded.dropped == ("user",)


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2]], [], None])
def test_tokens_of_another_model_s_are_not_embedded(tokens: Any) -> None:
    with pytest.raises(OperationUnsupported, match="tokens' numbers"):
        GeminiCodec().operation(embeddings({"input": tokens}))


def test_there_is_nothing_else_that_it_does() -> None:
    request = OperationRequest(operation=Operation.SPEECH, body={"input": "a"}, model="asked")
    asked = embeddings({})
    assert (
        GeminiCodec().operation(
            UpstreamCall(
                provider=asked.provider,
                credential=None,
                model="m",
                request=request,
                output_cap=None,
                timeouts=Timeouts(),
            )
        )
        is None
    )
