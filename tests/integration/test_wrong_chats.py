import asyncio
import io
from typing import Any

import pytest

from gateway_fixtures import RunningGateway

OK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
async def key(shared_gateway: RunningGateway) -> str:
    return await shared_gateway.new_key()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ([], None),
        ("text", None),
        ({}, "model"),
        ({"model": 5, "messages": []}, "model"),
        ({"model": "gpt-4o-mini"}, "messages"),
        ({"model": "gpt-4o-mini", "messages": []}, "messages"),
        ({"model": "gpt-4o-mini", "messages": "Hi"}, "messages"),
        ({"model": "gpt-4o-mini", "messages": ["Hi"]}, "messages.0"),
        ({"model": "gpt-4o-mini", "messages": [{"content": "Hi"}]}, "messages.0.role"),
        ({**OK, "messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({**OK, "messages": [{"role": "user", "content": ["x"]}]}, "messages.0.content.0"),
        ({**OK, "stream": "yes"}, "stream"),
        ({**OK, "temperature": "hot"}, "temperature"),
        ({**OK, "max_tokens": 0}, "max_tokens"),
        ({**OK, "max_tokens": 1.5}, "max_tokens"),
        ({**OK, "max_completion_tokens": True}, "max_completion_tokens"),
        ({**OK, "n": 0}, "n"),
        ({**OK, "tools": {}}, "tools"),
        ({**OK, "stream_options": {"include_usage": True}}, "stream_options"),
        (
            {**OK, "stream": True, "stream_options": {"include_usage": 1}},
            "stream_options.include_usage",
        ),
        ({**OK, "model": "no-such-model"}, "model"),
    ],
)
async def test_the_field_that_is_at_fault_is_named(
    shared_gateway: RunningGateway, key: str, body: Any, param: str | None
) -> None:
    answered = await shared_gateway.call("POST", "/v1/chat/completions", body, key=key)
    assert answered.status == 400
    assert answered.body["error"]["type"] == "invalid_request_error"
    assert answered.body["error"]["param"] == param
    assert answered.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"{'model': 1}", b"\xff\xfe", b'{"model": NaN}', b"[" * 5000, b'{"a":' * 300],
    ids=["empty", "open", "python", "not utf-8", "nan", "deep", "deep objects"],
)
async def test_what_is_not_json_is_refused(
    shared_gateway: RunningGateway, key: str, raw: bytes
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with shared_gateway.http.post(
        "/v1/chat/completions", data=raw, headers=headers
    ) as response:
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"


async def test_json_that_is_nested_too_deep_to_be_passed_on_is_refused(
    shared_gateway: RunningGateway, key: str
) -> None:
    deep = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"x":%b%b}' % (
        b"[" * 250,
        b"]" * 250,
    )
    headers = {"Authorization": f"Bearer {key}"}
    async with shared_gateway.http.post(
        "/v1/chat/completions", data=deep, headers=headers
    ) as response:
        assert response.status == 400
        assert "nested" in (await response.json())["error"]["message"]


async def test_a_body_over_the_limit_is_refused(shared_gateway: RunningGateway, key: str) -> None:
    body = b"x" * (shared_gateway.settings.max_body_bytes + 1)
    headers = {"Authorization": f"Bearer {key}"}
    async with shared_gateway.http.post(
        "/v1/chat/completions", data=body, headers=headers
    ) as response:
        assert response.status == 413
        assert (await response.json())["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/nothing"])
async def test_a_large_body_that_nobody_wants_does_not_hold_up_its_refusal(
    shared_gateway: RunningGateway, path: str
) -> None:
    async with (
        asyncio.timeout(10),
        shared_gateway.http.post(path, data=io.BytesIO(b"x" * 4_000_000)) as response,
    ):
        assert response.status in {401, 404}
        assert "error" in await response.json()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("invalid_key", 401),
        ("Bearer", 401),
        ("Bearer invalid_key", 401),
        ("Basic aGk6aGk=", 401),
        ("Bearer lrvk_" + "0" * 38, 401),
        ("Bearer lrvk_\N{SNOWMAN}".encode().decode("latin1"), 401),
    ],
)
async def test_who_has_no_key_is_told_so_before_anything_else(
    shared_gateway: RunningGateway, authorization: str | None, status: int
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with shared_gateway.http.post(
        "/chat/completions", data=b"not json", headers=headers
    ) as response:
        assert response.status == status
        error = (await response.json())["error"]
        assert error["code"] == "invalid_api_key"
        assert "\N{SNOWMAN}" not in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "unknown_url"),
        ("POST", "/v1/nothing", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/%2e%2e/secrets", 404, "unknown_url"),
    ],
)
async def test_unknown_paths_and_methods_are_errors_in_the_same_shape(
    shared_gateway: RunningGateway, method: str, path: str, status: int, code: str
) -> None:
    answered = await shared_gateway.call(method, path)
    assert (answered.status, answered.body["error"]["code"]) == (status, code)
    assert ("allow" in answered.headers) is (status == 405)


async def test_a_method_that_is_not_taken_is_told_those_that_are(
    shared_gateway: RunningGateway,
) -> None:
    answered = await shared_gateway.call("GET", "/v1/chat/completions")
    assert set(answered.headers["allow"].split(", ")) == {"OPTIONS", "POST"}
