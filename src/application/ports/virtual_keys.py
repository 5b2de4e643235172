from collections.abc import Callable, Sequence
from typing import Protocol

from ...domain.ids import KeyId
from ...domain.keys import VirtualKey


class KeyLookup(Protocol):
    """What a request needs: asked on every call, so answered from memory where possible. A key
    comes with its team, its organization, and the limits of all three, in any order."""

    async def by_digest(self, digest: bytes) -> VirtualKey | None: ...


class VirtualKeys(KeyLookup, Protocol):
    """The keys themselves. Times finer than a microsecond may be rounded down."""

    async def by_id(self, key_id: KeyId) -> VirtualKey | None: ...

    async def put(self, key: VirtualKey) -> None:
        """Adds a key, or replaces the one with its id, and its own limits. A revocation stays,
        whatever is put, and its team is only named by it. Raises NotFound where there is no such
        team."""
        ...

    async def change(self, key_id: KeyId, change: Callable[[VirtualKey], VirtualKey]) -> VirtualKey:
        """Puts what `change` makes of the key, and returns it. Nobody else changes the key or its
        limits in between: what it leaves as it is stays as it is by then. Raises NotFound where
        there is no such key, or team, and what `change` raises: then nothing is changed."""
        ...

    async def page(self, after: KeyId | None, size: int) -> Sequence[VirtualKey]:
        """Keys in the order of their ids, which is that of their making."""
        ...
