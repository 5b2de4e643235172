from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ..ports.virtual_keys import VirtualKeys

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ListVirtualKeys:
    """Open to administrators. Oldest first, a page at a time; secrets are never among it."""

    keys: VirtualKeys

    async def __call__(self, after: KeyId | None = None, size: int = 100) -> Sequence[VirtualKey]:
        return await self.keys.page(after, max(1, min(size, MAX_PAGE)))

    async def one(self, key_id: KeyId) -> VirtualKey:
        """Raises NotFound."""
        key = await self.keys.by_id(key_id)
        if key is None:
            raise NotFound("virtual key", str(key_id))
        return key
