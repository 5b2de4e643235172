"""How many tokens a text can be, told without a tokenizer."""

from collections.abc import Mapping, Sequence
from typing import Any

# The chat templates of the open models, and OpenAI's cookbook, put 3 to 8 tokens around a message.
_PER_OBJECT = 8
# A picture at full detail: OpenAI bills at most 1,536 patches of newer models, and
# 85 + 170 x 8 tiles of older ones; Mistral up to 4,096 for one of 1024 x 1024.
_PER_IMAGE = 4_096
# A file or recording given by reference cannot be measured here; this is an hour of speech at ten
# tokens a second, or some thirty pages.
_PER_FILE = 36_000
_OPAQUE = {
    **dict.fromkeys(("image_url", "input_image", "computer_screenshot", "image"), _PER_IMAGE),
    **dict.fromkeys(("input_audio", "file", "input_file"), _PER_FILE),
    "base64": _PER_FILE,  # the source of a document, in Anthropic's format
}

_TEXTS = ("text", "content")

_BYTES_PER_TOKEN = 4

# Of a chat in any dialect, the fields that the model reads.
_INPUTS = (
    *("messages", "tools", "functions", "response_format", "prediction"),
    *("prompt", "suffix", "system", "input", "instructions", "text", "output_config"),
)


def input_bound(body: Mapping[str, Any]) -> int:
    """No fewer tokens than a chat request's input can be.

    Every tokenizer in use works on bytes of UTF-8, and none makes two tokens of one byte: a text
    has at most as many tokens as bytes. Pictures and files count by the piece.
    """
    return sum(token_bound(body[name]) for name in _INPUTS if name in body)


def token_bound(value: Any) -> int:
    """No fewer tokens than a piece of JSON can be."""
    bound = 0
    waiting = [value]  # a stack of our own: a caller's nesting must not reach Python's
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            bound += _bytes_of(item)
        elif isinstance(item, Mapping):
            kind = item.get("type")
            if isinstance(kind, str) and kind in _OPAQUE:
                bound += _OPAQUE[kind]
                # Whatever else calls itself so is no way to smuggle a text in.
                waiting.extend(item[name] for name in _TEXTS if name in item)
            else:
                bound += _PER_OBJECT + sum(map(_bytes_of, item))
                waiting.extend(item.values())
        elif isinstance(item, Sequence):
            waiting.extend(item)
        else:
            bound += len(str(item))
    return bound


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def likely_tokens(text_bytes: int) -> int:
    """What a text of so many bytes probably comes to: about four bytes a token in English prose.
    For settling a call whose provider told no usage."""
    return -(-text_bytes // _BYTES_PER_TOKEN)
