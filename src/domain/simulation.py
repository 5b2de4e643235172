from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from .admission import Reservation
from .limits import Limit, Measure, Refusal, Sliding
from .past_calls import PastCall
from .rate_window import NS_PER_S, SLOTS
from .rebuild import first_place
from .replay import Replay
from .supposed_calls import SupposedCall, supposed
from .what_if import WhatIf

# Callers make up names of models. Beyond so many, new ones share a line.
_HEADINGS = 10_000
_OTHER = "(other)"


@dataclass(slots=True, kw_only=True)
class Sum:
    """What calls come to; money in pico-dollars. Added to in place: each call adds to eight."""

    calls: int = 0
    tokens: int = 0
    cost: int = 0
    unpriced_calls: int = 0

    def add(self, tokens: int, cost: int, *, priced: bool) -> None:
        self.calls += 1
        self.tokens += tokens
        self.cost += cost
        self.unpriced_calls += not priced


@dataclass(slots=True, kw_only=True)
class Line:
    """Under one heading: what calls came to, and what those would have that are `admitted`. Of
    those, `warned` ones go beyond a soft limit."""

    was: Sum = field(default_factory=Sum)
    admitted: Sum = field(default_factory=Sum)
    refused: int = 0
    warned: int = 0


@dataclass(slots=True, kw_only=True)
class Refusing:
    """What one limit does: how many calls it refuses and when, and what those would have come to;
    `unpriced` is how many of them for having no price. `warned` calls go beyond it."""

    limit: Limit
    refused: Sum = field(default_factory=Sum)
    unpriced: int = 0
    warned: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """`warmed_up` calls of before are not told of: they only fill the limits. Of `unreserved` ones
    it is not on record what they asked for: they asked for what they used. Where several limits
    refuse a call, it is told of the one that its caller would be told of. Keys go by their ids."""

    total: Line
    limits: Sequence[Refusing]
    by_key: Mapping[str, Line]
    by_model: Mapping[str, Line]
    by_provider: Mapping[str, Line]
    warmed_up: int
    unreserved: int


class Simulation:
    """Takes past calls in the order of their time; those of before `from_ns` fill the limits. All
    that they come to is kept added up, so that there may be any number of them."""

    def __init__(self, what_if: WhatIf, from_ns: int) -> None:
        self._what_if = what_if
        self._from_ns = from_ns
        self._replay = Replay()
        self._total = Line()
        self._limits: dict[UUID, Refusing] = {}
        self._by_key: dict[str, Line] = {}
        self._by_model: dict[str, Line] = {}
        self._by_provider: dict[str, Line] = {}
        self._warmed_up = 0
        self._unreserved = 0

    def replay(self, past: PastCall) -> None:
        call = supposed(past, self._what_if)
        limits = self._what_if.limits_of(call.ask)
        is_told = call.ask.at_ns >= self._from_ns
        if is_told:
            self._as_it_was(past)
        else:
            self._warmed_up += 1
        for _ in range(self._what_if.scale):
            decision = self._replay.admit(call, limits)
            if not is_told:
                continue
            if isinstance(decision, Reservation):
                self._admitted(call, decision.warnings)
            else:
                self._refused(call, decision)

    def result(self) -> Simulated:
        """The limits that refuse most come first."""
        return Simulated(
            total=self._total,
            limits=sorted(self._limits.values(), key=lambda each: -each.refused.calls),
            by_key=self._by_key,
            by_model=self._by_model,
            by_provider=self._by_provider,
            warmed_up=self._warmed_up,
            unreserved=self._unreserved,
        )

    def _as_it_was(self, past: PastCall) -> None:
        call, entry = past.call, past.call.entry
        self._unreserved += past.ask is None
        tokens, cost = call.usage.total, call.cost.pico
        for line in self._lines(entry.key_id, entry.model, entry.provider):
            line.was.add(tokens, cost, priced=call.priced)

    def _admitted(self, call: SupposedCall, warnings: Sequence[Limit]) -> None:
        tokens, cost = call.usage.total, call.cost.pico
        for line in self._lines(call.ask.key_id, call.ask.model, call.provider):
            line.admitted.add(tokens, cost, priced=call.priced)
            line.warned += bool(warnings)
        for limit in warnings:
            self._of(limit).warned += 1

    def _refused(self, call: SupposedCall, why: Refusal | Limit) -> None:
        for line in self._lines(call.ask.key_id, call.ask.model, call.provider):
            line.refused += 1
        refusing = self._of(why.limit if isinstance(why, Refusal) else why)
        refusing.refused.add(call.usage.total, call.cost.pico, priced=call.priced)
        refusing.unpriced += isinstance(why, Limit)
        refusing.last_ns = call.ask.at_ns
        if refusing.first_ns is None:
            refusing.first_ns = call.ask.at_ns

    def _lines(self, key: UUID, model: str, provider: str | None) -> Iterable[Line]:
        yield self._total
        yield _line(self._by_key, str(key))
        yield _line(self._by_model, model)
        yield _line(self._by_provider, provider or "")

    def _of(self, limit: Limit) -> Refusing:
        found = self._limits.get(limit.id)
        if found is None:
            found = self._limits[limit.id] = Refusing(limit=limit)
        return found


def counted_since(limits: Iterable[Limit], at_ns: int) -> int:
    """What came to its end before this counts for none of the limits at that moment."""
    each_window = {limit.window: limit for limit in limits if limit.measure is not Measure.PARALLEL}
    return min((_since(limit, at_ns) for limit in each_window.values()), default=at_ns)


def _since(limit: Limit, at_ns: int) -> int:
    first = first_place(limit, at_ns)
    if isinstance(limit.window, Sliding):
        return first * (limit.window.seconds * NS_PER_S // SLOTS)
    return first


def _line(lines: dict[str, Line], name: str) -> Line:
    line = lines.get(name)
    if line is None:
        if len(lines) >= _HEADINGS:
            name = _OTHER
        line = lines.setdefault(name, Line())
    return line
