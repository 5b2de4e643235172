"""What a provider answers in one piece: a reply, in OpenAI's format, or why there is none."""

from collections.abc import Mapping
from typing import Any

from ...application.ports.upstream import ChatReply, OperationReply, UpstreamCall
from ...domain.chat import ChatRequest
from ...domain.errors import GatewayError, ProviderBrokeOff, ProviderError
from ...domain.operations import Operation, OperationRequest
from .codec import Codec, Complaint, EncodedChat, EncodedOperation
from .embeddings import well_formed_embeddings
from .http_reply import HttpReply
from .identity import Identity
from .json_object import json_object
from .malformed import Malformed
from .native import check_native, native_usage
from .operation_answers import content_type, operation_usage
from .refusals import refusal, shown
from .usage import responses_usage, token_usage

# An error that needs more words than this is not worth reading.
_MAX_ERROR_BYTES = 64 * 2**10
# What a proxy in between says, or a wrong address.
_A_PAGE = "text/html"
_NOTHING: Mapping[str, Any] = {}


async def chat_reply(
    codec: Codec, call: UpstreamCall[ChatRequest], sent: EncodedChat, reply: HttpReply
) -> ChatReply:
    body = await _whole(codec, call, reply)
    try:
        if sent.dialect is not None:
            check_native(sent.dialect, body)
            usage = native_usage(sent.dialect, body)
            return ChatReply(body=body, usage=usage, dropped=sent.dropped, dialect=sent.dialect)
        body = codec.reply(body, sent)
    except Malformed as error:
        raise _not_an_answer(call, str(error), body) from error
    Identity(call.model).complete(body)
    if any(choice["finish_reason"] == "error" for choice in body["choices"]):
        raise _not_an_answer(call, "it ended with an error", body)
    usage = token_usage(body.get("usage"), body)
    return ChatReply(body=body, usage=usage, dropped=sent.dropped)


async def operation_reply(
    codec: Codec, call: UpstreamCall[OperationRequest], sent: EncodedOperation, reply: HttpReply
) -> OperationReply:
    kind = content_type(reply.headers)
    if call.request.operation.makes_bytes and "json" not in kind.lower():
        made = await reply.read_all()
        if kind.lower().startswith(_A_PAGE):
            raise _not_an_answer(call, "it is a page")
        return OperationReply(body=made, content_type=kind, dropped=sent.dropped)
    body = await _whole(codec, call, reply)
    try:
        body = sent.translate(body) if sent.translate else body
        if call.request.operation is Operation.EMBEDDINGS:
            body = well_formed_embeddings(body, call.request, call.model)
    except Malformed as error:
        raise _not_an_answer(call, str(error), body) from error
    usage = operation_usage(body.get("usage"), call.request.operation)
    return OperationReply(body=body, usage=usage, dropped=sent.dropped)


async def refused(codec: Codec, call: UpstreamCall[Any], reply: HttpReply) -> GatewayError:
    """For a status that is none of success."""
    try:
        complaint = codec.complaint(json_object(await reply.read_all(_MAX_ERROR_BYTES)))
    except (Malformed, ProviderError):  # nothing that can be read
        complaint = Complaint()
    return _refusal(complaint, call, reply, reply.status)


async def not_streamed(codec: Codec, call: UpstreamCall[Any], reply: HttpReply) -> GatewayError:
    """For a provider that was asked for a stream and sends one object."""
    try:
        await _whole(codec, call, reply)
    except GatewayError as error:
        return error
    return _not_an_answer(call, "it is not a stream")


async def _whole(codec: Codec, call: UpstreamCall[Any], reply: HttpReply) -> dict[str, Any]:
    """The answer's JSON, where it is no failure that was sent as a success: some servers tell the
    status that it should have had."""
    try:
        body = json_object(await reply.read_all())
    except Malformed as error:
        raise _not_an_answer(call, str(error)) from error
    if body.get("error") or body.get("object") == "error":
        complaint = codec.complaint(body)
        if complaint.status is not None:
            raise _refusal(complaint, call, reply, complaint.status)
        raise _not_an_answer(call, complaint.message or "it is an error")
    return body


def _refusal(
    complaint: Complaint, call: UpstreamCall[Any], reply: HttpReply, status: int
) -> GatewayError:
    return refusal(
        complaint,
        provider=call.provider.name,
        credential=call.credential,
        status=status,
        headers=reply.headers,
    )


def _not_an_answer(
    call: UpstreamCall[Any], why: str, body: Mapping[str, Any] = _NOTHING
) -> ProviderBrokeOff:
    """What it took is paid for, where that is told: who asks for what nobody can read, again and
    again, would have it for nothing."""
    name, told = call.provider.name, body.get("usage")
    message = f"{name} sent an answer that cannot be used: {why}."
    used = token_usage(told, body) or responses_usage(told, body)
    return ProviderBrokeOff(shown(message, call.credential), provider=name, used=used)
