from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from yarl import URL

from ...application.ports.upstream import ChatReply, Upstream, UpstreamCall
from ...domain.errors import (
    CredentialUnreadable,
    GatewayError,
    InvalidRequest,
    ProviderBrokeOff,
    ProviderError,
    ProviderUndefined,
)
from ...domain.providers import Provider, ProviderKind
from .chunk_stream import HttpChunkStream
from .codec import Codec, Complaint, EncodedChat
from .http import Address, HttpClient
from .http_reply import HttpReply
from .identity import Identity
from .json_object import json_object
from .malformed import Malformed
from .refusals import refusal, shown
from .usage import token_usage

_ADDRESSES_KEPT = 256
# An error that needs more words than this is not worth reading.
_MAX_ERROR_BYTES = 64 * 2**10


class HttpUpstream:
    """Whoever answers over HTTP, each in its own wire format."""

    def __init__(self, client: HttpClient, codecs: Mapping[ProviderKind, Codec]) -> None:
        self._client = client
        self._codecs = codecs
        self._address = lru_cache(maxsize=_ADDRESSES_KEPT)(self._new_address)

    async def complete(self, call: UpstreamCall) -> ChatReply:
        codec = self._codec(call.provider)
        sent = codec.encode(call, stream=False)
        reply = await self._send(codec, call, sent)
        try:
            body = json_object(await reply.read_all())
            if body.get("error") or body.get("object") == "error":
                raise _failed(codec.complaint(body), call, reply)
            body = codec.reply(body, sent)
        except Malformed as error:
            raise _not_an_answer(call, str(error)) from error
        Identity(call.model).complete(body)
        if any(choice["finish_reason"] == "error" for choice in body["choices"]):
            raise _not_an_answer(call, "it ended with an error")
        return ChatReply(body=body, usage=token_usage(body.get("usage")), dropped=sent.dropped)

    async def stream(self, call: UpstreamCall) -> HttpChunkStream:
        codec = self._codec(call.provider)
        sent = codec.encode(call, stream=True)
        reply = await self._send(codec, call, sent)
        if "json" in reply.headers.get("content-type", ""):
            raise await _not_streamed(codec, call, reply)
        return HttpChunkStream(reply, codec, sent, call)

    async def _send(self, codec: Codec, call: UpstreamCall, sent: EncodedChat) -> HttpReply:
        """Returns what the provider accepted; raises what it did not."""
        try:
            body = orjson.dumps(sent.body)
        except TypeError as error:  # an embedder's Python values, or text that is not Unicode
            raise InvalidRequest(f"The request cannot be written as JSON: {error}.") from error
        address = self._address(call.provider, call.credential)
        reply = await self._client.post(address, body, call.timeouts)
        if 200 <= reply.status < 300:  # noqa: PLR2004
            return reply
        raise refusal(
            await _complaint(codec, reply),
            provider=call.provider.name,
            credential=call.credential,
            status=reply.status,
            headers=reply.headers,
        )

    def _codec(self, provider: Provider) -> Codec:
        codec = self._codecs.get(provider.kind)
        if codec is None:
            raise ProviderUndefined(provider.name)
        return codec

    def _new_address(self, provider: Provider, credential: str | None) -> Address:
        codec = self._codec(provider)
        try:
            url = URL(provider.base_url.rstrip("/") + codec.path)
        except ValueError as error:
            raise ProviderUndefined(provider.name) from error
        if not (url.host and url.scheme in {"http", "https"}):
            raise ProviderUndefined(provider.name)
        headers = {"Content-Type": "application/json"}
        if credential:
            if not (credential.isascii() and credential.isprintable()):
                raise CredentialUnreadable(provider.name)
            headers.update(codec.headers(credential))
        return Address(provider=provider.name, url=url, headers=headers)


async def _complaint(codec: Codec, reply: HttpReply) -> Complaint:
    """What the body of a refusal says; nothing where it cannot be read."""
    try:
        return codec.complaint(json_object(await reply.read_all(_MAX_ERROR_BYTES)))
    except (Malformed, ProviderError):
        return Complaint()


async def _not_streamed(codec: Codec, call: UpstreamCall, reply: HttpReply) -> GatewayError:
    """For a provider that was asked for a stream and sends one object."""
    body: dict[str, Any]
    try:
        body = json_object(await reply.read_all())
    except Malformed as error:
        return _not_an_answer(call, str(error))
    if body.get("error") or body.get("object") == "error":
        return _failed(codec.complaint(body), call, reply)
    return _not_an_answer(call, "it is not a stream")


def _failed(complaint: Complaint, call: UpstreamCall, reply: HttpReply) -> GatewayError:
    """For a failure that was sent as a success. Some servers tell the status it should have had."""
    if complaint.status is not None:
        return refusal(
            complaint,
            provider=call.provider.name,
            credential=call.credential,
            status=complaint.status,
            headers=reply.headers,
        )
    return _not_an_answer(call, complaint.message or "it is an error")


def _not_an_answer(call: UpstreamCall, why: str) -> ProviderBrokeOff:
    name = call.provider.name
    message = f"{name} sent an answer that cannot be used: {why}."
    return ProviderBrokeOff(shown(message, call.credential), provider=name)


_: type[Upstream] = HttpUpstream
