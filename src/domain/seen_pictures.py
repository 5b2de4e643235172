"""How many tokens a picture takes that a model looks at, where those are more than `PER_PICTURE`:
https://platform.openai.com/docs/guides/images-vision#calculating-costs
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .picture_sizes import size_of

# Claude takes at most 4,784, Mistral 4,160, Gemini 2,240, and OpenAI's models that are not below
# 4,916: https://platform.claude.com/docs/en/build-with-claude/vision,
# https://docs.mistral.ai/capabilities/vision and
# https://ai.google.dev/gemini-api/docs/media-resolution
PER_PICTURE = 5_000

_PATCH = 32
_EDGE = 2_048
_WITHIN_EDGE = (_EDGE // _PATCH) ** 2
# Beside a base, for each of at most eight tiles.
_SHORT_EDGE, _TILE = 768, 512
_TILED = re.compile(r"gpt-4o-mini")
_TILE_BASE, _PER_TILE, _MOST_TILES = 2_833, 5_667, 8


@dataclass(frozen=True, slots=True)
class _Patches:
    """Each patch takes so many hundredths of a token; of `original` size, and where nothing is
    said, there may be more of them."""

    models: re.Pattern[str]
    percent: int
    original: int = _WITHIN_EDGE
    unsaid: int = _WITHIN_EDGE


_ORIGINAL = "original"
_UNSAID = (None, "auto")
_KINDS = (
    _Patches(re.compile(r"gpt-4\.1-mini"), 162),
    _Patches(re.compile(r"gpt-4\.1-nano"), 246),
    _Patches(re.compile(r"o4-mini"), 172),
    _Patches(re.compile(r"gpt-5-nano"), 150),
    _Patches(re.compile(r"gpt-5\.4"), 120, original=10_000),
    _Patches(re.compile(r"gpt-5\.5"), 120, original=10_000, unsaid=10_000),
    # What has more than 30,000 is refused. Whatever comes next is taken for no cheaper.
    _Patches(re.compile(r"gpt-(5\.[6-9]|[6-9]|\d\d)"), 120, original=30_000, unsaid=30_000),
)


def beyond(models: Iterable[str], pictures: Iterable[Mapping[str, Any]]) -> int:
    """What pictures, as parts of a message, may take beyond `PER_PICTURE` each, at the dearest of
    the models."""
    names = [model.rpartition("/")[2] for model in models]
    dear = [name for name in names if _TILED.match(name) or _kind(name)]
    if not dear:
        return 0
    return sum(max(0, max(_tokens(name, each) for name in dear) - PER_PICTURE) for each in pictures)


def _kind(model: str) -> _Patches | None:
    return next((kind for kind in _KINDS if kind.models.match(model)), None)


def _tokens(model: str, picture: Mapping[str, Any]) -> int:
    detail, size = _detail(picture), size_of(picture)
    kind = _kind(model)
    if kind is None:
        tiles = 0 if detail == "low" else _tiles(size)
        return _TILE_BASE + _PER_TILE * tiles
    most = _WITHIN_EDGE
    if detail == _ORIGINAL:
        most = kind.original
    elif detail in _UNSAID:
        most = kind.unsaid
    if size is not None:
        most = min(most, -(-size[0] // _PATCH) * -(-size[1] // _PATCH))
    return -(-most * kind.percent // 100)


def _tiles(size: tuple[int, int] | None) -> int:
    """Rounded up: of a picture that fits into the edges, whatever is made of it."""
    if size is None:
        return _MOST_TILES
    longer, shorter = max(size), min(size)
    if longer > _EDGE:
        longer, shorter = _EDGE, max(1, -(-shorter * _EDGE // longer))
    if shorter > _SHORT_EDGE:
        longer, shorter = -(-longer * _SHORT_EDGE // shorter), _SHORT_EDGE
    return min(_MOST_TILES, -(-longer // _TILE) * -(-shorter // _TILE))


def _detail(picture: Mapping[str, Any]) -> object:
    told = picture.get("detail")
    held = picture.get("image_url")
    if told is None and isinstance(held, Mapping):
        told = held.get("detail")
    return told if isinstance(told, str) else None
