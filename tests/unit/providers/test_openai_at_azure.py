import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.http import HttpClient
from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.errors import InvalidRequest
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from upstreams.raw import RawServer

AZURE = ProviderKind("azure")
ANSWER = (
    b'{"id":"c","created":1,"model":"m","choices":[{"message":{"content":"Ho"}}],'
    b'"data":[{"object":"embedding","index":0,"embedding":[0.5]}]}'
)
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
DEPLOYED = "/openai/deployments/gpt-4o"


def call(base_url: str, model: str = "gpt-4o", native: Native | None = None) -> UpstreamCall[
    ChatRequest
]:  # fmt: skip
    body = {"model": "asked", "messages": [{"role": "user", "content": "Hi"}]}
    return UpstreamCall(
        provider=Provider(name="acme", kind=AZURE, base_url=base_url),
        credential="the-key",
        model=model,
        request=ChatRequest.parse(body, native),
        output_cap=None,
        timeouts=Timeouts(),
    )


async def asked(path: str, model: str = "gpt-4o", operation: Operation | None = None) -> str:
    """The request line that reaches Azure, where its base URL ends in this path."""
    async with RawServer([HTTP % (len(ANSWER), ANSWER)]) as server, HttpClient() as client:
        upstream = HttpUpstream(client, all_codecs())
        chat = call(server.base_url.removesuffix("/v1") + path, model)
        if operation is None:
            await upstream.complete(chat)
        else:
            await upstream.perform(
                UpstreamCall(
                    provider=chat.provider,
                    credential=chat.credential,
                    model=model,
                    request=OperationRequest(operation=operation, body={"input": "Hi"}, model="x"),
                    output_cap=None,
                    timeouts=Timeouts(),
                )
            )
        (head,) = server.heads
    assert b"api-key: the-key\r\n" in head
    assert b"authorization" not in head.lower()
    line, _, _ = head.partition(b"\r\n")
    return line.decode().removeprefix("POST ").removesuffix(" HTTP/1.1")


@pytest.mark.parametrize(
    ("base", "sent"),
    [
        ("", f"{DEPLOYED}/chat/completions?api-version=2024-10-21"),
        ("/", f"{DEPLOYED}/chat/completions?api-version=2024-10-21"),
        ("/openai", f"{DEPLOYED}/chat/completions?api-version=2024-10-21"),
        ("?api-version=2025-01-01-preview",
         f"{DEPLOYED}/chat/completions?api-version=2025-01-01-preview"),
        ("/openai/deployments/mine",
         "/openai/deployments/mine/chat/completions?api-version=2024-10-21"),
        ("/openai/v1", "/openai/v1/chat/completions"),
        ("/openai/v1/", "/openai/v1/chat/completions"),
        ("/openai/v1?api-version=preview", "/openai/v1/chat/completions?api-version=preview"),
    ],
)  # fmt: skip
async def test_either_form_of_address_is_understood(base: str, sent: str) -> None:
    assert await asked(base) == sent


async def test_operations_are_asked_of_the_deployment() -> None:
    line = await asked("", "ada", Operation.EMBEDDINGS)
    assert line == "/openai/deployments/ada/embeddings?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("m?api-version=1", "m%3Fapi-version=1"),
        ("a#b", "a%23b"),
        ("ü m", "%C3%BC%20m"),
        ("50%", "50%25"),
    ],
)
async def test_a_name_stays_within_its_part_of_the_path(model: str, part: str) -> None:
    line = await asked("", model)
    assert line == f"/openai/deployments/{part}/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("model", [".", ".."])
async def test_a_name_that_means_another_folder_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        all_codecs()[AZURE].encode(call("https://mine.openai.azure.com", model), stream=False)
    assert caught.value.param == "model"


def test_responses_are_spoken_at_the_newer_form_only() -> None:
    native = Native(dialect=Dialect.RESPONSES, body={"model": "asked", "input": "Hi"})
    codec = all_codecs()[AZURE]
    newer = codec.encode(call("https://a.example/openai/v1", native=native), stream=False)
    older = codec.encode(call("https://a.example", native=native), stream=False)
    assert (newer.dialect, newer.path) == (Dialect.RESPONSES, "/responses")
    assert older.dialect is None
    assert older.path.startswith(f"{DEPLOYED}/chat/completions?")


def test_text_completions_are_spoken_at_both() -> None:
    native = Native(dialect=Dialect.COMPLETIONS, body={"model": "asked", "prompt": "Hi"})
    sent = all_codecs()[AZURE].encode(call("https://a.example", native=native), stream=False)
    assert sent.dialect is Dialect.COMPLETIONS
    assert sent.path == f"{DEPLOYED}/completions?api-version=2024-10-21"
