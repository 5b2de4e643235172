from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from gateway_fixtures import Answered, RunningGateway

FORM = "multipart/form-data; boundary=x"


@pytest.fixture
async def key(shared_gateway: RunningGateway) -> str:
    return await shared_gateway.new_key()


async def posted(
    gateway: RunningGateway, key: str, path: str, data: Any, content_type: str | None = None
) -> Answered:
    headers = {"Authorization": f"Bearer {key}"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    async with gateway.http.post(path, data=data, headers=headers) as response:
        return await Answered.of(response)


def recording(size: int = 10, fields: Mapping[str, str] | None = None) -> aiohttp.FormData:
    form = aiohttp.FormData({"model": "whisper-1", **(fields or {})})
    form.add_field("file", bytes(size), filename="a.wav")
    return form


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("embeddings", {"input": "x"}, "model"),
        ("embeddings", {"model": 1, "input": "x"}, "model"),
        ("embeddings", {"model": "m"}, "input"),
        ("embeddings", {"model": "m", "input": ["a", 1]}, "input.1"),
        ("moderations", {"model": "", "input": "x"}, "model"),
        ("embeddings", {"model": "m", "input": "x", "stream": True}, "stream"),
        ("audio/speech", {"model": "m", "input": "x", "stream": True}, "stream"),
        ("images/generations", {"prompt": "x"}, "model"),
        ("moderations", {"model": "m", "input": "x", "stream_format": "sse"}, "stream_format"),
        ("embeddings", {"model": "none", "input": "x"}, "model"),
        ("embeddings", [], None),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/v1"])
async def test_the_field_that_is_at_fault_is_named(
    shared_gateway: RunningGateway, key: str, prefix: str, path: str, body: Any, param: str | None
) -> None:
    answered = await shared_gateway.call("POST", f"{prefix}/{path}", body, key=key)
    assert answered.status == 400
    assert answered.body["error"]["type"] == "invalid_request_error"
    assert answered.body["error"]["param"] == param
    assert answered.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("path", "content_type", "body", "said"),
    [
        ("embeddings", FORM, b"--x--\r\n", "application/json"),
        ("embeddings", "application/x-www-form-urlencoded", b"a=b", "not valid JSON"),
        ("audio/transcriptions", "application/json", b"{}", "multipart/form-data"),
        ("audio/transcriptions", "", b"{}", "multipart/form-data"),
        ("images/variations", "application/x-www-form-urlencoded", b"a=b", "multipart/form-data"),
        ("images/edits", "text/plain", b"nonsense", "not valid JSON"),
        ("audio/translations", "multipart/form-data", b"", "no boundary"),
        ("audio/translations", FORM, b"--x\r\nnon", "not a whole form"),
    ],
)
async def test_a_body_of_another_kind_is_told_what_was_expected(
    shared_gateway: RunningGateway,
    key: str,
    path: str,
    content_type: str,
    body: bytes,
    said: str,
) -> None:
    answered = await posted(shared_gateway, key, f"/v1/{path}", body, content_type)
    assert answered.status == 400
    assert answered.body["error"]["type"] == "invalid_request_error"
    assert said in answered.body["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"stream": "perhaps"}, "stream"), ({"model": ""}, "model")],
)
async def test_a_wrong_field_of_a_form_is_named(
    shared_gateway: RunningGateway, key: str, fields: dict[str, str], param: str
) -> None:
    form = recording(fields=fields)
    answered = await posted(shared_gateway, key, "/v1/audio/transcriptions", form)
    assert (answered.status, answered.body["error"]["param"]) == (400, param)


async def test_a_text_is_no_file(shared_gateway: RunningGateway, key: str) -> None:
    form = aiohttp.FormData({"model": "whisper-1", "file": "text"}, default_to_multipart=True)
    answered = await posted(shared_gateway, key, "/v1/audio/transcriptions", form)
    assert answered.body["error"]["param"] == "file"
    assert "expected a file" in answered.body["error"]["message"]


async def test_a_form_that_is_too_large_is_refused(
    shared_gateway: RunningGateway, key: str
) -> None:
    form = recording(shared_gateway.settings.max_body_bytes)
    answered = await posted(shared_gateway, key, "/v1/audio/transcriptions", form)
    assert (answered.status, answered.body["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("path", ["/embeddings", "/v1/audio/transcriptions"])
async def test_a_key_is_needed(shared_gateway: RunningGateway, path: str) -> None:
    answered = await shared_gateway.call("POST", path, {})
    assert answered.status == 401
    assert answered.body["error"]["code"] == "invalid_api_key"


async def test_another_method_is_told_so(shared_gateway: RunningGateway, key: str) -> None:
    answered = await shared_gateway.call("GET", "/v1/embeddings", key=key)
    assert answered.status == 405
