"""OpenAI's models at Azure: https://learn.microsoft.com/en-us/azure/ai-services/openai/reference

Two forms of address are in use. The newer one ends in `/openai/v1`, and is used like OpenAI's own:
https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle. The older one names
the deployment in the path, and a dated version behind it. A base URL may carry an `api-version` of
its own, in either form.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect, Native
from ....domain.errors import InvalidRequest
from ....domain.operations import OperationRequest
from ...wire.codec import ChunkDecoder, EncodedChat, EncodedOperation
from ...wire.well_formed import well_formed_chunk
from .codec import OpenAICodec

# The latest that is generally available, and the last of its kind.
_VERSION = "2024-10-21"


class AzureCodec(OpenAICodec):
    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat:
        if _speaks_chats_only(call.request.native, call.provider.base_url):
            call = replace(call, request=replace(call.request, native=None))
        sent = super().encode(call, stream=stream)
        return replace(sent, path=_path(call.provider.base_url, call.model, sent.path))

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        sent = super().operation(call)
        if sent is None:
            return None
        return replace(sent, path=_path(call.provider.base_url, call.model, sent.path))

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:  # noqa: ARG002
        return _FilteredChunks()


class _FilteredChunks:
    """What the content filter found comes in chunks of its own, without an id or a model: before
    the first, and with asynchronous filtering in between. All chunks of an answer must tell one.
    https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-streaming
    """

    def __init__(self) -> None:
        self._early: dict[str, Any] = {}
        self._identity: dict[str, Any] = {}

    def __call__(self, body: dict[str, Any], name: bytes) -> Sequence[dict[str, Any]]:
        del name
        chunk = well_formed_chunk(body)
        if chunk.get("id"):
            told = ("id", "created", "model")
            self._identity = {name: chunk[name] for name in told if chunk.get(name)}
        elif not (self._identity or chunk["choices"] or chunk.get("usage")):
            # Nobody can be answered with this yet: it goes with the first that has something.
            self._early |= {name: value for name, value in chunk.items() if value}
            return ()
        else:
            chunk |= self._identity
        if self._early:
            chunk = {**self._early, **chunk}
            self._early = {}
        return (chunk,)


def _speaks_chats_only(native: Native | None, base_url: str) -> bool:
    """With a dated version, responses are in preview only."""
    return native is not None and native.dialect is Dialect.RESPONSES and not _is_newer(base_url)


def _is_newer(base_url: str) -> bool:
    return _folder(base_url).endswith("/v1")


def _path(base_url: str, model: str, path: str) -> str:
    folder = _folder(base_url)
    if _is_newer(base_url):
        return path
    if "/deployments/" not in folder:
        # A part of the path, whatever it is made of: a caller may have named it.
        if model in {".", ".."}:
            raise InvalidRequest(f"{model!r} is no name of a deployment.", param="model")
        above = "" if folder.endswith("/openai") else "/openai"
        path = f"{above}/deployments/{quote(model, safe='')}{path}"
    return path if "api-version=" in base_url else f"{path}?api-version={_VERSION}"


def _folder(base_url: str) -> str:
    try:
        return urlsplit(base_url).path.rstrip("/")
    except ValueError:  # refused where the address is made
        return ""
