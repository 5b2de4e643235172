from typing import Protocol
from uuid import UUID


class Entropy(Protocol):
    def secret(self, size: int) -> bytes:
        """Random bytes that nobody can guess."""
        ...

    def uuid(self) -> UUID:
        """A new UUID, later ones greater than earlier ones (RFC 9562, version 7)."""
        ...
