from dataclasses import replace
from typing import Any

import pytest

from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.errors import InvalidRequest
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.routes import Unsupported
from langroute.domain.timeouts import Timeouts
from upstreams.calls import call_to
from upstreams.double import UpstreamDouble
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream

REFUSE = Unsupported.REFUSE


async def test_a_call_that_drops_is_sent_and_tells_the_names(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    call = call_to(mistral_upstream, user="ann", store=True)
    assert (await upstream.complete(call)).dropped == ("user", "store")
    stream = await upstream.stream(call)
    assert stream.dropped == ("user", "store")
    await stream.aclose()


async def test_a_call_that_refuses_is_not_sent(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    call = replace(call_to(mistral_upstream, user="ann", store=True), unsupported=REFUSE)
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(InvalidRequest) as caught:
            await ask(call)
        assert caught.value.param == "user"
        assert "acme does not support 'user'" in str(caught.value)
    assert mistral_upstream.seen == []
    assert mistral_upstream.connections == 0


async def test_a_call_that_refuses_is_sent_where_nothing_is_dropped(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream, openai_upstream: OpenAIUpstream
) -> None:
    taken: tuple[tuple[UpstreamDouble, dict[str, Any]], ...] = (
        (mistral_upstream, {"seed": 4}),
        (openai_upstream, {"user": "ann"}),
    )
    for double, fields in taken:
        call = replace(call_to(double, **fields), unsupported=REFUSE)
        assert (await upstream.complete(call)).dropped == ()
        assert len(double.seen) == 1


async def test_an_operation_that_refuses_is_not_sent(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    body = {"model": "asked", "input": "Hi", "user": "ann"}
    call = UpstreamCall(
        provider=Provider(
            name="acme", kind=ProviderKind.MISTRAL, base_url=mistral_upstream.base_url
        ),
        credential=None,
        model="mistral-embed",
        request=OperationRequest.parse(Operation.EMBEDDINGS, body),
        output_cap=None,
        timeouts=Timeouts(),
        unsupported=REFUSE,
    )
    with pytest.raises(InvalidRequest) as caught:
        await upstream.perform(call)
    assert caught.value.param == "user"
    assert mistral_upstream.seen == []
