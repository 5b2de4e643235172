"""An admission as it is put to the server, and what the answer means."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...domain.admission import Ask, Claim, Counted, Reservation, longest, refusal
from ...domain.limits import Limit, Refusal, Sliding, Standing
from .names import (
    call_key,
    counter_key,
    counter_name,
    known_keys,
    leases_key,
    limit_name,
    tenant_of,
)
from .periods import period_around
from .reservations import place_ns, slot_of, told_ask, told_claim

_NS_PER_US = 1000
_NS_PER_MS = 10**6
_ROW = 5


class Outcome(StrEnum):
    ADMITTED = "admitted"
    REFUSED = "refused"
    VOID = "void"  # given up before it arrived
    CLOCK = "clock"  # the period is another one by the server's clock
    UNKNOWN = "unknown"  # what these limits have counted is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`now` is in microseconds, and empty where the server's time is meant. `mode` is `admit`,
    `again` for one whose first answer never came, or `foresee`."""

    ask: Ask
    counting: Sequence[Counted]
    tenant: str
    mode: str
    now: str
    has_past: bool

    counters: Sequence[str]
    """What the server calls each of them."""

    @classmethod
    def of(
        cls, ask: Ask, counting: Sequence[Counted], *, mode: str, now: str, has_past: bool
    ) -> "Question":
        return cls(
            ask=ask,
            counting=counting,
            tenant=tenant_of(ask).hex,
            mode=mode,
            now=now,
            has_past=has_past,
            counters=[counter_name(limit, counter_id.name) for limit, counter_id in counting],
        )

    def keys(self) -> list[str]:
        tenant = self.tenant
        return [
            call_key(tenant, self.ask.request_id.hex),
            leases_key(tenant),
            known_keys(tenant),
            *(counter_key(tenant, counter) for counter in self.counters),
        ]

    def args(self, about_ns: int) -> list[str]:
        ask, amounts = self.ask, self.ask.amounts
        told = [
            self.mode,
            self.now,
            ask.request_id.hex,
            str(ask.lease_until_ns // _NS_PER_MS),
            told_ask(ask),
            "1" if self.has_past else "",
        ]
        for (limit, counter_id), counter in zip(self.counting, self.counters, strict=True):
            told += (
                limit_name(limit),
                slot_of(limit),
                *period_around(limit, about_ns),
                str(limit.amount),
                str(amounts[limit.measure]),
                "1" if limit.soft else "",
                told_claim(counter, limit.measure, counter_id.name),
            )
        return told


@dataclass(frozen=True, slots=True)
class Row:
    """What the server says of one limit. Times are in microseconds, -1 for never."""

    place: int
    used: int
    fits: int
    fits_us: int
    free_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    outcome: Outcome
    now_us: int
    found: Sequence[str]
    rows: Sequence[Row]
    unknown: Sequence[int]


def read_reply(raw: Sequence[bytes]) -> Reply:
    first, *found = raw
    told, now_us, *words = first.decode().split(" ")
    outcome = Outcome(told)
    numbers = [int(word) for word in words]
    is_unknown = outcome is Outcome.UNKNOWN
    starts = () if is_unknown else range(0, len(numbers), _ROW)
    return Reply(
        outcome=outcome,
        now_us=int(now_us),
        found=[each.decode() for each in found],
        rows=[Row(*numbers[at : at + _ROW]) for at in starts],
        unknown=numbers if is_unknown else (),
    )


def reservation_of(question: Question, reply: Reply) -> Reservation:
    claims, warnings, amounts = [], [], question.ask.amounts
    for each, row in zip(question.counting, reply.rows, strict=True):
        limit = each.limit
        claims.append(
            Claim(
                counter=each.counter_id,
                measure=limit.measure,
                amount=amounts[limit.measure],
                place=place_ns(slot_of(limit), row.place),
            )
        )
        if not row.fits:
            warnings.append(limit)
    return Reservation(ask=question.ask, claims=tuple(claims), warnings=tuple(warnings))


def refusal_of(question: Question, reply: Reply, now_ns: int) -> Refusal:
    return longest(
        [
            refusal(
                each.limit,
                used=row.used,
                asked=question.ask.amount(each.limit.measure),
                wait_ns=_wait_ns(question.ask, each.limit, row, now_ns),
            )
            for each, row in zip(question.counting, reply.rows, strict=True)
            if not (row.fits or each.limit.soft)
        ]
    )


def standings_of(question: Question, reply: Reply, now_ns: int) -> list[Standing]:
    return [
        Standing(limit=each.limit, used=row.used, reset_ns=_until_ns(row.free_us, now_ns))
        for each, row in zip(question.counting, reply.rows, strict=True)
    ]


def _wait_ns(ask: Ask, limit: Limit, row: Row, now_ns: int) -> int | None:
    if isinstance(limit.window, Sliding):
        return _until_ns(row.fits_us, now_ns)
    return None if ask.amount(limit.measure) > limit.amount else _until_ns(row.free_us, now_ns)


def _until_ns(us: int, now_ns: int) -> int | None:
    return None if us < 0 else max(0, us * _NS_PER_US - now_ns)
