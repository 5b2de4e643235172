import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from ...domain.providers import ProviderKind
from .. import providers
from .codec import Codec


def all_codecs() -> Mapping[ProviderKind, Codec]:
    """Every wire format that is spoken: each module of `providers` tells its own, as `CODECS`."""
    found: dict[ProviderKind, Codec] = {}
    for module in pkgutil.iter_modules(providers.__path__, f"{providers.__name__}."):
        own: Mapping[str, Codec] = importlib.import_module(module.name).CODECS
        for kind, codec in own.items():
            if kind in found:
                raise ValueError(f"two providers speak {kind!r}")
            found[ProviderKind(kind)] = codec
    return MappingProxyType(found)


def default_urls(codecs: Mapping[ProviderKind, Codec]) -> Mapping[ProviderKind, str | None]:
    return {kind: codec.default_url for kind, codec in codecs.items()}
