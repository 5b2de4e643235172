from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.operations import Operation, OperationRequest
from ...wire.codec import ChunkDecoder, Complaint, EncodedChat, EncodedOperation
from .complaints import complaint
from .embeddings import embedding_request
from .replies import reply
from .requests import encoded
from .stream import Decoder


class GeminiCodec:
    """Google's own format: https://ai.google.dev/api/generate-content"""

    default_url = "https://generativelanguage.googleapis.com/v1beta"

    def headers(self, credential: str) -> Mapping[str, str]:
        return {"x-goog-api-key": credential}

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        return encoded(call, stream=stream)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:  # noqa: ARG002
        return reply(body)

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:  # noqa: ARG002
        decode = Decoder()
        return lambda body, _: decode(body)

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        if call.request.operation is Operation.EMBEDDINGS:
            return embedding_request(call)
        return None

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        return complaint(body)
