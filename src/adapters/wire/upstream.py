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
    GatewayError,
    InvalidRequest,
    OperationUnsupported,
    ProviderBrokeOff,
    ProviderError,
    ProviderUndefined,
    UnsupportedField,
)
from ...domain.operations import Operation, OperationRequest, UploadedFile
from ...domain.providers import Provider, ProviderKind
from ...domain.routes import Unsupported
from .chunk_stream import HttpChunkStream
from .codec import Codec, Complaint, EncodedChat, EncodedOperation
from .embeddings import well_formed_embeddings
from .form import form
from .http import Address, HttpClient
from .http_reply import HttpReply
from .identity import Identity
from .json_object import json_object
from .malformed import Malformed
from .native import NativeEvents, check_native, native_usage
from .operation_answers import content_type, operation_usage
from .operation_events import OperationEvents
from .refusals import refusal, shown
from .translated import TranslatedEvents
from .usage import token_usage

_ADDRESSES_KEPT = 256
# An error that needs more words than this is not worth reading.
_MAX_ERROR_BYTES = 64 * 2**10
# What a proxy in between says, or a wrong address.
_A_PAGE = "text/html"
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
        reply = await self._post(codec, call, sent)
        body = await _whole(codec, call, reply)
        if sent.dialect is not None:
            try:
                check_native(sent.dialect, body)
            except Malformed as error:
                raise _not_an_answer(call, str(error)) from error
            usage = native_usage(sent.dialect, body)
            return ChatReply(body=body, usage=usage, dropped=sent.dropped, dialect=sent.dialect)
        try:
            body = codec.reply(body, sent)
        except Malformed as error:
            raise _not_an_answer(call, str(error)) from error
        Identity(call.model).complete(body)
        if any(choice["finish_reason"] == "error" for choice in body["choices"]):
            raise _not_an_answer(call, "it ended with an error")
        usage = token_usage(body.get("usage"), body)
        return ChatReply(body=body, usage=usage, dropped=sent.dropped)

    async def stream(self, call: UpstreamCall[ChatRequest]) -> HttpChunkStream:
        codec = self._codec(call.provider)
        sent = _encoded(codec, call, stream=True)
        reply = await self._post(codec, call, sent)
        if "json" in reply.headers.get("content-type", ""):
            raise await _not_streamed(codec, call, reply)
        reader = (
            TranslatedEvents(codec, sent, call.model)
            if sent.dialect is None
            else NativeEvents(codec, sent.dialect, call.credential)
        )
        return HttpChunkStream(reply, reader, sent, call)

    async def perform(self, call: UpstreamCall[OperationRequest]) -> OperationReply:
        codec = self._codec(call.provider)
        sent = _encoded_operation(codec, call)
        return await _made(codec, call, sent, await self._post(codec, call, sent, sent.files))

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
            return await _made(codec, call, sent, reply)
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


async def _made(
    codec: Codec, call: UpstreamCall[OperationRequest], sent: EncodedOperation, reply: HttpReply
) -> OperationReply:
    """What the operation made, in one piece."""
    kind = content_type(reply.headers)
    if call.request.operation.makes_bytes and "json" not in kind.lower():
        made = await reply.read_all()
        if kind.lower().startswith(_A_PAGE):
            raise _not_an_answer(call, "it is a page")
        return OperationReply(body=made, content_type=kind, dropped=sent.dropped)
    body = await _whole(codec, call, reply)
    try:
        body = codec.operation_reply(body, call)
        if call.request.operation is Operation.EMBEDDINGS:
            body = well_formed_embeddings(body, call.request, call.model)
    except Malformed as error:
        raise _not_an_answer(call, str(error)) from error
    usage = operation_usage(body.get("usage"), call.request.operation)
    return OperationReply(body=body, usage=usage, dropped=sent.dropped)


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


async def _whole(codec: Codec, call: UpstreamCall[Any], reply: HttpReply) -> dict[str, Any]:
    """The answer's JSON, where it is no failure that was sent as a success."""
    try:
        body = json_object(await reply.read_all())
    except Malformed as error:
        raise _not_an_answer(call, str(error)) from error
    if body.get("error") or body.get("object") == "error":
        raise _failed(codec.complaint(body), call, reply)
    return body


async def _complaint(codec: Codec, reply: HttpReply) -> Complaint:
    """What the body of a refusal says; nothing where it cannot be read."""
    try:
        return codec.complaint(json_object(await reply.read_all(_MAX_ERROR_BYTES)))
    except (Malformed, ProviderError):
        return Complaint()


async def _not_streamed(codec: Codec, call: UpstreamCall[Any], reply: HttpReply) -> GatewayError:
    """For a provider that was asked for a stream and sends one object."""
    try:
        await _whole(codec, call, reply)
    except GatewayError as error:
        return error
    return _not_an_answer(call, "it is not a stream")


def _failed(complaint: Complaint, call: UpstreamCall[Any], reply: HttpReply) -> GatewayError:
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


def _not_an_answer(call: UpstreamCall[Any], why: str) -> ProviderBrokeOff:
    name = call.provider.name
    message = f"{name} sent an answer that cannot be used: {why}."
    return ProviderBrokeOff(shown(message, call.credential), provider=name)


_: type[Upstream] = HttpUpstream
_operations: type[OperationUpstream] = HttpUpstream
