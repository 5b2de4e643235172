"""Whether what is kept added up is what the ledger adds up to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .admission import Claim
from .cost_ledger import CostLedger
from .limits import Counter, Limit
from .money import Money
from .rate_window import SLOTS, RateWindow
from .rebuild import Tally, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`kind` and `which` name what is wrong; `expected` is what the ledger says of its `what`."""

    kind: str
    which: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.which}: {self.what} is {self.found}, and should be {self.expected}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSums:
    """Sums by name; `cost` is in pico-dollars."""

    kind: str
    which: str
    expected: Mapping[str, int]
    found: Mapping[str, int]

    def differences(self) -> Iterator[Difference]:
        for what, expected in self.expected.items():
            found = self.found[what]
            if found != expected:
                yield Difference(
                    kind=self.kind,
                    which=self.which,
                    what=what,
                    expected=_told(what, expected),
                    found=_told(what, found),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCounter:
    """A counter, and what the ledger and the calls under way say that it should hold. `name` is
    the end user's or the tag's."""

    limit: Limit
    name: str
    found: Counter
    over: Sequence[Tally]
    under_way: Sequence[Claim]

    def differences(self, now_ns: int) -> Iterator[Difference]:
        if isinstance(self.found, CostLedger):
            yield from self._of_period(self.found, now_ns)
        else:
            yield from self._of_window(self.found, now_ns)

    def _of_period(self, found: CostLedger, now_ns: int) -> Iterator[Difference]:
        place = place_of(self.limit, now_ns)
        is_present = place_of(self.limit, found.began_ns) == place
        spent = sum(tally.amount for tally in self.over if tally.place == place)
        reserved = sum(claim.amount for claim in self.under_way if claim.place == place)
        yield from self._differs("spent", spent, found.spent if is_present else 0)
        yield from self._differs("reserved", reserved, found.reserved if is_present else 0)

    def _of_window(self, found: RateWindow, now_ns: int) -> Iterator[Difference]:
        """Slot by slot. Only what is owed may stand in a later one than the ledger tells: in that
        in which it was counted."""
        held = {slot.number: slot.amount for slot in found.slots}
        yield from self._differs("total", sum(held.values()), found.total)
        first = place_of(self.limit, now_ns) - SLOTS
        expected = _by_slot(self.over, self.under_way, first)
        owed = sum(tally.amount for tally in self.over if tally.owed and tally.place >= first)
        perhaps = sum(
            tally.amount for tally in self.over if tally.owed and tally.place >= first - SLOTS
        )
        beyond = 0
        for number in sorted({*expected, *(each for each in held if each >= first)}):
            more = held.get(number, 0) - expected.get(number, 0)
            if more < 0 or (more and not perhaps):
                yield from self._differs(f"slot {number}", expected[number], held.get(number, 0))
            else:
                beyond += more
        if perhaps and not owed <= beyond <= perhaps:
            yield from self._differs("owed", owed, beyond)

    def _differs(self, what: str, expected: int, found: int) -> Iterator[Difference]:
        if expected != found:
            which = f"{self.limit.id}" + (f" {self.name!r}" if self.name else "")
            yield Difference(
                kind="counter",
                which=f"{which} ({self.limit.name}, {self.limit.scope})",
                what=what,
                expected=self.limit.told(expected),
                found=self.limit.told(found),
            )


def _by_slot(over: Iterable[Tally], under_way: Iterable[Claim], first: int) -> dict[int, int]:
    amounts: dict[int, int] = defaultdict(int)
    held = [(tally.place, tally.amount) for tally in over if not tally.owed]
    held += [(claim.place, claim.amount) for claim in under_way]
    for place, amount in held:
        if place >= first:
            amounts[place] += amount
    return amounts


def _told(what: str, amount: int) -> str:
    return f"${Money(amount)}" if what == "cost" else str(amount)
