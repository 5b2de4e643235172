"""Thought signatures: what a model of Google's needs back to go on thinking where it left off.

They travel in `extra_content`, as in Google's own OpenAI-compatible endpoint:
https://ai.google.dev/gemini-api/docs/thought-signatures#openai
"""

from collections.abc import Mapping
from typing import Any

# For calls that another model made: newer models refuse a call without any signature. See the
# questions at the foot of https://ai.google.dev/gemini-api/docs/thought-signatures
PLACEHOLDER = "skip_thought_signature_validator"

_EXTRA = "extra_content"
# Vertex AI's compatible endpoint names itself.
_OWNERS = ("google", "vertex")


def told_extra(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a message, call or picture carries of Google's own."""
    extra = holder.get(_EXTRA)
    if isinstance(extra, dict):
        for owner in _OWNERS:
            if isinstance(own := extra.get(owner), dict):
                return own
    return {}


def signature_of(holder: Mapping[str, Any]) -> str | None:
    told = told_extra(holder).get("thought_signature")
    return told if isinstance(told, str) and told else None


def extra_content(signature: object, **more: Any) -> dict[str, Any]:
    """To be merged into what carries it; empty where there is nothing to carry."""
    own = {name: value for name, value in more.items() if value}
    if isinstance(signature, str) and signature:
        own["thought_signature"] = signature
    return {_EXTRA: {_OWNERS[0]: own}} if own else {}


def signed(part: dict[str, Any], signature: str | None) -> dict[str, Any]:
    return {**part, "thoughtSignature": signature} if signature else part
