"""What a provider cannot take is told to the caller, or the call is refused, as its route says."""

import asyncio
from typing import Any

import pytest

from gateway_fixtures import OPENAI_SECRET, Answered, Scene

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
# OpenAI takes all of them, Mistral the last only.
FIELDS: dict[str, Any] = {"user": "ann", "logit_bias": {"5": 1}, "temperature": 0.5}
DROPPED = "x-langroute-dropped"


async def define(scene: Scene, model: str, *targets: str, **fields: Any) -> None:
    route = {
        "targets": [
            dict(zip(("provider", "model"), target.split("/"), strict=True)) | {"order": order}
            for order, target in enumerate(targets)
        ],
        **fields,
    }
    defined = await scene.running.call("PUT", f"/api/routes/{model}", route)
    assert defined.status == 200, defined


def refused(answered: Answered, param: str) -> bool:
    """Whether it is an error that blames this field."""
    assert set(answered.body) == {"error"}, answered
    error = answered.body["error"]
    assert error["type"] == "invalid_request_error"
    assert repr(param) in error["message"]
    return (answered.status, error["param"]) == (400, param)


@STREAMED
async def test_where_everything_is_taken_nothing_is_told(scene: Scene, stream: bool) -> None:
    answered = await scene.chat(stream=stream, **FIELDS)
    assert answered.status == 200
    assert DROPPED not in answered.headers
    assert FIELDS.items() <= scene.openai.seen[0].body.items()


@STREAMED
async def test_a_fallback_tells_what_the_one_that_answered_did_not_take(
    scene: Scene, stream: bool
) -> None:
    scene.openai.fail(status=500)
    answered = await scene.chat(stream=stream, **FIELDS)
    assert answered.status == 200
    assert answered.headers["x-langroute-provider"] == "mistral"
    assert answered.headers[DROPPED] == "user, logit_bias"
    (seen,) = scene.mistral.seen
    assert seen.body["temperature"] == 0.5
    assert not FIELDS.keys() & seen.body.keys() - {"temperature"}


@STREAMED
async def test_a_fallback_that_takes_everything_tells_nothing_of_the_one_that_failed(
    scene: Scene, stream: bool
) -> None:
    await define(scene, "backwards", "mistral/mistral-small-latest", "openai/gpt-4o-mini")
    scene.mistral.fail(status=503)
    answered = await scene.chat(model="backwards", stream=stream, **FIELDS)
    assert answered.headers["x-langroute-provider"] == "openai"
    assert DROPPED not in answered.headers
    assert FIELDS.items() <= scene.openai.seen[0].body.items()


@STREAMED
async def test_names_that_callers_made_up_stay_in_their_line(scene: Scene, stream: bool) -> None:
    message = {"role": "user", "content": "Hi", "a\r\nx-evil: yes": 1, "ü" * 5000: 2}
    answered = await scene.chat(model="mistral-small-latest", stream=stream, messages=[message])
    assert answered.status == 200, answered
    assert "x-evil" not in answered.headers
    told = answered.headers[DROPPED]
    assert told.isascii()
    assert told.isprintable()
    assert "x-evil: yes" in told
    assert len(told) < 1000


async def test_text_completions_tell_it_too(scene: Scene) -> None:
    body = {"model": "mistral-small-latest", "prompt": "Hi", "max_tokens": 30, "user": "ann"}
    answered = await scene.running.call("POST", "/v1/completions", body, key=scene.key)
    assert answered.status == 200, answered
    assert "user" in answered.headers[DROPPED].split(", ")


@STREAMED
async def test_a_route_may_refuse_before_anything_is_sent(scene: Scene, stream: bool) -> None:
    await define(scene, "strict", "mistral/mistral-small-latest", unsupported="refuse")
    answered = await scene.chat(model="strict", stream=stream, **FIELDS)
    assert refused(answered, "user")
    assert scene.mistral.seen == []
    assert DROPPED not in answered.headers
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["error"]) == ("failed", "UnsupportedField")
    assert sum(entry["usage"].values()) == 0
    remaining = (await scene.chat(model="strict")).headers["x-ratelimit-remaining-tokens"]
    assert int(remaining) > 199_000, "the refused call holds nothing back"


