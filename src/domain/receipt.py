from collections.abc import Sequence
from typing import NamedTuple

from .attempts import Attempt
from .ids import RequestId
from .limits import Limit, Refusal, Standing
from .money import Money


class Receipt(NamedTuple):
    """What a caller may know of how its call was handled. `standings` tell what is left of every
    limit that counts it, `warnings` the soft ones that it goes beyond, `refusal` why it was not let
    in, and `scope_name` by whose limit. `output_cap` is the cap that was sent, where it is not the
    caller's own, and `shrunk_from` the one that did not fit. `cost` is None while a stream is still
    running, and where the model has no price.

    A tuple, since it is made anew with each step of a call: a frozen dataclass takes five times as
    long for that."""

    request_id: RequestId
    standings: Sequence[Standing] = ()
    warnings: Sequence[Limit] = ()
    refusal: Refusal | None = None
    scope_name: str = ""
    attempts: Sequence[Attempt] = ()
    dropped: Sequence[str] = ()
    output_cap: int | None = None
    shrunk_from: int | None = None
    cost: Money | None = None

    def after(self, attempts: Sequence[Attempt]) -> "Receipt":
        return self._replace(attempts=attempts)

    def settled(
        self, standings: Sequence[Standing], dropped: Sequence[str], cost: Money | None
    ) -> "Receipt":
        return self._replace(standings=standings, dropped=dropped, cost=cost)
