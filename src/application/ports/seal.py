from typing import Protocol


class Seal(Protocol):
    def seal(self, secret: str, context: str) -> str:
        """Opens only with the same `context`. Sealing twice gives two different texts."""
        ...

    def open(self, sealed: str, context: str) -> str:
        """Raises CannotOpen: spoiled, sealed with an unknown key, or for another context."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it is sealed with the newest key, so that rotation need not touch it."""
        ...


class CannotOpen(Exception):
    """Says nothing about why, so that nothing about the secret can leak."""
