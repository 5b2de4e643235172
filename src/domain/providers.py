from dataclasses import dataclass
from enum import StrEnum


class ProviderKind(StrEnum):
    """Which wire format a provider speaks."""

    OPENAI = "openai"
    MISTRAL = "mistral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody who answers. `base_url` ends before `/chat/completions`; the credential is kept
    apart. A provider that `needs_credential` is skipped for a key that has none."""

    name: str
    kind: ProviderKind
    base_url: str
    needs_credential: bool = True
