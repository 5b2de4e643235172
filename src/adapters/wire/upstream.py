from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson
from yarl import URL

from ...application.ports.upstream import (
    ChatReply,
    OperationReply,
    OperationUpstream,
    Upstream,
    UpstreamCall,
)
from ...domain.chat import ChatRequest
from ...domain.errors import (
    CredentialUnreadable,
    InvalidRequest,
    OperationUnsupported,
    ProviderUndefined,
    UnsupportedField,
)
from ...domain.operations import OperationRequest, UploadedFile
from ...domain.providers import Provider, ProviderKind
from ...domain.routes import Unsupported
from .answers import chat_reply, not_streamed, operation_reply, refused
from .chunk_stream import HttpChunkStream
from .codec import Codec, EncodedChat, EncodedOperation
from .form import form
from .http import Address, HttpClient
from .http_reply import HttpReply
from .native import NativeEvents
from .operation_answers import content_type
from .operation_events import OperationEvents
from .translated import TranslatedEvents

_ADDRESSES_KEPT = 256
_EVENTS = "text/event-stream"
# An event holds a whole picture, which may be as large as a whole answer.
_MAX_PICTURE_BYTES = 64 * 2**20


class HttpUpstream:
    """Whoever answers over HTTP, each in its own wire format."""

    def __init__(self, client: HttpClient, codecs: Mapping[ProviderKind, Codec]) -> None:
        self._client = client
        self._codecs = codecs
        self._address = lru_cache(maxsize=_ADDRESSES_KEPT)(self._new_address)

    async def complete(self, call: UpstreamCall[ChatRequest]) -> ChatReply:
        codec = self._codec(call.provider)
        sent = _encoded(codec, call, stream=False)
        return await chat_reply(codec, call, sent, await self._post(codec, call, sent))

    async def stream(self, call: UpstreamCall[ChatRequest]) -> HttpChunkStream:
        codec = self._codec(call.provider)
        sent = _encoded(codec, call, stream=True)
        reply = await self._post(codec, call, sent)
        if "json" in reply.headers.get("content-type", ""):
            raise await not_streamed(codec, call, reply)
        reader = (
            TranslatedEvents(codec, sent, call.model)
            if sent.dialect is None
            else NativeEvents(codec, sent.dialect, call.credential)
        )
        return HttpChunkStream(reply, reader, sent, call)

    async def perform(self, call: UpstreamCall[OperationRequest]) -> OperationReply:
        codec = self._codec(call.provider)
        sent = _encoded_operation(codec, call)
        reply = await self._post(codec, call, sent, sent.files)
        return await operation_reply(codec, call, sent, reply)

    async def stream_operation(
        self, call: UpstreamCall[OperationRequest]
    ) -> HttpChunkStream | OperationReply:
        codec = self._codec(call.provider)
        sent = _encoded_operation(codec, call)
        if not sent.streamed:
            what = f"{call.request.operation} in a stream"
            raise OperationUnsupported(call.provider.name, what)
        reply = await self._post(codec, call, sent, sent.files)
        if not content_type(reply.headers).lower().startswith(_EVENTS):
            return await operation_reply(codec, call, sent, reply)
        reader = OperationEvents(codec, call.request.operation)
        return HttpChunkStream(reply, reader, sent, call, _MAX_PICTURE_BYTES)

    async def _post(
        self,
        codec: Codec,
        call: UpstreamCall[Any],
        sent: EncodedChat | EncodedOperation,
        files: Sequence[UploadedFile] | None = None,
    ) -> HttpReply:
        """Returns what the provider accepted; raises what it did not, and what the route would not
        have sent."""
        if sent.dropped and call.unsupported is Unsupported.REFUSE:
            raise _not_expressed(call, sent.dropped[0])
        address = self._address(call.provider, call.credential, sent.path)
        if isinstance(sent, EncodedChat) and sent.headers:
            address = replace(address, headers={**address.headers, **sent.headers})
        if files is None:
            raw = _json(sent.body)
        else:
            kind, raw = form(sent.body, files)
            address = replace(address, headers={**address.headers, "Content-Type": kind})
        reply = await self._client.post(address, raw, call.timeouts)
        if 200 <= reply.status < 300:  # noqa: PLR2004
            return reply
        raise await refused(codec, call, reply)

    def _codec(self, provider: Provider) -> Codec:
        codec = self._codecs.get(provider.kind)
        if codec is None:
            raise ProviderUndefined(provider.name)
        return codec

    def _new_address(self, provider: Provider, credential: str | None, path: str) -> Address:
        codec = self._codec(provider)
        try:
            base, _, query = provider.base_url.partition("?")
            url = URL(base.rstrip("/") + path)
            url = url.update_query(query) if query else url
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


def _encoded(codec: Codec, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
    """With what was lost on the way, where the caller speaks a dialect that this provider does not.
    Raises UnsupportedField where that is too much."""
    sent = codec.encode(call, stream=stream)
    native = call.request.native
    if native is None or sent.dialect is not None:
        return sent
    if native.only_native is not None:
        raise UnsupportedField(
            f"{call.provider.name} does not speak the format of {native.dialect} itself, and "
            f"'{native.only_native}' has no translation.",
            param=native.only_native,
            provider=call.provider.name,
        )
    return replace(sent, dropped=(*sent.dropped, *native.dropped)) if native.dropped else sent


def _encoded_operation(codec: Codec, call: UpstreamCall[OperationRequest]) -> EncodedOperation:
    sent = codec.operation(call)
    if sent is None:
        raise OperationUnsupported(call.provider.name, call.request.operation)
    return sent


def _not_expressed(call: UpstreamCall[Any], name: str) -> UnsupportedField:
    return UnsupportedField(
        f"{call.provider.name} does not support {name!r}, and this model's route drops nothing.",
        param=name,
        provider=call.provider.name,
    )


def _json(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError as error:  # an embedder's Python values, or text that is not Unicode
        raise InvalidRequest(f"The request cannot be written as JSON: {error}.") from error


_: type[Upstream] = HttpUpstream
_operations: type[OperationUpstream] = HttpUpstream
