from collections.abc import Mapping

from ...wire.codec import Codec
from .codec import AnthropicCodec

CODECS: Mapping[str, Codec] = {"anthropic": AnthropicCodec()}
