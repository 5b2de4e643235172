from typing import Any

from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts

from .double import UpstreamDouble

CREDENTIAL = "sk-a-secret-that-must-not-be-seen"
MESSAGES = ({"role": "user", "content": "Say something."},)


def call_to(
    upstream: UpstreamDouble | str,
    *,
    timeouts: Timeouts | None = None,
    credential: str | None = CREDENTIAL,
    output_cap: int | None = None,
    **body: Any,
) -> UpstreamCall[ChatRequest]:
    """One attempt at a double, or at an address. `body` is what the caller's request holds beside
    a model and messages."""
    kind, base_url = (
        (ProviderKind.OPENAI, upstream)
        if isinstance(upstream, str)
        else (upstream.kind, upstream.base_url)
    )
    return UpstreamCall(
        provider=Provider(name="acme", kind=kind, base_url=base_url),
        credential=credential,
        model="some-model",
        request=ChatRequest.parse({"model": "asked-for", "messages": list(MESSAGES), **body}),
        output_cap=output_cap,
        timeouts=timeouts or Timeouts(),
    )
