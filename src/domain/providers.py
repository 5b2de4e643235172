from dataclasses import dataclass
from typing import ClassVar


class ProviderKind(str):
    """Names the wire format that a provider speaks: `openai`, `mistral`, … Which ones there are is
    for the adapters to know; a name that none of them knows is no error until it is called."""

    __slots__ = ()

    OPENAI: ClassVar["ProviderKind"]
    MISTRAL: ClassVar["ProviderKind"]
    ANTHROPIC: ClassVar["ProviderKind"]
    GEMINI: ClassVar["ProviderKind"]


ProviderKind.OPENAI = ProviderKind("openai")
ProviderKind.MISTRAL = ProviderKind("mistral")
ProviderKind.ANTHROPIC = ProviderKind("anthropic")
ProviderKind.GEMINI = ProviderKind("gemini")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody who answers. `base_url` ends before the path of an operation, such as
    `/chat/completions`; the credential is kept apart. A provider that `needs_credential` is
    skipped for a key that has none."""

    name: str
    kind: ProviderKind
    base_url: str
    needs_credential: bool = True
