"""What is known of the servers that speak OpenAI's format. Golden files pin the bodies."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from langroute.adapters.providers.openai import CODECS
from langroute.adapters.providers.openai.table import AZURE, TABLE
from langroute.adapters.wire.codec import EncodedChat
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts

KINDS = sorted(CODECS)
ELSEWHERE = "https://gateway.example/v1"
MESSAGES = [{"role": "user", "content": "Hi"}]
NATIVE_BODIES: dict[Dialect, dict[str, Any]] = {
    Dialect.COMPLETIONS: {"prompt": "Hi"},
    Dialect.RESPONSES: {"input": "Hi", "store": False},
    Dialect.MESSAGES: {"messages": MESSAGES, "system": "Be brief.", "max_tokens": 100},
}


def provider(kind: str, base_url: str) -> Provider:
    return Provider(name="acme", kind=ProviderKind(kind), base_url=base_url)


def encoded(
    kind: str, dialect: Dialect, base_url: str | None = None, *, stream: bool = False, **own: Any
) -> EncodedChat:
    native = Native(dialect=dialect, body={"model": "asked", **NATIVE_BODIES[dialect], **own})
    call = UpstreamCall(
        provider=provider(kind, base_url or CODECS[kind].default_url or ELSEWHERE),
        credential=None,
        model="sent-model",
        request=ChatRequest.parse({"model": "asked", "messages": MESSAGES}, native),
        output_cap=7,
        timeouts=Timeouts(),
    )
    return CODECS[kind].encode(call, stream=stream)


def operation_path(kind: str, operation: Operation, base_url: str = ELSEWHERE) -> str | None:
    call = UpstreamCall(
        provider=provider(kind, base_url),
        credential=None,
        model="sent-model",
        request=OperationRequest(operation=operation, body={"input": "Hi"}, model="asked"),
        output_cap=None,
        timeouts=Timeouts(),
    )
    sent = CODECS[kind].operation(call)
    if sent is None:
        return None
    assert sent.body == {"input": "Hi", "model": "sent-model"}
    return sent.path


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_cites_a_page_and_has_an_address_that_can_be_called(kind: str) -> None:
    facts = AZURE if kind == "azure" else TABLE[kind]
    assert facts.page.startswith("https://")
    url = CODECS[kind].default_url
    if url is None:
        assert kind in {"azure", "llamacpp", "vllm"}, "those live where their operator put them"
        return
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.scheme == ("http" if parts.hostname == "localhost" else "https")
    assert not url.endswith("/")


@pytest.mark.parametrize("kind", KINDS)
def test_a_credential_is_sent_in_the_form_that_the_vendor_takes(kind: str) -> None:
    headers = CODECS[kind].headers("sk-{}-0")
    if kind == "azure":
        assert headers == {"api-key": "sk-{}-0"}
    else:
        assert headers["Authorization"] == "Bearer sk-{}-0"
    assert ("x-api-key" in headers) is (kind == "deepseek")


# Behind the default address, or else at one of the operator's.
SPOKEN = {
    "azure": {Dialect.COMPLETIONS: "/completions", Dialect.RESPONSES: "/responses"},
    "cerebras": {Dialect.COMPLETIONS: "/completions"},
    "deepinfra": {Dialect.COMPLETIONS: "/completions"},
    "deepseek": {Dialect.MESSAGES: "/anthropic/v1/messages"},
    "groq": {Dialect.RESPONSES: "/responses"},
    "moonshot": {},
    "nvidia": {Dialect.COMPLETIONS: "/completions"},
    "openai": {Dialect.COMPLETIONS: "/completions", Dialect.RESPONSES: "/responses"},
    "perplexity": {Dialect.RESPONSES: "/responses"},
    "together": {Dialect.COMPLETIONS: "/completions"},
    "xai": {Dialect.RESPONSES: "/responses"},
}
SPEAK_ALL = {
    Dialect.COMPLETIONS: "/completions",
    Dialect.RESPONSES: "/responses",
    Dialect.MESSAGES: "/messages",
}
CAPS = {
    Dialect.COMPLETIONS: "max_tokens",
    Dialect.RESPONSES: "max_output_tokens",
    Dialect.MESSAGES: "max_tokens",
}


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("kind", KINDS)
def test_a_caller_s_own_words_go_to_whom_speaks_them(kind: str, dialect: Dialect) -> None:
    path = SPOKEN.get(kind, SPEAK_ALL).get(dialect)
    sent = encoded(kind, dialect)
    if path is None:
        assert (sent.dialect, sent.path) == (None, "/chat/completions")
        assert sent.body["messages"] == MESSAGES
        return
    assert (sent.dialect, sent.path) == (dialect, path)
    own = {"model": "sent-model", "stream": False, CAPS[dialect]: 7}
    assert sent.body == {**NATIVE_BODIES[dialect], **own}


def test_usage_is_asked_for_in_a_stream_of_text_completions_only() -> None:
    text = encoded("vllm", Dialect.COMPLETIONS, stream=True).body
    assert text["stream_options"] == {"include_usage": True}
    for dialect in (Dialect.RESPONSES, Dialect.MESSAGES):
        body = encoded("vllm", dialect, stream=True).body
        assert body["stream"] is True
        assert "stream_options" not in body


def test_what_a_server_does_not_read_is_dropped_from_text_completions_too() -> None:
    sent = encoded("ollama", Dialect.COMPLETIONS, n=2, logit_bias={"5": 1}, user="ann")
    assert sent.dialect is Dialect.COMPLETIONS
    assert sent.dropped == ("logit_bias", "n")
    assert sent.body["user"] == "ann"
    assert not {"logit_bias", "n"} & sent.body.keys()


@pytest.mark.parametrize(
    ("base_url", "is_openai"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://mine.openai.azure.com/openai/v1", True),
        ("https://evilopenai.com/v1", False),
        ("https://api.openai.com.evil.example/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://[nonsense", False),
    ],
)
def test_openai_s_own_facts_hold_at_its_own_hosts(base_url: str, is_openai: bool) -> None:
    sent = encoded("openai", Dialect.RESPONSES, base_url)
    assert (sent.dialect is Dialect.RESPONSES) is is_openai
    translated = encoded("openai", Dialect.MESSAGES, base_url).body
    assert translated["max_completion_tokens" if is_openai else "max_tokens"] == 7


def test_perplexity_s_responses_are_at_its_default_address_only() -> None:
    """Another's may still speak its chats, which have ended there."""
    assert encoded("perplexity", Dialect.RESPONSES).dialect is Dialect.RESPONSES
    for base_url in ("https://api.perplexity.ai", ELSEWHERE):
        assert encoded("perplexity", Dialect.RESPONSES, base_url).path == "/chat/completions"


