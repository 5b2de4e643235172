from ...application.ports.virtual_keys import KeyLookup
from ...domain.keys import VirtualKey
from .answers import Answers

_SIZE = 10_000


class CachedKeys:
    """Keys by the digest of their secret; that there is no such key is remembered, too."""

    def __init__(self, store: KeyLookup, *, size: int = _SIZE) -> None:
        self._answers: Answers[bytes, VirtualKey | None] = Answers(
            store.by_digest, size=size, nothing=None
        )

    async def by_digest(self, digest: bytes) -> VirtualKey | None:
        return await self._answers.get(digest)

    def forget(self, digest: bytes) -> None:
        self._answers.forget(digest)

    def doubt_all(self) -> None:
        self._answers.doubt_all()

    def __len__(self) -> int:
        return len(self._answers)


_: type[KeyLookup] = CachedKeys
