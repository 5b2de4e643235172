from collections.abc import Mapping

from ...wire.codec import Codec
from .codec import GeminiCodec

CODECS: Mapping[str, Codec] = {"gemini": GeminiCodec()}
