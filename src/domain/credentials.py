from dataclasses import dataclass, field

from .ids import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A provider's key, sealed. `owner` is the virtual key it serves; None serves every key."""

    owner: KeyId | None
    provider: str
    sealed: str = field(repr=False)

    @property
    def context(self) -> str:
        """Bound into the seal, so that a sealed key moved to another row does not open."""
        return f"{self.provider}:{self.owner or 'shared'}"
