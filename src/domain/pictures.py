"""How many tokens a picture takes that OpenAI's models make:
https://platform.openai.com/docs/guides/image-generation#cost-and-latency
"""

import re
from collections.abc import Mapping
from typing import Any

from .fields import count_in

# Of the first models, by size; what is not said may be any of them.
_TABLE: Mapping[str, Mapping[str, int]] = {
    "low": {"1024x1024": 272, "1024x1536": 408, "1536x1024": 400},
    "medium": {"1024x1024": 1_056, "1024x1536": 1_584, "1536x1024": 1_568},
    "high": {"1024x1024": 4_160, "1024x1536": 6_240, "1536x1024": 6_208},
}
# Later ones draw in any size: OpenAI's calculator takes a grid, so fine along the longer edge, of
# tokens that each cost more in a larger picture. It comes to the prices in the guide's table.
_GRIDS: Mapping[str, Mapping[str, int]] = {
    "gpt-image-2.5": {"low": 16, "medium": 32, "high": 48, "xhigh": 72, "max": 96},
    "gpt-image-2": {"low": 16, "medium": 48, "high": 96},
    "gpt-image": {"max": 96},  # whatever comes next is taken for as dear as the dearest
    "chatgpt-image": {"max": 96},
}
_MOST_PIXELS = 8_294_400
_LONGEST_EDGE = 3_840
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
# "Each partial image will incur an additional 100 image output tokens", of at most three.
_PER_PARTIAL, _MOST_PARTIALS = 100, 3


def picture_tokens(model: str, body: Mapping[str, Any]) -> int:
    """The most tokens of one picture that `body` asks for, and of what is seen of it before; none
    of a model that is not known to be sold by the token."""
    name = model.rpartition("/")[2]
    quality, size = body.get("quality"), body.get("size")
    if name.startswith("gpt-image-1"):
        tokens = _in_table(quality, size)
    else:
        grid = next((grid for prefix, grid in _GRIDS.items() if name.startswith(prefix)), None)
        if grid is None:
            return 0
        known = grid.get(quality) if isinstance(quality, str) else None
        tokens = _in_grid(known or max(grid.values()), size)
    partials = count_in(body.get("partial_images")) or 0
    return tokens + _PER_PARTIAL * min(max(0, partials), _MOST_PARTIALS)


def _in_table(quality: object, size: object) -> int:
    known = _TABLE.get(quality) if isinstance(quality, str) else None
    sizes = known or _TABLE["high"]
    return sizes.get(size, max(sizes.values())) if isinstance(size, str) else max(sizes.values())


def _in_grid(fine: int, size: object) -> int:
    edges = _SIZE.fullmatch(size) if isinstance(size, str) else None
    width, height = map(int, edges.groups()) if edges else (_LONGEST_EDGE, _LONGEST_EDGE)
    longer, shorter = max(width, height), min(width, height)
    pixels = width * height
    if longer > _LONGEST_EDGE or pixels > _MOST_PIXELS:  # refused, if it was asked for
        across, pixels = fine, _MOST_PIXELS
    else:
        across = max(1, (2 * fine * shorter + longer) // (2 * longer))
    return -(-fine * across * (2_000_000 + pixels) // 4_000_000)
