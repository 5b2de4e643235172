"""What a model has put out, item by item.

https://platform.openai.com/docs/api-reference/responses/object#responses-object-output
"""

from collections.abc import Sequence
from typing import Any

COMPLETED, INCOMPLETE, IN_PROGRESS = "completed", "incomplete", "in_progress"


def reasoning_item(item_id: str, thoughts: str, wrapped: str | None) -> dict[str, Any]:
    summary = [summary_part(thoughts)] if thoughts else []
    return {"id": item_id, "type": "reasoning", "summary": summary, "encrypted_content": wrapped}


def summary_part(thoughts: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": thoughts}


def message_item(item_id: str, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def text_part(
    text: str, logprobs: Sequence[Any] = (), annotations: Sequence[Any] = ()
) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": text,
        "annotations": list(annotations),
        "logprobs": list(logprobs),
    }


def refusal_part(refusal: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": refusal}


def call_item(item_id: str, call_id: str, name: str, arguments: str, status: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }
