from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from .cost_ledger import CostLedger
from .money import Money
from .patterns import matched_by_star
from .periods import FOR_GOOD, Every, Period
from .rate_window import NS_PER_S, RateWindow
from .scopes import Scope

Counter = RateWindow | CostLedger
"""What one limit has counted: within a time that slides, or since a day, week or month began."""

_IDS = UUID("5c0a8f4e-0f8f-4f6e-9f55-6d1d1f0c7c11")
_LONGEST_S = 31 * 24 * 3600


class Measure(StrEnum):
    """What a limit counts. Money is in pico-dollars."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "money"
    PARALLEL = "parallel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliding:
    """Any `seconds`, whenever they begin."""

    seconds: int = 60

    def __post_init__(self) -> None:
        if type(self.seconds) is not int or not 1 <= self.seconds <= _LONGEST_S:
            raise ValueError(f"a window must be from 1 to {_LONGEST_S} whole seconds long")


MINUTE = Sliding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much of a `measure` a scope may use, within a window.

    `model`, `end_user` and `tag` narrow it to calls that match; each may hold one `*`. All models
    that match are counted together; each end user, and each tag, is counted on its own. A `soft`
    limit only warns. Two limits that count the same calls in the same way are the same limit: its
    `id` says what it counts, not how much of it is allowed, so changing that forgets nothing.
    `since` is another one once it was lifted and is set again, where that is known.
    """

    scope: Scope
    measure: Measure
    amount: int
    window: Sliding | Period = MINUTE
    model: str | None = None
    end_user: str | None = None
    tag: str | None = None
    soft: bool = False
    since: int | None = field(default=None, compare=False, repr=False)
    id: UUID = field(init=False)
    is_narrow: bool = field(init=False, repr=False, compare=False)
    """Whether there are calls of its scope that it does not count, or counts apart."""

    def __post_init__(self) -> None:
        if type(self.amount) is not int or self.amount < 0:
            raise ValueError("the amount of a limit must be a whole number of at least 0")
        if self.measure is Measure.PARALLEL and self.window != FOR_GOOD:
            raise ValueError("a limit of parallel calls has no window")
        for name in ("model", "end_user", "tag"):
            pattern = getattr(self, name)
            if pattern is not None and (not pattern or pattern.count("*") > 1):
                raise ValueError(f"the {name} of a limit must not be empty, and may hold one `*`")
        told = (self.scope, self.measure, self.window, self.model, self.end_user, self.tag)
        object.__setattr__(self, "id", uuid5(_IDS, repr(told)))
        object.__setattr__(self, "is_narrow", any(told[3:]))

    def counts(self, *, model: str, end_user: str | None, tag: str | None) -> str | None:
        """Under which name it counts such a call: the end user's and the tag's, if it counts those
        apart; None where it does not count it at all."""
        if self.model is not None and matched_by_star(self.model, model) is None:
            return None
        if self.end_user is None and self.tag is None:
            return ""
        names = []
        for pattern, name in ((self.end_user, end_user), (self.tag, tag)):
            if pattern is None:
                continue
            if name is None or matched_by_star(pattern, name) is None:
                return None
            names.append(name)
        return "\0".join(names)

    @property
    def is_budget(self) -> bool:
        return self.measure is Measure.MONEY

    @property
    def name(self) -> str:
        """In words, for whoever runs into it."""
        which = "".join(
            f" of {word} {pattern!r}"
            for word, pattern in (
                ("model", self.model),
                ("end user", self.end_user),
                ("tag", self.tag),
            )
            if pattern is not None
        )
        what = "parallel calls" if self.measure is Measure.PARALLEL else f"{self.measure}"
        return f"{what}{_each(self.window)}{which} of the {self.scope.kind}"

    def told(self, amount: int) -> str:
        return f"${Money(amount)}" if self.is_budget else str(amount)

    def fresh(self) -> Counter:
        if isinstance(self.window, Sliding):
            return RateWindow(length_ns=self.window.seconds * NS_PER_S)
        return CostLedger(period=self.window)


def _each(window: Sliding | Period) -> str:
    if isinstance(window, Sliding):
        return " a minute" if window == MINUTE else f" in {window.seconds} s"
    return "" if window.every is Every.NEVER else f" a {window.every}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The two limits that most keys have: what one may use in any 60 seconds. None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            limit = getattr(self, name)
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ValueError(f"{name} must be a whole number of at least 0, or none")

    def of(self, scope: Scope) -> Iterable[Limit]:
        if self.requests_per_minute is not None:
            yield Limit(scope=scope, measure=Measure.REQUESTS, amount=self.requests_per_minute)
        if self.tokens_per_minute is not None:
            yield Limit(scope=scope, measure=Measure.TOKENS, amount=self.tokens_per_minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Which limit refused, the one that takes longest where several did, and when the same call
    would fit.

    `retry_after_ns` is None for a call that never will: it is larger than the limit itself, or the
    limit does not begin anew.
    """

    limit: Limit
    used: int
    asked: int
    retry_after_ns: int | None


class Standing(NamedTuple):
    """What is left of a limit, and how long until all of it is free again: None if never."""

    limit: Limit
    used: int
    reset_ns: int | None

    @property
    def remaining(self) -> int:
        return max(0, self.limit.amount - self.used)
