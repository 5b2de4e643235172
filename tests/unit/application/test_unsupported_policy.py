import dataclasses

import pytest
from scene import (
    PRICES,
    PROVIDERS,
    ROUTE,
    ScriptedStream,
    ScriptedUpstream,
    a_chat,
    a_chunk,
    a_key,
    a_reply,
)
from scene import Scene as Gateway

from langroute.domain.catalogue import Catalogue
from langroute.domain.errors import InvalidRequest, ProviderRefused
from langroute.domain.ledger import Outcome
from langroute.domain.routes import Unsupported

REFUSED = InvalidRequest("'user' is not supported.", param="user")


async def gateway(upstream: ScriptedUpstream, unsupported: Unsupported) -> Gateway:
    route = dataclasses.replace(ROUTE, unsupported=unsupported)
    scene = Gateway(upstream=upstream, catalogue=Catalogue.of(PROVIDERS, [route], PRICES))
    return await scene.save("a-secret", "openai", "mistral")


@pytest.mark.parametrize("unsupported", Unsupported)
async def test_every_target_is_asked_by_the_route_s_policy(unsupported: Unsupported) -> None:
    failure = ProviderRefused("no", provider="openai", status=500)
    upstream = ScriptedUpstream(
        openai=[failure, failure], mistral=[a_reply(), ScriptedStream(a_chunk("a"))]
    )
    scene = await gateway(upstream, unsupported)

    await scene.complete_chat(a_key(), a_chat())
    stream = await scene.stream_chat(a_key(), a_chat(stream=True))
    await stream.aclose()

    assert [call.unsupported for call in upstream.calls] == [unsupported] * 4


async def test_a_call_that_a_target_cannot_express_ends_there_and_costs_nothing() -> None:
    upstream = ScriptedUpstream(openai=REFUSED, mistral=a_reply())
    scene = await gateway(upstream, Unsupported.REFUSE)

    with pytest.raises(InvalidRequest) as caught:
        await scene.complete_chat(a_key(), a_chat())

    assert caught.value.param == "user"
    assert caught.value.receipt is not None
    assert upstream.asked == ["openai"]
    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.FAILED, "InvalidRequest")
    assert (entry.usage.total, entry.estimated) == (0, False)
    assert await scene.tokens_used() == 0
    assert await scene.holds_nothing()
