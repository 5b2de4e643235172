from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.operations import OperationRequest
from ...wire.codec import ChunkDecoder, Complaint, EncodedChat, EncodedOperation
from ...wire.well_formed import well_formed_chunk, well_formed_reply
from .complaints import complaint
from .facts import Facts
from .replies import with_usual_words
from .requests import encoded


class OpenAICodec:
    """OpenAI, and everything that speaks its format, but for what the facts of a kind say."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.default_url = facts.default_url

    def headers(self, credential: str) -> Mapping[str, str]:
        return {
            name: value.replace("{}", credential) for name, value in self._facts.headers.items()
        }

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        return encoded(call, self._facts.at(call.provider.base_url), stream=stream)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:  # noqa: ARG002
        body = well_formed_reply(body)
        return with_usual_words(body, self._facts, "message") if self._facts.has_words else body

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:  # noqa: ARG002
        if self._facts.has_words:
            return lambda body, _: (
                with_usual_words(well_formed_chunk(body), self._facts, "delta"),
            )
        return lambda body, _: (well_formed_chunk(body),)

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        request = call.request
        if request.operation not in self._facts.at(call.provider.base_url).operations:
            return None
        return EncodedOperation(
            path=f"/{request.operation}",
            body={**request.body, "model": call.model},
            files=request.files,
            streamed=request.stream,
        )

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        return complaint(body)