def test_deepseek_s_messages_are_beside_its_default_address_only() -> None:
    assert encoded("deepseek", Dialect.MESSAGES, "https://api.deepseek.com/").dialect is not None
    for base_url in ("https://api.deepseek.com/v1", ELSEWHERE):
        assert encoded("deepseek", Dialect.MESSAGES, base_url).path == "/chat/completions"


@pytest.mark.parametrize(("total", "output"), [(135, 103), (41, 9), (None, 9)])
def test_reasoning_is_added_to_the_output_only_where_the_sum_says_that_it_is_apart(
    total: int | None, output: int
) -> None:
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": 94},
    }
    body = {"choices": [{"message": {"content": "Ho"}}], "usage": usage}
    shown = CODECS["xai"].reply(body, EncodedChat(path="/chat/completions", body={}))
    assert shown["usage"]["completion_tokens"] == output


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("openai", set(Operation)),
        ("ollama", {Operation.EMBEDDINGS, Operation.TRANSCRIPTIONS}),
        ("openrouter", {Operation.EMBEDDINGS, Operation.SPEECH, Operation.TRANSCRIPTIONS}),
        ("deepseek", set()),
        ("groq", {Operation.SPEECH, Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS}),
        ("fireworks", {Operation.EMBEDDINGS}),
        ("azure", set(Operation) - {Operation.MODERATIONS, Operation.IMAGE_VARIATIONS}),
    ],
)
def test_an_operation_that_is_not_offered_is_not_asked_for(
    kind: str, offered: set[Operation]
) -> None:
    for operation in Operation:
        path = operation_path(kind, operation)
        assert path == (f"/{operation}" if operation in offered else None)


def test_at_another_address_the_kind_openai_may_have_any_operation() -> None:
    for operation in Operation:
        assert operation_path("openai", operation, "http://localhost:1/v1") == f"/{operation}"
