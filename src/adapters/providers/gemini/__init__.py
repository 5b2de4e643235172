from collections.abc import Mapping

from ...wire.codec import Codec
from ...wire.functions import WithFunctions
from .codec import GeminiCodec

CODECS: Mapping[str, Codec] = {"gemini": WithFunctions(GeminiCodec())}
