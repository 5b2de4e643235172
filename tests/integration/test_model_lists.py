"""Models, as OpenAI's clients and Anthropic's ask for them at the same path; and what Anthropic's
are told at paths that there are not."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from mistralai.client import Mistral
from openai import AsyncOpenAI, NotFoundError

from gateway_fixtures import Answered, RunningGateway

VERSION = {"anthropic-version": "2023-06-01"}
ALLOWED = ("gpt-*", "mistral-*")


@pytest.fixture
async def key(shared_gateway: RunningGateway) -> str:
    return await shared_gateway.new_key(allowed_models=list(ALLOWED))


@pytest.fixture
async def client(shared_gateway: RunningGateway, key: str) -> AsyncIterator[Any]:
    """Untyped: the tests send what its types would not let through."""
    url = shared_gateway.url
    async with AsyncAnthropic(base_url=url, api_key=key, max_retries=0) as client:
        yield client


async def asked(
    gateway: RunningGateway, method: str, path: str, *, key: str | None = None, **headers: str
) -> Answered:
    given = {"x-api-key": key, **headers} if key else headers
    async with gateway.http.request(method, path, headers=given) as response:
        return await Answered.of(response)


async def names_of(gateway: RunningGateway, key: str) -> list[str]:
    """As OpenAI's clients are told them."""
    listed = await gateway.call("GET", "/v1/models", key=key)
    return [card["id"] for card in listed.body["data"]]


@pytest.mark.parametrize("limit", [1, 2, 1000, None])
async def test_anthropics_client_reads_every_page(
    shared_gateway: RunningGateway, key: str, client: Any, limit: int | None
) -> None:
    names = await names_of(shared_gateway, key)
    assert len(names) > 2
    asked = {} if limit is None else {"limit": limit}
    listed = [model async for model in client.models.list(**asked)]
    assert [model.id for model in listed] == names
    first = listed[0]
    assert (first.type, first.display_name, first.lifecycle) == ("model", first.id, "active")
    assert first.created_at.timestamp() == 0


async def test_pages_are_told_from_either_end(
    shared_gateway: RunningGateway, key: str, client: Any
) -> None:
    names = await names_of(shared_gateway, key)
    page = await client.models.list(before_id=names[2], limit=1)
    assert ([model.id for model in page.data], page.has_more) == ([names[1]], True)
    assert (page.first_id, page.last_id) == (names[1], names[1])
    backwards = [model.id async for model in client.models.list(before_id=names[-1], limit=1)]
    assert backwards == names[-2::-1]
    last = await client.models.list(after_id=names[-2])
    assert ([model.id for model in last.data], last.has_more) == ([names[-1]], False)
    none = await client.models.list(after_id=names[-1])
    assert (none.data, none.first_id, none.last_id) == ([], None, None)


@pytest.mark.parametrize(
    ("stages", "are_there"),
    [(["active"], True), (["deprecated", "active"], True), (["retired"], False)],
)
async def test_all_models_are_active(client: Any, stages: list[str], are_there: bool) -> None:
    page = await client.models.list(lifecycle=stages)
    assert bool(page.data) is are_there


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"after_id": "no-such-model"}, "after_id"),
        ({"before_id": "no-such-model"}, "before_id"),
        ({"after_id": "a", "before_id": "b"}, "before_id"),
    ],
)
async def test_a_page_that_there_is_not_is_refused(
    client: Any, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=named) as caught:
        await client.models.list(**given)
    body: Any = caught.value.body
    assert body["error"]["type"] == "invalid_request_error"
    assert body["request_id"] == caught.value.request_id


async def test_one_model_is_told_in_the_callers_format(
    shared_gateway: RunningGateway, key: str, client: Any
) -> None:
    model = await client.models.retrieve("gpt-4o-mini")
    assert (model.id, model.type) == ("gpt-4o-mini", "model")
    assert model._request_id.startswith("req_")
    async with AsyncOpenAI(base_url=f"{shared_gateway.url}/v1", api_key=key) as openai:
        card = await openai.models.retrieve("gpt-4o-mini")
    assert (card.id, card.object, card.owned_by) == ("gpt-4o-mini", "model", "openai")


async def test_a_model_that_a_key_may_not_use_is_not_found(
    shared_gateway: RunningGateway, key: str, client: Any
) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        await client.models.retrieve("no/such-model")
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "not_found_error")
    async with AsyncOpenAI(base_url=f"{shared_gateway.url}/v1", api_key=key) as openai:
        with pytest.raises(NotFoundError) as not_found:
            await openai.models.retrieve("no/such-model")
    assert (not_found.value.code, not_found.value.param) == ("model_not_found", "model")


async def test_mistrals_client_reads_them_too(shared_gateway: RunningGateway, key: str) -> None:
    mistral: Any = Mistral(server_url=shared_gateway.url, api_key=key)
    async with mistral as client:
        listed = await client.models.list_async()
        one = await client.models.retrieve_async(model_id="gpt-4o-mini")
    assert [card.id for card in listed.data] == await names_of(shared_gateway, key)
    assert one.id == "gpt-4o-mini"


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/gpt-4o-mini"])
async def test_who_has_no_key_is_told_so_in_the_callers_shape(
    shared_gateway: RunningGateway, path: str
) -> None:
    answered = await asked(shared_gateway, "GET", path, **VERSION)
    assert (answered.status, answered.body["error"]["type"]) == (401, "authentication_error")
    assert answered.body["request_id"] == answered.headers["request-id"]
    answered = await asked(shared_gateway, "GET", path)
    assert (answered.status, answered.body["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("GET", "/v1/messages", {}, 405, "invalid_request_error"),
        ("PUT", "/messages/count_tokens", {}, 405, "invalid_request_error"),
        ("POST", "/v1/messages/batches", VERSION, 404, "not_found_error"),
        ("GET", "/messages/batches/msgbatch_1/results", {}, 404, "not_found_error"),
        ("DELETE", "/v1/models", VERSION, 405, "invalid_request_error"),
    ],
)
async def test_a_path_or_method_that_there_is_not_is_told_in_anthropics_shape(
    shared_gateway: RunningGateway,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    answered = await asked(shared_gateway, method, path, **headers)
    assert (answered.status, answered.body["type"]) == (status, "error")
    assert answered.body["error"]["type"] == kind
    assert answered.body["request_id"] == answered.headers["request-id"]
    assert answered.headers["x-request-id"] == answered.headers["request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/messagesque", 404), ("POST", "/v1/batches", 404), ("DELETE", "/v1/models", 405)],
)
async def test_others_are_told_in_openais(
    shared_gateway: RunningGateway, method: str, path: str, status: int
) -> None:
    headers = {} if path == "/v1/models" else VERSION
    answered = await asked(shared_gateway, method, path, **headers)
    assert (answered.status, sorted(answered.body)) == (status, ["error"])
    assert "request-id" not in answered.headers


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/models"])
async def test_what_a_path_takes_is_told_without_a_body(
    shared_gateway: RunningGateway, path: str
) -> None:
    options = await asked(shared_gateway, "OPTIONS", path, **VERSION)
    assert (options.status, options.body) == (200, "")
    assert "OPTIONS" in options.headers["allow"]
    head = await asked(shared_gateway, "HEAD", path, **VERSION)
    assert head.status == (405 if path == "/v1/messages" else 401)
