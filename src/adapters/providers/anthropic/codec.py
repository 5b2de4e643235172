from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.operations import OperationRequest
from ...wire.codec import ChunkDecoder, Complaint, EncodedChat, EncodedOperation
from .complaints import complaint
from .replies import translated_reply
from .requests import encoded
from .stream import StreamDecoder

# https://platform.claude.com/docs/en/api/versioning
_VERSION = "2023-06-01"


class AnthropicCodec:
    """Anthropic's Messages, for whoever speaks OpenAI's format; and as they are, for whoever speaks
    them himself."""

    default_url = "https://api.anthropic.com/v1"

    def headers(self, credential: str) -> Mapping[str, str]:
        return {"x-api-key": credential, "anthropic-version": _VERSION}

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        return encoded(call, stream=stream)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:  # noqa: ARG002
        return translated_reply(body)

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:  # noqa: ARG002
        return StreamDecoder()

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        """They have chats only."""
        del call
        return None

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        return complaint(body)
