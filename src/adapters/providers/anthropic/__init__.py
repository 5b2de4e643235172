from collections.abc import Mapping

from ...wire.codec import Codec
from ...wire.functions import WithFunctions
from .codec import AnthropicCodec

CODECS: Mapping[str, Codec] = {"anthropic": WithFunctions(AnthropicCodec())}
