from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ...wire.codec import Codec, Complaint, EncodedChat
from ...wire.well_formed import well_formed_chunk, well_formed_reply
from .complaints import complaint
from .replies import translate_choice, translate_usage
from .requests import encoded


class MistralCodec:
    """Close to OpenAI's format, but refuses what it does not know, and insists on an order."""

    path = "/chat/completions"

    def headers(self, credential: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential}"}

    def encode(self, call: UpstreamCall, *, stream: bool) -> EncodedChat:
        return encoded(call, stream=stream)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        return _translated(well_formed_reply(body), sent)

    def chunk(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        return _translated(well_formed_chunk(body), sent)

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        return complaint(body)


def _translated(body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
    translate_usage(body)
    for choice in body["choices"]:
        translate_choice(choice, sent.own_ids)
    return body


_: type[Codec] = MistralCodec
