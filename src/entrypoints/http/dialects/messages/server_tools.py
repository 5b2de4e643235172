"""Tools that Anthropic runs itself: what they were asked, and what they found, in an earlier answer
of Claude's. Another model can read it, and that is all.

https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/web-search-tool
"""

from .....domain.fields import Json, path, required
from .json_text import written

_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
_RESULTS = "_tool_result"
_SAID = ("title", "url", "text", "stdout", "stderr", "error_code")


def in_words(block: Json, at: str) -> str | None:
    """None where the block is none of theirs."""
    kind: str = block["type"]
    if kind in _CALLS:
        name = required(block, "name", str, at)
        return f"\n[{name}: {written(block.get('input') or {}, path(at, 'input'))}]\n"
    return f"\n[{_found(block.get('content'))}]\n" if kind.endswith(_RESULTS) else None


def _found(content: object) -> str:
    """The readable part of a result, whichever tool's: the rest is encrypted, or an id."""
    said: list[str] = []
    waiting = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            said.append(item)
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, dict):
            said += [item[name] for name in _SAID if isinstance(item.get(name), str)]
            waiting.append(item.get("content"))
    return "\n".join(said)
