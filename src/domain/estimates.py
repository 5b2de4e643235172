"""How many tokens a text can be, told without a tokenizer."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

# The chat templates of the open models, and OpenAI's cookbook, put 3 to 8 tokens around a message.
_PER_OBJECT = 8
# A picture at full detail: OpenAI bills at most 1,536 patches of newer models, and
# 85 + 170 x 8 tiles of older ones; Mistral up to 4,096 for one of 1024 x 1024.
_PER_IMAGE = 4_096
# A file, a recording or a film cannot be measured here; this is an hour of speech at ten tokens a
# second, some thirty pages, or two minutes of a film at Google's 263 tokens a second:
# https://ai.google.dev/gemini-api/docs/tokens
_PER_FILE = 36_000
# Parts of OpenAI, of vLLM (https://docs.vllm.ai/en/latest/features/multimodal_inputs/), of Mistral
# and of Anthropic; what holds a source counts as its source does.
_OPAQUE = {
    **dict.fromkeys(("image_url", "input_image", "computer_screenshot", "image"), _PER_IMAGE),
    "image_embeds": _PER_IMAGE,
    **dict.fromkeys(("input_audio", "audio_url", "video_url"), _PER_FILE),
    **dict.fromkeys(("file", "input_file", "document_url"), _PER_FILE),
    **dict.fromkeys(("base64", "url"), _PER_FILE),  # the source of a document, as Anthropic has it
}
# Google's parts have no type: https://ai.google.dev/api/caching#Part. It reads either spelling.
_UNTYPED = frozenset({"inlineData", "inline_data", "fileData", "file_data"})
# What holds the picture or the file; whatever else stands beside it may be read as text.
_PAYLOADS = frozenset(
    {
        *("image_url", "image", "image_embeds", "source", "data", "url", "document_url"),
        *("input_audio", "audio_url", "video_url", "file", "file_data", "file_url", "file_id"),
    }
)

_NONE: AbstractSet[str] = frozenset()
_BYTES_PER_TOKEN = 4

# Of a chat in any dialect, the fields that the model reads: those with pictures and files in them,
# and those of texts alone, where a schema may happen to have a name of theirs as its type.
_SAID = ("messages", "prompt", "system", "input", "prediction")
_TEXTS = (
    *("tools", "functions", "response_format", "suffix", "instructions", "text"),
    *("output_config", "output_format"),
)


def input_bound(body: Mapping[str, Any]) -> int:
    """No fewer tokens than a chat request's input can be.

    Every tokenizer in use works on bytes of UTF-8, and none makes two tokens of one byte: a text
    has at most as many tokens as bytes. Pictures and files count by the piece.
    """
    said = sum(token_bound(body[name]) for name in _SAID if name in body)
    return said + sum(token_bound(body[name], media=False) for name in _TEXTS if name in body)


def token_bound(value: Any, *, media: bool = True) -> int:
    """No fewer tokens than a piece of JSON can be. With `media`, its pictures and files count by
    the piece."""
    bound = 0
    waiting = [value]  # a stack of our own: a caller's nesting must not reach Python's
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            bound += _bytes_of(item)
        elif isinstance(item, Mapping):
            pieces, payloads = _media(item) if media else (0, _NONE)
            if pieces:
                bound += pieces
                item = {name: inner for name, inner in item.items() if name not in payloads}
            bound += _PER_OBJECT + sum(map(_bytes_of, item))
            waiting.extend(item.values())
        elif isinstance(item, Sequence):
            waiting.extend(item)
        else:
            bound += len(str(item))
    return bound


def _media(item: Mapping[str, Any]) -> tuple[int, AbstractSet[str]]:
    """What the pictures and files in an object count, and the names under which it holds them."""
    kind = item.get("type")
    if isinstance(kind, str):
        return (_OPAQUE[kind], _PAYLOADS) if kind in _OPAQUE else (0, _NONE)
    if _UNTYPED.isdisjoint(item):
        return 0, _NONE
    held = {name for name in _UNTYPED if isinstance(item.get(name), Mapping)}
    return _PER_FILE * len(held), held


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def likely_tokens(text_bytes: int) -> int:
    """What a text of so many bytes probably comes to: about four bytes a token in English prose.
    For settling a call whose provider told no usage."""
    return -(-text_bytes // _BYTES_PER_TOKEN)
