"""How many tokens a text can be, told without a tokenizer."""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any

from .seen_pictures import PER_PICTURE, beyond

# The chat templates of the open models, and OpenAI's cookbook, put 3 to 8 tokens around a message.
_PER_OBJECT = 8
# A file, a recording or a film cannot be measured here; this is an hour of speech at ten tokens a
# second, some thirty pages, or two minutes of a film at Google's 263 tokens a second:
# https://ai.google.dev/gemini-api/docs/tokens
_PER_FILE = 36_000
# Parts of OpenAI, of vLLM (https://docs.vllm.ai/en/latest/features/multimodal_inputs/), of Mistral
# and of Anthropic; what holds a source counts as its source does.
_OPAQUE = {
    **dict.fromkeys(("image_url", "input_image", "computer_screenshot", "image"), PER_PICTURE),
    "image_embeds": PER_PICTURE,
    **dict.fromkeys(("input_audio", "audio_url", "video_url"), _PER_FILE),
    **dict.fromkeys(("file", "input_file", "document_url"), _PER_FILE),
    **dict.fromkeys(("base64", "url"), _PER_FILE),  # the source of a document, as Anthropic has it
}
# Google's parts have no type: https://ai.google.dev/api/caching#Part. It reads either spelling.
_GOOGLES = frozenset({"inlineData", "inline_data", "fileData", "file_data"})
# vLLM takes these without one, and whatever the type where there is a `uuid`:
# https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/chat_utils.py
_UNTYPED = ("image_url", "image_embeds", "audio_url", "input_audio", "video_url")
_PERHAPS_MEDIA = _GOOGLES.union(_UNTYPED)
# What holds the picture or the file; whatever else stands beside it may be read as text.
_PAYLOADS = frozenset(
    {
        *("image_url", "image", "image_embeds", "source", "data", "url", "document_url"),
        *("input_audio", "audio_url", "video_url", "file", "file_data", "file_url", "file_id"),
    }
)

_NONE: AbstractSet[str] = frozenset()
_NUMBERS = frozenset({int, float})
_BYTES_PER_TOKEN = 4

# Of a chat in any dialect, the fields in which there may be pictures and files. All others are read
# as they are written, where a schema may happen to have a name of theirs as its type, but for those
# of which it is known that no model is told of them.
_SAID = frozenset({"messages", "prompt", "system", "input", "prediction", "documents"})
_UNREAD = frozenset(
    {
        *("model", "models", "stream", "stream_options", "n", "user", "safety_identifier"),
        *("metadata", "client_metadata", "store", "include", "truncation", "background"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "service_tier", "speed"),
        *("stop", "stop_sequences", "logit_bias", "tool_choice", "function_call", "provider"),
        *("reasoning_effort", "reasoning", "thinking", "verbosity", "modalities", "audio"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "cache_control"),
        *("inference_geo", "guided_json", "guided_grammar", "structured_outputs", "grammar"),
    }
)
# What Claude is told where there are tools, and beside that for a computer; and each tool whose
# description is Anthropic's own:
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing and
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/computer-use-tool
_FOR_TOOLS = 804 + 499
_PER_KNOWN_TOOL = 735


def input_bound(body: Mapping[str, Any], models: Sequence[str] = ()) -> int:
    """No fewer tokens than a chat request's input can be, whichever of the `models` reads it.

    Every tokenizer in use works on bytes of UTF-8, and none makes two tokens of one byte: a text
    has at most as many tokens as bytes. Pictures and files count by the piece.
    """
    pictures: list[Mapping[str, Any]] = []
    bound = 0
    for name, value in body.items():
        if name in _SAID:
            bound += token_bound(value, pictures=pictures)
        elif isinstance(value, str | list | dict) and name not in _UNREAD:
            bound += _written(value)
    if pictures:
        bound += beyond(models, pictures)
    tools = body.get("tools") or body.get("functions")
    return bound + _told_of(tools) if tools else bound


def _told_of(tools: object) -> int:
    known = (
        tool
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, Mapping) and tool.get("type", "function") not in ("function", "custom")
    )
    return _FOR_TOOLS + _PER_KNOWN_TOOL * sum(1 for _ in known)


def _written(value: Any) -> int:
    """What is read as it is written down, a schema's quotes and commas included."""
    if isinstance(value, str):
        return _bytes_of(value)
    pieces = len(value) if isinstance(value, list) else 1
    return _bytes_of(json.dumps(value, ensure_ascii=False, default=str)) + _PER_OBJECT * pieces


def token_bound(value: Any, *, pictures: list[Mapping[str, Any]] | None = None) -> int:
    """No fewer tokens than what is said in a piece of JSON can be. Its pictures and files count by
    the piece; the former are added to `pictures`."""
    bound = 0
    waiting = [value]  # a stack of our own: a caller's nesting must not reach Python's
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            bound += _bytes_of(item)
        elif isinstance(item, Mapping):
            pieces, payloads = _media(item)
            if pieces:
                bound += pieces
                if pieces == PER_PICTURE and pictures is not None:
                    pictures.append(item)
                item = {name: inner for name, inner in item.items() if name not in payloads}
            bound += _PER_OBJECT + sum(map(_bytes_of, item))
            waiting.extend(item.values())
        elif item and isinstance(item, list) and _NUMBERS.issuperset(map(type, item)):
            bound += len(str(item))  # with their commas: written down as a whole, in C
        elif isinstance(item, Sequence):
            waiting.extend(item)
        else:
            bound += len(str(item))
    return bound


def _media(item: Mapping[str, Any]) -> tuple[int, AbstractSet[str]]:
    """What the pictures and files in an object count, and the names under which it holds them."""
    kind = item.get("type")
    pieces = _OPAQUE.get(kind, 0) if isinstance(kind, str) else 0
    if (isinstance(kind, str) and "uuid" not in item) or _PERHAPS_MEDIA.isdisjoint(item):
        return pieces, _PAYLOADS if pieces else _NONE
    held = {name for name in _GOOGLES if isinstance(item.get(name), Mapping)}
    told = sum(_OPAQUE[name] for name in _UNTYPED if item.get(name) is not None)
    return max(pieces, told) + _PER_FILE * len(held), _PAYLOADS if pieces else held


def _bytes_of(text: str) -> int:
    """And of what becomes of it in tokenizers that put letters together first (NFC), as Qwen's and
    Cohere's do: a few come apart instead."""
    if text.isascii():
        return len(text)
    count = _utf8(text)
    return count if unicodedata.is_normalized("NFC", text) else count + written_anew(text)


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def written_anew(text: str) -> int:
    """How many bytes longer a text can become where a model reads what its letters stand for, as
    those do that read in many languages (NFKC): U+FDFA is three bytes, and becomes 33."""
    if text.isascii():
        return 0
    longer = {letter: more for letter in set(text) if (more := _longer(letter))}
    if not longer:
        return 0
    return sum(count * longer.get(letter, 0) for letter, count in Counter(text).items())


@lru_cache(maxsize=4_096)
def _longer(letter: str) -> int:
    # One by one: a text of nothing but accents takes Python the square of its length.
    return max(0, _utf8(unicodedata.normalize("NFKC", letter)) - _utf8(letter))


def likely_tokens(text_bytes: int) -> int:
    """What a text of so many bytes probably comes to: about four bytes a token in English prose.
    For settling a call whose provider told no usage."""
    return -(-text_bytes // _BYTES_PER_TOKEN)
