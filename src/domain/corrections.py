"""What a call turns out to have been: its entry stays as it is, and the difference is added."""

from collections.abc import Mapping
from dataclasses import dataclass

from .ledger import LedgerEntry, Outcome
from .money import Money
from .units import unit_of
from .usage import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES, TokenUsage


@dataclass(frozen=True, slots=True)
class UsageDifference:
    """By how many tokens of each class, and how much of each unit, one usage is more than another:
    below 0 where it is less. What they do not differ in is left out."""

    by_class: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, count in self.by_class.items():
            is_known = name in TOKEN_CLASSES or unit_of(name) is not None
            if not is_known or type(count) is not int or not count:
                raise ValueError(f"{name!r} cannot differ by {count!r}")

    @classmethod
    def between(cls, before: TokenUsage, after: TokenUsage) -> "UsageDifference":
        old, new = before.counts, after.counts
        each = ((name, new.get(name, 0) - old.get(name, 0)) for name in {**new, **old})
        return cls({name: count for name, count in each if count})

    def of(self, name: str) -> int:
        return self.by_class.get(name, 0)

    @property
    def prompt_tokens(self) -> int:
        return sum(map(self.of, INPUT_CLASSES))

    @property
    def completion_tokens(self) -> int:
        return sum(map(self.of, OUTPUT_CLASSES))

    @property
    def total(self) -> int:
        return sum(map(self.of, TOKEN_CLASSES))

    @property
    def units(self) -> dict[str, int]:
        return {name: n for name, n in self.by_class.items() if name not in TOKEN_CLASSES}

    def added_to(self, usage: TokenUsage) -> TokenUsage:
        """Raises ValueError where fewer than none would be left."""
        old = usage.counts
        counts = {name: old.get(name, 0) + self.of(name) for name in {**old, **self.by_class}}
        return TokenUsage.counting(counts, usage.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A further entry of a call that was settled. Written once, never changed.

    `usage` and `cost` are differences to what was written before. `priced` and `estimated` say what
    holds from now on, `was_priced` and `was_estimated` what held until then. The first has the
    `number` 1. Times are Unix nanoseconds.
    """

    entry: LedgerEntry
    number: int
    usage: UsageDifference
    cost: Money
    priced: bool
    estimated: bool
    was_priced: bool
    was_estimated: bool
    reason: str
    posted_at_ns: int

    def __post_init__(self) -> None:
        if type(self.number) is not int or self.number < 1:
            raise ValueError("corrections are numbered from 1 on")
        if not self.reason:
            raise ValueError("a correction has a reason")


Posting = LedgerEntry | Correction
"""What is written to the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedCall:
    """A call's entry and its corrections, in their order: what the ledger has of it."""

    entry: LedgerEntry
    corrections: tuple[Correction, ...] = ()

    @property
    def usage(self) -> TokenUsage:
        usage = self.entry.usage
        for correction in self.corrections:
            usage = correction.usage.added_to(usage)
        return usage

    @property
    def cost(self) -> Money:
        return sum((each.cost for each in self.corrections), start=self.entry.cost)

    @property
    def priced(self) -> bool:
        return self._last.priced

    @property
    def estimated(self) -> bool:
        return self._last.estimated

    def corrected(
        self,
        *,
        usage: TokenUsage,
        cost: Money,
        priced: bool = True,
        estimated: bool = False,
        reason: str,
        posted_at_ns: int,
    ) -> Correction:
        """What has to be added so that the call comes to this."""
        return Correction(
            entry=self.entry,
            number=len(self.corrections) + 1,
            usage=UsageDifference.between(self.usage, usage),
            cost=cost - self.cost,
            priced=priced,
            estimated=estimated,
            was_priced=self.priced,
            was_estimated=self.estimated,
            reason=reason,
            posted_at_ns=posted_at_ns,
        )

    def with_(self, correction: Correction) -> "BookedCall":
        return BookedCall(entry=self.entry, corrections=(*self.corrections, correction))

    @property
    def _last(self) -> Posting:
        return self.corrections[-1] if self.corrections else self.entry


BELATED = "it went on after its lease had run out"
"""The reason of a correction that nobody has asked for."""


def belated(call: BookedCall, entry: LedgerEntry) -> Correction | None:
    """What has to be added where a call was taken for lost, and settled at its bound, and then
    comes to its own end, as `entry` tells; None where it was not. Once it has been corrected, by
    this or by somebody, it stays as it is."""
    if call.corrections or call.entry.outcome is not Outcome.EXPIRED:
        return None
    if entry.outcome is Outcome.EXPIRED:
        return None
    return call.corrected(
        usage=entry.usage,
        cost=entry.cost,
        priced=entry.priced,
        estimated=entry.estimated,
        reason=BELATED,
        posted_at_ns=entry.at_ns + entry.duration_ns,
    )
