"""What happens in random lives of gateways: calls of two keys of one team, limits that are set and
lifted, and clocks that step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from hypothesis import strategies as st

from langroute.domain.admission import Ask
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.limits import MINUTE, Limit, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.scopes import Scope

S = 10**9
# A minute before Berlin sets its clocks back, and midnight, are a few steps away.
BEGIN_NS = 1_792_886_300 * S
DAILY = Period(every=Every.DAY, zone="Europe/Berlin")
WEEKLY = Period(every=Every.WEEK, zone="America/New_York")
MONTHLY = Period(every=Every.MONTH, zone="Asia/Kolkata")
# Beyond what fits in 64 bits, as dear calls are in pico-dollars.
PRICE = 10**18

Window = Sliding | Period


class Kind(NamedTuple):
    """A limit that may be set, with one window or another; its amount is so many times one that is
    drawn."""

    whose: str
    measure: Measure
    windows: Sequence[Window]
    times: int = 1
    narrow: dict[str, Any] = {}  # noqa: RUF012


KINDS = (
    Kind("key", Measure.TOKENS, [MINUTE, Sliding(seconds=7)], 3),
    Kind("key", Measure.MONEY, [DAILY, Sliding(seconds=3600)], 10 * PRICE),
    Kind("key", Measure.MONEY, [MINUTE], PRICE, {"model": "large*"}),
    Kind("team", Measure.TOKENS, [Sliding(seconds=7), DAILY]),
    Kind("team", Measure.TOKENS, [MINUTE, WEEKLY], 1, {"soft": True}),
    Kind("team", Measure.PARALLEL, [FOR_GOOD]),
    Kind("team", Measure.REQUESTS, [MINUTE, DAILY], 1, {"end_user": "*"}),
    Kind("organization", Measure.MONEY, [WEEKLY, MONTHLY, FOR_GOOD], 10 * PRICE),
    Kind("organization", Measure.TOKENS, [DAILY, FOR_GOOD], 1, {"tag": "*", "end_user": "a*"}),
    Kind("organization", Measure.REQUESTS, [Sliding(seconds=1)], 1, {"tag": "x", "soft": True}),
)


class Change(NamedTuple):
    """`kind` is one of those that are in play. An amount of None lifts it."""

    kind: int
    window: int
    amount: int | None


# Most calls have to fit into all of their limits, or nothing ever happens.
AMOUNT = st.one_of(st.integers(0, 60), *[st.integers(100, 1_000)] * 2)
CHANGE = st.builds(Change, st.integers(0, 5), st.integers(0, 5), st.none() | AMOUNT)
# Few, so that what happens has to do with what happened before.
IN_PLAY = st.lists(st.sampled_from(KINDS), min_size=2, max_size=5, unique_by=KINDS.index)


class Call(NamedTuple):
    key: int
    size: int
    end_user: str | None
    tag: str | None
    model: str
    lease_s: int
    is_foreseen: bool


CALL = st.builds(
    Call,
    key=st.integers(0, 1),
    size=st.integers(0, 30),
    end_user=st.sampled_from([None, "ann", "bob"]),
    tag=st.sampled_from([None, "x", "y"]),
    model=st.sampled_from(["small", "large-1"]),
    lease_s=st.sampled_from([1, 60, 600]),
    is_foreseen=st.booleans(),
)


ASKED = st.lists(CALL, min_size=1, max_size=4)


class Midnight(NamedTuple):
    """The next one, or about then."""

    and_ns: int


# Whole microseconds, as databases keep times. Most of what counts happens within a minute.
STEP = st.one_of(
    st.integers(0, 10**7).map(lambda us: us * 1_000),
    st.integers(-9, 9).map(lambda seconds: seconds * S),
    st.integers(-90, 90).map(lambda seconds: seconds * S),
    st.sampled_from([-1, 1, 5, 24, 200]).map(lambda hours: hours * 3_600 * S),
    st.sampled_from([-S, 0, S]).map(Midnight),
)


@dataclass(slots=True)
class Tenant:
    """Whose calls and limits these are, of the kinds that are in play."""

    kinds: Sequence[Kind]
    organization: UUID = field(default_factory=uuid4)
    team: UUID = field(default_factory=uuid4)
    keys: tuple[UUID, UUID] = field(default_factory=lambda: (uuid4(), uuid4()))
    _set: dict[int, list[Limit]] = field(default_factory=dict)
    _sets: int = 0
    _carried: dict[int, list[Limit]] = field(default_factory=dict)

    def change(self, change: Change) -> list[Limit]:
        """Returns those that are lifted. One that is set again is another one `since` then."""
        number = change.kind % len(self.kinds)
        kind = self.kinds[number]
        window = kind.windows[change.window % len(kind.windows)]
        before = self._set.pop(number, [])
        self._carried.clear()
        if change.amount is None:
            return before
        stays = bool(before) and before[0].window == window
        self._sets += 1
        self._set[number] = [
            Limit(
                scope=scope,
                measure=kind.measure,
                amount=change.amount * kind.times,
                window=window,
                since=before[0].since if stays else self._sets,
                **kind.narrow,
            )
            for scope in self._scopes(kind.whose)
        ]
        return [] if stays else before

    def limits_of(self, call: Call) -> list[Limit]:
        """The very same from call to call, until one changes, as gateways keep them."""
        if call.key not in self._carried:
            other = key_scope(self.keys[1 - call.key])
            every = [limit for limits in self._set.values() for limit in limits]
            self._carried[call.key] = [limit for limit in every if limit.scope != other]
        return self._carried[call.key]

    def ask(self, call: Call, now_ns: int) -> Ask:
        return Ask(
            request_id=RequestId(uuid4()),
            key_id=KeyId(self.keys[call.key]),
            team_id=TeamId(self.team),
            organization_id=OrganizationId(self.organization),
            end_user=call.end_user,
            tag=call.tag,
            model=call.model,
            streamed=False,
            at_ns=now_ns,
            lease_until_ns=now_ns + call.lease_s * S,
            input_bound=call.size // 3,
            output_bound=call.size - call.size // 3,
            cost_bound=Money(call.size * PRICE),
        )

    def _scopes(self, whose: str) -> Sequence[Scope]:
        match whose:
            case "key":
                return [key_scope(key) for key in self.keys]
            case "team":
                return [team_scope(self.team)]
        return [organization_scope(self.organization)]
