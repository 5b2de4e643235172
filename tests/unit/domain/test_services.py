from typing import Any

import pytest

from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.services import service_in, service_named


@pytest.mark.parametrize("told", ["priority", "flex", "fast", "scale"])
def test_a_service_is_called_by_its_name(told: str) -> None:
    assert service_named(told) == told
    assert service_in({}, {"service_tier": told}) == told
    assert service_in({"speed": told, "service_tier": "default"}) == told


@pytest.mark.parametrize(
    "told",
    [
        *(None, "", "auto", "default", "standard", "standard_only", "on_demand", "PRIORITY"),
        *("a b", 7, True, ["priority"], {"priority": 1}, "x" * 41, "prio\nrity"),
    ],
)
def test_the_ordinary_one_has_none_and_neither_has_what_is_no_name(told: Any) -> None:
    assert service_named(told) is None
    assert service_in({"service_tier": told, "speed": told}) is None


def test_a_chat_asks_for_it_in_its_own_words() -> None:
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert ChatRequest.parse(body).service is None
    assert ChatRequest.parse({**body, "service_tier": "flex"}).service == "flex"
    native = Native(dialect=Dialect.MESSAGES, body={"speed": "fast"})
    assert ChatRequest.parse(body, native).service == "fast"
    for where, service in (("us", "us"), ("global", None)):
        native = Native(dialect=Dialect.MESSAGES, body={"inference_geo": where})
        assert ChatRequest.parse(body, native).service == service
