"""OpenAI, and everything that speaks its format: https://platform.openai.com/docs/api-reference/chat

The format is the gateway's own, so what a caller wrote passes through as it is, but for the model,
the output cap, and the wish to be told the usage of a stream.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ...application.ports.upstream import UpstreamCall
from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect, Native
from ...domain.operations import OperationRequest
from ..wire.codec import (
    ChunkDecoder,
    Codec,
    Complaint,
    EncodedChat,
    EncodedOperation,
    as_text,
)
from ..wire.well_formed import well_formed_chunk, well_formed_reply

_NEW_CAP, _OLD_CAP = "max_completion_tokens", "max_tokens"
_OWN_HOSTS = ("api.openai.com", ".api.openai.com", ".openai.azure.com")


_CHAT = "/chat/completions"
_NATIVE_PATHS = {Dialect.COMPLETIONS: "/completions", Dialect.RESPONSES: "/responses"}


class OpenAICodec:
    default_url = "https://api.openai.com/v1"

    def headers(self, credential: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential}"}

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        if (native := call.request.native) and _speaks(call.provider.base_url, native.dialect):
            return _as_it_came(call, native, stream=stream)
        body = {**call.request.body, "model": call.model}
        if stream:
            body["stream"] = True
            options = body.get("stream_options") or {}
            body["stream_options"] = {**options, "include_usage": True}
        else:
            body.pop("stream", None)
            body.pop("stream_options", None)
        if call.output_cap is not None:
            _cap(body, call.output_cap, knows_new_name=_is_openai(call.provider.base_url))
        return EncodedChat(path=_CHAT, body=body)

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:  # noqa: ARG002
        return well_formed_reply(body)

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:  # noqa: ARG002
        return lambda body, _: (well_formed_chunk(body),)

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        request = call.request
        return EncodedOperation(
            path=f"/{request.operation}",
            body={**request.body, "model": call.model},
            files=request.files,
        )

    def operation_reply(
        self,
        body: dict[str, Any],
        call: UpstreamCall[OperationRequest],  # noqa: ARG002
    ) -> dict[str, Any]:
        return body

    def complaint(self, body: Mapping[str, Any]) -> Complaint:
        """`{"error": {message, type, param, code}}`; the code of other servers may be the status,
        and their error a mere text."""
        error = body.get("error")
        if not isinstance(error, dict):
            message = error if isinstance(error, str) else body.get("message")
            return Complaint(message=as_text(message))
        code = error.get("code")
        status = code if type(code) is int and 400 <= code < 600 else None  # noqa: PLR2004
        return Complaint(
            message=as_text(error.get("message")),
            param=as_text(error.get("param")),
            code=as_text(code) if status is None else as_text(error.get("type")),
            status=status,
        )


def _speaks(base_url: str, dialect: Dialect) -> bool:
    """Text completions are spoken everywhere; responses by OpenAI itself."""
    if dialect is Dialect.RESPONSES:
        return _is_openai(base_url)
    return dialect in _NATIVE_PATHS


def _as_it_came(call: UpstreamCall[ChatRequest], native: Native, *, stream: bool) -> EncodedChat:
    body = {**native.body, "model": call.model, "stream": stream}
    is_text = native.dialect is Dialect.COMPLETIONS
    if stream and is_text:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    if call.output_cap is not None:
        body["max_tokens" if is_text else "max_output_tokens"] = call.output_cap
    return EncodedChat(path=_NATIVE_PATHS[native.dialect], body=body, dialect=native.dialect)


def _cap(body: dict[str, Any], cap: int, *, knows_new_name: bool) -> None:
    """Sends the cap under the names that this server obeys.

    OpenAI's newer models refuse `max_tokens`, and all of its models refuse both at once. Other
    servers all know `max_tokens`; some, such as Ollama, ignore `max_completion_tokens` silently
    (https://github.com/ollama/ollama/issues/7125), so that alone would cap nothing.
    """
    given = [body[name] for name in (_NEW_CAP, _OLD_CAP) if body.get(name) is not None]
    cap = min([cap, *given])
    if knows_new_name:
        body.pop(_OLD_CAP, None)
        body[_NEW_CAP] = cap
        return
    if len(given) < 2:  # noqa: PLR2004  (else the caller knows a server that takes both)
        body.pop(_NEW_CAP, None)
    else:
        body[_NEW_CAP] = cap
    body[_OLD_CAP] = cap


@lru_cache(maxsize=256)
def _is_openai(base_url: str) -> bool:
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:  # refused where the address is made
        return False
    return host == _OWN_HOSTS[0] or host.endswith(_OWN_HOSTS[1:])


CODECS: Mapping[str, Codec] = {"openai": OpenAICodec()}
