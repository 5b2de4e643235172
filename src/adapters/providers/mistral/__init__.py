from collections.abc import Mapping

from ...wire.codec import Codec
from .codec import MistralCodec

CODECS: Mapping[str, Codec] = {"mistral": MistralCodec()}
