"""One call and its counters, as `langroute.admit` takes them, and what it says, as the domain does.

The function is in migration 0008.
"""

from collections.abc import Sequence
from typing import Any

from ...domain.admission import Ask, Claim, Counted, Reservation, counted, longest, refusal
from ...domain.limits import Limit, Refusal, Sliding, Standing
from ...domain.money import Money
from .counter_names import stored_name
from .periods_around import PeriodsAround
from .texts import storable
from .times import to_timestamp

ADMIT = f"select * from langroute.admit({', '.join(f'${n}' for n in range(1, 24))})"  # noqa: S608

_MOST_TOKENS = 2**63 - 1
# See reservation_rows.py: no lease may appear that has run out before the last sweep.
_LATE_NS = 60 * 10**9
_MOST_MONEY = Money.from_usd(10**18 - 1)
_NO_CALENDAR = (None, None, None, None)


class CallCounters:
    """`soft` is for a call that is under way already: it is counted, whatever the limits say.
    `in_doubt` is for whoever asks Postgres: it may have been admitted without a word of it."""

    def __init__(
        self, ask: Ask, limits: Sequence[Limit], periods: PeriodsAround, *, soft: bool = False
    ) -> None:
        self.ask = ask
        self.in_doubt = False
        self.counting = counted(ask, limits)
        self._soft = soft
        self._periods = periods
        names = [(c.limit.id, stored_name(c.counter_id.name)) for c in self.counting]
        # In one order, in which all others lock them, too.
        self._order = sorted(range(len(names)), key=lambda i: (names[i][0].int, names[i][1]))
        self._names = names
        self._place = {index: place for place, index in enumerate(self._order)}

    def arguments(self, now_ns: int | None, at_ns: int, *, taking: bool) -> tuple[Any, ...]:
        """`now_ns` is Postgres' own where it is None; `at_ns` is the gateway's."""
        ask = self.ask
        sorted_limits = [self.counting[index].limit for index in self._order]
        names = [self._names[index] for index in self._order]
        lease_until_ns = max(ask.lease_until_ns, at_ns + _LATE_NS if self._soft else 0)
        return (
            now_ns,
            taking,
            [limit_id for limit_id, _ in names],
            [name for _, name in names],
            [bound for limit in sorted_limits for bound in self._bounds(limit, at_ns)],
            [limit.amount for limit in sorted_limits],
            [self._soft or limit.soft for limit in sorted_limits],
            [limit.measure.value for limit in sorted_limits],
            [ask.amount(limit.measure) for limit in sorted_limits],
            to_timestamp(ask.at_ns),
            ask.request_id,
            ask.key_id,
            ask.team_id,
            ask.organization_id,
            storable(ask.end_user),
            storable(ask.tag),
            storable(ask.model),
            ask.streamed,
            to_timestamp(lease_until_ns),
            min(ask.input_bound, _MOST_TOKENS),
            min(ask.output_bound, _MOST_TOKENS),
            min(ask.cost_bound, _MOST_MONEY).usd,
            ask.priced,
        )

    def decided(self, row: Any) -> Reservation | Refusal:
        """What `domain.admission.decide` says."""
        if not row["admitted"]:
            return longest([*self._refusals(row)])
        places, fits = row["places"], row["fits"]
        claims, warnings = [], []
        for index, each in enumerate(self.counting):
            at = self._place[index]
            claims.append(self._claim(each, places[at]))
            if not fits[at]:
                warnings.append(each.limit)
        return Reservation(ask=self.ask, claims=tuple(claims), warnings=tuple(warnings))

    def kept(self, reservation: Reservation) -> Reservation:
        """What was decided, as Postgres has kept it: to the microsecond, in its own order."""
        places = {claim.counter.limit_id: claim.place for claim in reservation.claims}
        claims = (self._claim(each, places[each.limit.id]) for each in self.counting)
        return Reservation(ask=self.ask, claims=tuple(claims))

    def foreseen(self, row: Any) -> Refusal | None:
        return None if row["admitted"] else longest([*self._refusals(row)])

    def standings(self, row: Any) -> Sequence[Standing]:
        used, resets = row["used"], row["resets"]
        return [
            Standing(limit=each.limit, used=int(used[at]), reset_ns=resets[at])
            for each, at in zip(self.counting, self._places(), strict=True)
        ]

    def _claim(self, each: Counted, place: int) -> Claim:
        measure = each.limit.measure
        amount = self.ask.amount(measure)
        return Claim(counter=each.counter_id, measure=measure, amount=amount, place=place)

    def _refusals(self, row: Any) -> "Sequence[Refusal]":
        used, fits, waits = row["used"], row["fits"], row["waits"]
        return [
            refusal(
                each.limit,
                used=int(used[at]),
                asked=self.ask.amount(each.limit.measure),
                wait_ns=waits[at],
            )
            for each, at in zip(self.counting, self._places(), strict=True)
            if not (fits[at] or each.limit.soft)
        ]

    def _places(self) -> list[int]:
        return [self._place[index] for index in range(len(self.counting))]

    def _bounds(self, limit: Limit, at_ns: int) -> Sequence[int | None]:
        if isinstance(limit.window, Sliding):
            return _NO_CALENDAR
        return self._periods.bounds(limit.window, at_ns) or _NO_CALENDAR
