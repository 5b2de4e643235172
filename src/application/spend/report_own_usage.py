from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from ...domain.admission import Ask
from ...domain.corrections import BookedCall
from ...domain.errors import NotFound
from ...domain.ids import RequestId
from ...domain.keys import VirtualKey
from ...domain.limits import Limit, Standing
from ...domain.periods import Every, Period
from ..ports.admission import Admission
from ..ports.clock import Clock
from ..ports.ledger import LedgerCorrections, LedgerReports, SpendLine, SpendQuery

_TODAY, _THIS_MONTH = Period(every=Every.DAY), Period(every=Every.MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a key has spent since a moment, by model."""

    from_ns: int
    lines: Sequence[SpendLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUsage:
    """`limits` are all that hold for the key, each with where it stands: None for one that counts
    each end user, or each tag, apart, where none was named that it counts. Days and months are
    UTC's."""

    at_ns: int
    limits: Sequence[tuple[Limit, Standing | None]]
    today: Spent
    this_month: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOwnUsage:
    """Open to the holder of an active key, of which alone it tells; of its team's limits, and its
    organization's, it tells what is left for all."""

    admission: Admission
    reports: LedgerReports
    ledger: LedgerCorrections
    clock: Clock

    async def __call__(
        self, key: VirtualKey, end_user: str | None = None, tag: str | None = None
    ) -> OwnUsage:
        now_ns = self.clock.now_ns()
        standing: dict[UUID, Standing] = {}
        for model, limits in _by_model(key.all_limits):
            ask = _an_ask(key, model, end_user, tag, now_ns)
            _, standings = await self.admission.foresee(ask, limits)
            standing |= {each.limit.id: each for each in standings}
        return OwnUsage(
            at_ns=now_ns,
            limits=[(limit, standing.get(limit.id)) for limit in key.all_limits],
            today=await self._spent(key, _TODAY, now_ns),
            this_month=await self._spent(key, _THIS_MONTH, now_ns),
        )

    async def call(self, key: VirtualKey, request_id: RequestId) -> BookedCall:
        """A call of the key's own, once it has been written down. Raises NotFound."""
        call = await self.ledger.call(request_id)
        if call is None or call.entry.key_id != key.id:
            raise NotFound("call of this key", f"req_{request_id.hex}")
        return call

    async def _spent(self, key: VirtualKey, period: Period, now_ns: int) -> Spent:
        from_ns, _ = period.around(now_ns)
        query = SpendQuery(by="model", from_ns=from_ns, key_id=key.id)
        return Spent(from_ns=from_ns, lines=await self.reports.spend(query))


def _by_model(limits: Sequence[Limit]) -> Iterable[tuple[str, Sequence[Limit]]]:
    """A model that the limits count, and those that do: one question to the store for each, and
    most keys have limits for every model alone."""

    def model_of(limit: Limit) -> str:
        return (limit.model or "").replace("*", "")

    ordered = sorted(limits, key=model_of)
    return ((model, list(group)) for model, group in groupby(ordered, key=model_of))


def _an_ask(key: VirtualKey, model: str, end_user: str | None, tag: str | None, now_ns: int) -> Ask:
    """For nothing: it is not going to be admitted."""
    return Ask(
        request_id=RequestId(UUID(int=0)),
        key_id=key.id,
        team_id=key.team.id if key.team else None,
        organization_id=key.organization.id if key.organization else None,
        end_user=end_user,
        tag=tag,
        model=model,
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns,
        input_bound=0,
        output_bound=0,
    )
