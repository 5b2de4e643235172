from collections.abc import Mapping
from dataclasses import replace

from ...domain.operations import Operation
from ...domain.usage import TokenUsage
from .unit_counts import units_told
from .usage import images_usage, responses_usage, token_usage

_ANY_TYPE = "application/octet-stream"


def content_type(headers: Mapping[str, str]) -> str:
    """What the provider says that its answer is, where that can be said on."""
    told = headers.get("content-type", "").strip()
    return told if told and told.isascii() and told.isprintable() else _ANY_TYPE


def operation_usage(usage: object, operation: Operation) -> TokenUsage | None:
    """Of whatever an operation made. Embeddings count as chats do; pictures and transcriptions as
    responses do, but transcriptions spell the details their own way, and tell seconds instead where
    they are sold by those.

    https://platform.openai.com/docs/api-reference/audio/json-object
    """
    if not isinstance(usage, dict):
        return None
    if "input_token_details" in usage:
        usage = {**usage, "input_tokens_details": usage["input_token_details"]}
    if operation.draws:
        return images_usage(usage)
    told = token_usage(usage) or responses_usage(usage)
    if told is None and (units := units_told(usage, {})):
        return TokenUsage(units=units)  # nothing of it is sold by the token
    if told is not None and operation is Operation.SPEECH:
        # Nothing else comes of it, and no details say so.
        return replace(told, output=0, audio_output=told.output + told.audio_output)
    return told
