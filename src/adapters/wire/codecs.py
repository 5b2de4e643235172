from collections.abc import Mapping

from ...domain.providers import ProviderKind
from ..providers.mistral.codec import MistralCodec
from ..providers.openai import OpenAICodec
from .codec import Codec


def all_codecs() -> Mapping[ProviderKind, Codec]:
    """Every wire format that is spoken."""
    return {ProviderKind.OPENAI: OpenAICodec(), ProviderKind.MISTRAL: MistralCodec()}
