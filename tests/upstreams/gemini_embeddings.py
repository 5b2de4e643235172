"""https://ai.google.dev/api/embeddings#method:-models.batchembedcontents"""

from collections.abc import Iterator, Mapping
from typing import Any

from .operations import DIMENSIONS, vector

_FIELDS = frozenset({"model", "content", "taskType", "title", "outputDimensionality"})


def embedding_faults(body: Mapping[str, Any]) -> Iterator[str]:
    for place, asked in enumerate(body["requests"]):
        at = f"at 'requests[{place}]'"
        for name in sorted(asked.keys() - _FIELDS):
            yield f'Invalid JSON payload received. Unknown name "{name}" {at}: Cannot find field.'
        if not str(asked.get("model")).startswith("models/"):
            yield f"* BatchEmbedContentsRequest.{at}.model: unexpected model name format"


def embeddings(body: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = body["requests"]
    texts = ["".join(part["text"] for part in one["content"]["parts"]) for one in asked]
    values = [
        vector(text, one.get("outputDimensionality", DIMENSIONS))
        for text, one in zip(texts, asked, strict=True)
    ]
    count = sum(len(text.split()) for text in texts)
    return {
        "embeddings": [{"values": one} for one in values],
        "usageMetadata": {"promptTokenCount": count},
    }
