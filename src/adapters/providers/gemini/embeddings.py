"""https://ai.google.dev/api/embeddings#method:-models.batchembedcontents"""

from functools import partial
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.errors import OperationUnsupported
from ....domain.operations import OperationRequest
from ...wire.codec import EncodedOperation
from ...wire.malformed import Malformed
from .names import camel
from .paths import bare_name, model_path
from .usage import usage

_DROPPED = frozenset({"user"})
_TRANSLATED = frozenset({"model", "input", "dimensions", "encoding_format", *_DROPPED})


def embedding_request(call: UpstreamCall[OperationRequest]) -> EncodedOperation:
    """Raises OperationUnsupported for tokens, which are another model's."""
    body = call.request.body
    own = {camel(name): value for name, value in body.items() if name not in _TRANSLATED}
    if (dimensions := body.get("dimensions")) is not None:
        own["outputDimensionality"] = dimensions
    asked = {**own, "model": f"models/{bare_name(call.model)}"}
    return EncodedOperation(
        path=model_path(call.model, "batchEmbedContents"),
        body={
            "requests": [{**asked, "content": {"parts": [{"text": text}]}} for text in _texts(call)]
        },
        dropped=tuple(name for name in body if name in _DROPPED),
        translate=partial(_embedded, call=call),
    )


def _embedded(body: dict[str, Any], call: UpstreamCall[OperationRequest]) -> dict[str, Any]:
    """Raises Malformed where there is not one for each text."""
    told = body.get("embeddings")
    if not isinstance(told, list) or len(told) != len(_texts(call)):
        raise Malformed("it does not have one embedding for each input")
    data = [
        {"object": "embedding", "index": index, "embedding": _values(one)}
        for index, one in enumerate(told)
    ]
    answer: dict[str, Any] = {"object": "list", "data": data, "model": call.model}
    if (count := usage(body.get("usageMetadata"))) is not None:
        prompt = count["prompt_tokens"]
        answer["usage"] = {"prompt_tokens": prompt, "total_tokens": prompt}
    return answer


def _texts(call: UpstreamCall[OperationRequest]) -> list[str]:
    given = call.request.body.get("input")
    texts = [given] if isinstance(given, str) else given
    if isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts):
        return texts
    raise OperationUnsupported(call.provider.name, f"{call.request.operation} of tokens' numbers")


def _values(one: object) -> list[Any]:
    values = one.get("values") if isinstance(one, dict) else None
    if not isinstance(values, list) or not all(type(v) in {int, float} for v in values):
        raise Malformed("an embedding is not a list of numbers")
    return values
