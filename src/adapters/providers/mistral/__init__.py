from collections.abc import Mapping

from ...wire.codec import Codec
from ...wire.functions import WithFunctions
from .codec import MistralCodec

CODECS: Mapping[str, Codec] = {"mistral": WithFunctions(MistralCodec())}
