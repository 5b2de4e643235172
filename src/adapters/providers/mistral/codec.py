from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.operations import OperationRequest
from ...wire.codec import ChunkDecoder, Complaint, EncodedChat, EncodedOperation
from ...wire.well_formed import well_formed_chunk, well_formed_reply
from .complaints import complaint
from .operations import encoded_operation
from .replies import translate_choice, translate_usage
from .requests import encoded


class MistralCodec:
    """Close to OpenAI's format, but refuses what it does not know, and insists on an order."""

    default_url = "https://api.mistral.ai/v1"

    def headers(self, credential: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential}"}

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        return encoded(call, stream=stream)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        return _translated(well_formed_reply(body, keeps_parts=True), sent)

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:
        return lambda body, _: (_translated(well_formed_chunk(body, keeps_parts=True), sent),)

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        return encoded_operation(call)

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        return complaint(body)


def _translated(body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
    translate_usage(body)
    for choice in body["choices"]:
        translate_choice(choice, sent.own_ids)
    return body