async def test_a_route_that_refuses_answers_what_can_be_expressed(scene: Scene) -> None:
    await define(scene, "strict", "mistral/mistral-small-latest", unsupported="refuse")
    answered = await scene.chat(model="strict", temperature=0.5, user=None)
    assert answered.status == 200
    assert DROPPED not in answered.headers


@STREAMED
async def test_a_fallback_of_a_route_that_refuses_drops_nothing_either(
    scene: Scene, stream: bool
) -> None:
    targets = ("openai/gpt-4o-mini", "mistral/mistral-small-latest")
    await define(scene, "strict", *targets, unsupported="refuse")
    assert (await scene.chat(model="strict", stream=stream, **FIELDS)).status == 200
    scene.openai.fail(status=500)
    answered = await scene.chat(model="strict", stream=stream, **FIELDS)
    assert answered.status == 502, "somebody's real failure is told first"
    attempts = "openai/gpt-4o-mini=500, mistral/mistral-small-latest=unsupported"
    assert answered.headers["x-langroute-attempts"] == attempts
    assert scene.mistral.seen == []


@STREAMED
async def test_a_target_that_can_take_everything_answers_for_one_that_cannot(
    scene: Scene, stream: bool
) -> None:
    targets = ("mistral/mistral-small-latest", "openai/gpt-4o-mini")
    await define(scene, "strict", *targets, unsupported="refuse")
    answered = await scene.chat(model="strict", stream=stream, **FIELDS)
    assert answered.status == 200
    assert DROPPED not in answered.headers
    attempts = "mistral/mistral-small-latest=unsupported, openai/gpt-4o-mini=ok"
    assert answered.headers["x-langroute-attempts"] == attempts
    assert scene.mistral.seen == []


async def test_the_policy_is_shown_and_changed_with_the_route(scene: Scene) -> None:
    await define(scene, "mine", "mistral/m", unsupported="refuse")
    await define(scene, "other", "mistral/m")
    listed = (await scene.running.call("GET", "/api/routes")).body["data"]
    told = {route["model"]: route["unsupported"] for route in listed}
    assert (told["mine"], told["other"]) == ("refuse", "drop")
    await define(scene, "mine", "mistral/mistral-small-latest")
    assert (await scene.chat(model="mine", user="ann")).headers[DROPPED] == "user"


async def test_a_policy_that_does_not_exist_is_refused_by_its_name(scene: Scene) -> None:
    route = {"targets": [{"provider": "mistral", "model": "m"}], "unsupported": "ignore"}
    answered = await scene.running.call("PUT", "/api/routes/m", route)
    assert (answered.status, answered.body["error"]["param"]) == (400, "unsupported")


async def test_a_change_typed_in_psql_takes_effect(scene: Scene) -> None:
    async with scene.running.container.database().writing() as connection:
        await connection.exec_driver_sql(
            "update langroute.routes set unsupported = 'refuse' "
            "where model = 'mistral-small-latest'"
        )
    async with asyncio.timeout(10):
        while DROPPED in (await scene.chat(model="mistral-small-latest", user="ann")).headers:
            await asyncio.sleep(0.01)


@STREAMED
async def test_a_compatible_server_is_told_of_in_its_own_words(scene: Scene, stream: bool) -> None:
    """Groq's facts, at an address where a double stands."""
    fast = {"kind": "groq", "base_url": scene.openai.base_url}
    assert (await scene.running.call("PUT", "/api/providers/fast", fast)).status == 200
    secret = {"secret": OPENAI_SECRET}
    await scene.running.call("PUT", "/api/providers/fast/credential", secret)
    await define(scene, "quick", "fast/gpt-oss-20b")
    answered = await scene.chat(model="quick", stream=stream, logprobs=True, n=1, max_tokens=30)
    assert answered.status == 200, answered
    assert answered.headers[DROPPED] == "logprobs"
    body = scene.openai.seen[0].body
    assert body["max_completion_tokens"] == 30
    assert not {"logprobs", "max_tokens", "n"} & body.keys()
