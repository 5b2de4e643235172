"""Where Claude has found what it says, as OpenAI tells it:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#citations and
https://platform.openai.com/docs/api-reference/chat/object. A passage of a document has no address,
and thus no place there."""

from collections.abc import Iterable, Mapping
from typing import Any

Annotation = dict[str, Any]


class Sources:
    """Of one answer: a block of text tells where all of it was found."""

    def __init__(self) -> None:
        self._length = 0
        self._starts: dict[int, int] = {}
        self._found: dict[int, list[Any]] = {}

    def begin(self, index: int, citations: object) -> None:
        self._starts[index] = self._length
        self._found[index] = list(citations) if isinstance(citations, list) else []

    def say(self, text: str) -> None:
        self._length += len(text)

    def find(self, index: int, citation: object) -> None:
        self._found.setdefault(index, []).append(citation)

    def end(self, index: int) -> list[Annotation]:
        start = self._starts.pop(index, self._length)
        found = self._found.pop(index, [])
        return [
            _annotation(citation, start, self._length)
            for citation in found
            if isinstance(citation, dict) and _text(citation.get("url"))
        ]


def annotations(texts: Iterable[Mapping[str, Any]]) -> list[Annotation]:
    """Of the texts of a whole answer."""
    sources = Sources()
    told: list[Annotation] = []
    for index, block in enumerate(texts):
        sources.begin(index, block.get("citations"))
        sources.say(_text(block.get("text")))
        told += sources.end(index)
    return told


def _annotation(citation: Mapping[str, Any], start: int, end: int) -> Annotation:
    place = {"start_index": start, "end_index": end}
    source = {"url": citation["url"], "title": _text(citation.get("title"))}
    return {"type": "url_citation", "url_citation": {**place, **source}}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
