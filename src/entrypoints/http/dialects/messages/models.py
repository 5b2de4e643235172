"""https://docs.anthropic.com/en/api/models-list"""

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from .....application.calls.list_models import ModelCard
from .....domain.errors import InvalidRequest

_DEFAULT_LIMIT, _MAX_LIMIT = 20, 1000
# "May be set to an epoch value if the release date is unknown."
_UNKNOWN_TIME = "1970-01-01T00:00:00Z"
_LIFECYCLE = "active"


def model_info(card: ModelCard) -> dict[str, Any]:
    """What is not known of a model is null."""
    return {
        "type": "model",
        "id": card.model,
        "display_name": card.model,
        "created_at": _UNKNOWN_TIME,
        "lifecycle": _LIFECYCLE,
        "capabilities": None,
        "deprecated_at": None,
        "line": None,
        "max_input_tokens": None,
        "max_tokens": None,
        "retires_at": None,
    }


def model_page(cards: Sequence[ModelCard], asked: MultiDict[str, str]) -> Mapping[str, Any]:
    """The page that was asked for. Raises InvalidRequest, naming the field."""
    limit = _limit(asked.get("limit"))
    stages = asked.getlist("lifecycle[]") or asked.getlist("lifecycle")
    if stages and _LIFECYCLE not in stages:
        cards = ()
    after, before = asked.get("after_id"), asked.get("before_id")
    if after and before:
        message = "Only one of 'after_id' and 'before_id' can be given."
        raise InvalidRequest(message, param="before_id")
    if before:
        earlier = cards[: _place(cards, "before_id", before)]
        page, has_more = earlier[-limit:], len(earlier) > limit
    else:
        later = cards[_place(cards, "after_id", after) + 1 :] if after else cards
        page, has_more = later[:limit], len(later) > limit
    return {
        "data": [model_info(card) for card in page],
        "has_more": has_more,
        "first_id": page[0].model if page else None,
        "last_id": page[-1].model if page else None,
    }


def _limit(given: str | None) -> int:
    if given is None:
        return _DEFAULT_LIMIT
    try:
        limit = int(given)
    except ValueError:
        limit = 0
    if not 1 <= limit <= _MAX_LIMIT:
        raise InvalidRequest(f"'limit' must be from 1 to {_MAX_LIMIT}.", param="limit")
    return limit


def _place(cards: Sequence[ModelCard], name: str, model: str) -> int:
    for place, card in enumerate(cards):
        if card.model == model:
            return place
    raise InvalidRequest(f"'{name}' is none of the models that are listed.", param=name)
