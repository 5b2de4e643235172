from collections.abc import Iterator
from uuid import UUID

from ...domain.ids import RequestId
from ...domain.ledger import LedgerEntry


class CallsByScope:
    """Which calls are a key's, a team's, an organization's, in the order in which they came."""

    def __init__(self) -> None:
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._calls: dict[int, dict[int, RequestId]] = {}

    def add(self, entry: LedgerEntry) -> None:
        request_id = entry.request_id
        for scope in _scopes(entry):
            calls = self._calls.get(scope)
            if calls is None:
                self._calls[scope] = {request_id.int: request_id}
            else:
                calls[request_id.int] = request_id

    def remove(self, entry: LedgerEntry) -> None:
        for scope in _scopes(entry):
            calls = self._calls[scope]
            del calls[entry.request_id.int]
            if not calls:
                del self._calls[scope]

    def of(self, scope: UUID) -> Iterator[RequestId]:
        return iter(self._calls.get(scope.int, {}).values())


def _scopes(entry: LedgerEntry) -> Iterator[int]:
    for each in (entry.key_id, entry.team_id, entry.organization_id):
        if each is not None:
            yield each.int
