from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ...domain.ids import KeyId
from .catalogue import CurrentCatalogue
from .credentials import CachedCredentials
from .virtual_keys import CachedKeys


class ChangeSink(Protocol):
    """Is told what may have changed in the store, soon after it did. Never waits."""

    def catalogue_changed(self) -> None: ...

    def key_changed(self, digest: bytes) -> None: ...

    def keys_changed(self) -> None:
        """Any of them: by their teams, their organizations, or the limits of those."""
        ...

    def credential_changed(self, owner: KeyId | None) -> None:
        """None: the credentials that serve every key."""
        ...

    def calls_corrected(self, scopes: Collection[UUID]) -> None:
        """Of these keys, teams and organizations."""
        ...

    def everything_changed(self) -> None:
        """What exactly is not known."""
        ...


class Counters(Protocol):
    """What limits have counted, kept in this process."""

    def recount(self, scopes: Collection[UUID] | None) -> None:
        """The ledger says something else now, of these or of all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """Passes on to each cache what concerns it."""

    keys: CachedKeys
    credentials: CachedCredentials
    catalogue: CurrentCatalogue
    counters: Counters | None = None

    def catalogue_changed(self) -> None:
        self.catalogue.changed()

    def key_changed(self, digest: bytes) -> None:
        self.keys.forget(digest)

    def keys_changed(self) -> None:
        self.keys.doubt_all()

    def credential_changed(self, owner: KeyId | None) -> None:
        self.credentials.forget(owner)

    def calls_corrected(self, scopes: Collection[UUID]) -> None:
        if self.counters is not None:
            self.counters.recount(scopes)

    def everything_changed(self) -> None:
        if self.counters is not None:
            self.counters.recount(None)
        self.keys.doubt_all()
        self.credentials.doubt_all()
        self.catalogue.changed()


_: type[ChangeSink] = Caches
