from dataclasses import dataclass
from typing import Protocol

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

    def everything_changed(self) -> None:
        """What exactly is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """Passes on to each cache what concerns it."""

    keys: CachedKeys
    credentials: CachedCredentials
    catalogue: CurrentCatalogue

    def catalogue_changed(self) -> None:
        self.catalogue.changed()

    def key_changed(self, digest: bytes) -> None:
        self.keys.forget(digest)

    def keys_changed(self) -> None:
        self.keys.doubt_all()

    def credential_changed(self, owner: KeyId | None) -> None:
        self.credentials.forget(owner)

    def everything_changed(self) -> None:
        self.keys.doubt_all()
        self.credentials.doubt_all()
        self.catalogue.changed()


_: type[ChangeSink] = Caches
