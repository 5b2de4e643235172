"""What an answer tells of what is not sold by the token: searches, and seconds that were heard."""

import math
from collections.abc import Mapping
from typing import Any

from ...domain.units import NO_UNITS, Units

# Of what Anthropic, and in an answer in OpenAI's format this gateway, names so:
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#usage-and-pricing
SERVER_TOOLS, WEB_SEARCHES = "server_tool_use", "web_search_requests"
# Perplexity's and Mistral's names: https://docs.perplexity.ai/api-reference/chat-completions-post
# and https://docs.mistral.ai/api/endpoint/audio/transcriptions
_SEARCHES_TOLD = "num_search_queries"
_SECONDS_TOLD = "prompt_audio_seconds"
# Nobody searches, or speaks, as much in one call.
_MOST = 10**9


def units_told(usage: Mapping[str, Any], answer: Mapping[str, Any]) -> Units:
    """Never raises."""
    tools = usage.get(SERVER_TOOLS)
    web = whole(tools.get(WEB_SEARCHES)) if isinstance(tools, dict) else 0
    files = 0
    if isinstance(output := answer.get("output"), list):
        web, files = web + _calls(output, "web_search_call"), _calls(output, "file_search_call")
    web = web or whole(usage.get(_SEARCHES_TOLD))
    seconds = _seconds(usage)
    if not (web or files or seconds):
        return NO_UNITS
    return Units.of(web_searches=web, file_searches=files, audio_seconds=seconds)


def whole(value: object) -> int:
    """0 where it is no count; of a part of a second, all of it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return math.ceil(value) if 0 <= value <= _MOST else 0


def _calls(output: list[Any], kind: str) -> int:
    """Of the web, pages are opened, and looked through, for nothing: only a search is charged.
    https://platform.openai.com/docs/guides/tools-web-search#output-and-citations"""
    items = (item for item in output if isinstance(item, dict) and item.get("type") == kind)
    actions = (item.get("action") for item in items)
    return sum(
        not isinstance(action, dict) or action.get("type", "search") == "search"
        for action in actions
    )


def _seconds(usage: Mapping[str, Any]) -> int:
    """https://platform.openai.com/docs/api-reference/audio/json-object: whisper's."""
    if usage.get("type") == "duration":
        return whole(usage.get("seconds"))
    return whole(usage.get(_SECONDS_TOLD))
