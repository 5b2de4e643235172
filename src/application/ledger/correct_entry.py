from collections.abc import Mapping
from dataclasses import dataclass

from ...domain.audit import Action
from ...domain.corrections import BookedCall, Correction
from ...domain.errors import InvalidRequest, NotFound, StoreUnavailable
from ...domain.ids import RequestId
from ...domain.ledger import LedgerEntry
from ...domain.money import ZERO, Money
from ...domain.stores import Store
from ...domain.units import unit_of
from ...domain.usage import TOKEN_CLASSES, TokenUsage
from ..ports.audit import AuditLog
from ..ports.catalogues import CatalogueLookup
from ..ports.clock import Clock
from ..ports.ledger import LedgerCorrections
from .reasons import checked_reason

# Each time, somebody else has corrected the same call in between.
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectEntry:
    """Open to administrators. What a call really used or cost: the difference becomes a further
    entry, with a reason, and totals and reports follow. What is not given stays as it is; `usage`,
    by class, without a cost costs what was in force when the call began.

    Raises NotFound, InvalidRequest, StoreUnavailable.
    """

    ledger: LedgerCorrections
    catalogues: CatalogueLookup
    audit: AuditLog
    clock: Clock

    async def __call__(
        self,
        request_id: RequestId,
        *,
        reason: str,
        usage: Mapping[str, int] | None = None,
        cost: Money | None = None,
    ) -> BookedCall:
        reason = checked_reason(reason)
        if usage is None and cost is None:
            raise InvalidRequest("Give 'usage', 'cost_usd', or both.", param="cost_usd")
        if cost is not None and cost < ZERO:
            raise InvalidRequest("'cost_usd' must be at least 0.", param="cost_usd")
        for _ in range(_ATTEMPTS):
            call = await self.one(request_id)
            used = call.usage if usage is None else _with(call.usage, usage)
            correction = call.corrected(
                usage=used,
                cost=self._cost(call.entry, used) if cost is None else cost,
                estimated=call.estimated and usage is None,
                reason=reason,
                posted_at_ns=self.clock.now_ns(),
            )
            if await self.ledger.post(correction):
                await self._note(correction)
                return call.with_(correction)
        raise StoreUnavailable(Store.LEDGER)

    async def one(self, request_id: RequestId) -> BookedCall:
        """The call as it stands. Raises NotFound."""
        call = await self.ledger.call(request_id)
        if call is None:
            raise NotFound("call", str(request_id))
        return call

    async def _note(self, correction: Correction) -> None:
        name = f"req_{correction.entry.request_id.hex}"
        added = {"usage": dict(correction.usage.by_class), "cost_usd": str(correction.cost)}
        await self.audit.note("ledger", name, Action.CORRECTED, added, correction.reason)

    def _cost(self, entry: LedgerEntry, usage: TokenUsage) -> Money:
        price = (
            self.catalogues.current().prices.at(entry.provider, entry.upstream_model, entry.at_ns)
            if entry.provider is not None and entry.upstream_model is not None
            else None
        )
        if price is None:
            raise InvalidRequest(
                "'cost_usd' is needed: it is not known what this call was charged at.",
                param="cost_usd",
            )
        return price.cost_of(usage)


def _with(usage: TokenUsage, given: Mapping[str, int]) -> TokenUsage:
    for name in given:
        if name not in TOKEN_CLASSES and unit_of(name) is None:
            raise InvalidRequest(f"{name!r} is no class of tokens.", param=f"usage.{name}")
    try:
        return TokenUsage.counting({**usage.counts, **given}, usage.service)
    except ValueError as error:
        raise InvalidRequest(f"{error}.", param="usage") from error
