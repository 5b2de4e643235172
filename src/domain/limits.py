import math
from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

NS_PER_S = 10**9
WINDOW_NS = 60 * NS_PER_S

# A window is kept as at most 241 slots of a quarter second, however high the limit. A slot leaves
# only when its *youngest* possible event is a minute old, so the limit is never passed; a caller
# may wait up to one slot longer than a log of every event would make it wait.
SLOTS = 240
SLOT_NS = WINDOW_NS // SLOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a key may use in any 60 seconds. None is no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            limit = getattr(self, name)
            if limit is not None and (type(limit) is not int or limit < 0):
                raise ValueError(f"{name} must be a whole number of at least 0, or none")


class LimitKind(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Which limit refused, the one that takes longer where both did, and when the same call would
    fit.

    `retry_after_ns` is None for a call that is larger than the limit itself: it never fits.
    """

    kind: LimitKind
    limit: int
    used: int
    asked: int
    retry_after_ns: int | None


class Slot(NamedTuple):
    number: int
    requests: int
    tokens: int

    def of(self, kind: LimitKind) -> int:
        return self.requests if kind is LimitKind.REQUESTS else self.tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What is left in the window, and how long until all of it is free again. None: no limit."""

    requests: int | None
    tokens: int | None
    reset_requests_ns: int
    reset_tokens_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWindow:
    """What was admitted within the last 60 seconds.

    In any 60 seconds, however the calls fall, what was admitted never exceeds the limit. Settling
    below what was reserved gives the rest back at once; settling above it leaves a debt that
    blocks until it has slid out. What came before the slot `oldest` has slid out for good.
    """

    slots: tuple[Slot, ...] = ()
    requests: int = 0
    tokens: int = 0
    oldest: int = 0

    def admit(self, limits: Limits, tokens: int, now_ns: int) -> tuple[int | Refusal, "RateWindow"]:
        """One call that may use up to `tokens`: the number of the slot it was put in, which
        `settle` wants back, or why it was refused."""
        number = self._slot_at(now_ns)
        window = self._slid_to(number)
        max_requests, max_tokens = limits.requests_per_minute, limits.tokens_per_minute
        refusals = []
        if max_requests is not None and window.requests + 1 > max_requests:
            refusals.append(window._refusal(LimitKind.REQUESTS, max_requests, 1, now_ns))
        if max_tokens is not None and window.tokens + tokens > max_tokens:
            refusals.append(window._refusal(LimitKind.TOKENS, max_tokens, tokens, now_ns))
        if refusals:
            return max(refusals, key=_wait_ns), window
        return number, window._with(number, 1, tokens)

    def settle(self, slot: int, reserved: int, actual: int, now_ns: int) -> "RateWindow":
        """Replaces a reservation of tokens by what was used.

        The rest is given back where it was taken; it is gone already if that slot has slid out.
        What goes beyond the reservation is owed from now on.
        """
        number = self._slot_at(now_ns)
        window = self._slid_to(number)
        if actual > reserved:
            return window._with(number, 0, actual - reserved)
        index = bisect_left(window.slots, (slot,))
        if actual == reserved or index == len(window.slots) or window.slots[index].number != slot:
            return window
        held = window.slots[index]
        freed = held._replace(tokens=held.tokens - (reserved - actual))
        return RateWindow(
            slots=(*window.slots[:index], freed, *window.slots[index + 1 :]),
            requests=window.requests,
            tokens=window.tokens - (reserved - actual),
            oldest=window.oldest,
        )

    def remaining(self, limits: Limits, now_ns: int) -> Remaining:
        number = self._slot_at(now_ns)
        window = self._slid_to(number)
        return Remaining(
            requests=_left(limits.requests_per_minute, window.requests),
            tokens=_left(limits.tokens_per_minute, window.tokens),
            reset_requests_ns=window._until_empty(LimitKind.REQUESTS, now_ns),
            reset_tokens_ns=window._until_empty(LimitKind.TOKENS, now_ns),
        )

    def is_empty(self, now_ns: int) -> bool:
        return not self._slid_to(self._slot_at(now_ns)).slots

    def _slot_at(self, now_ns: int) -> int:
        """Never before the newest slot, nor before the oldest: a clock that steps back must not
        forgive anything, nor fill a slot again whose calls may still be settled."""
        number = max(now_ns // SLOT_NS, self.oldest)
        return max(number, self.slots[-1].number) if self.slots else number

    def _slid_to(self, number: int) -> "RateWindow":
        oldest = number - SLOTS
        if not self.slots or self.slots[0].number >= oldest:
            return self
        gone = bisect_left(self.slots, (oldest,))
        return RateWindow(
            slots=self.slots[gone:],
            requests=self.requests - sum(slot.requests for slot in self.slots[:gone]),
            tokens=self.tokens - sum(slot.tokens for slot in self.slots[:gone]),
            oldest=oldest,
        )

    def _with(self, number: int, requests: int, tokens: int) -> "RateWindow":
        slots = self.slots
        if slots and slots[-1].number == number:
            last = slots[-1]
            newest = Slot(number, last.requests + requests, last.tokens + tokens)
            slots = (*slots[:-1], newest)
        else:
            slots = (*slots, Slot(number, requests, tokens))
        return RateWindow(
            slots=slots,
            requests=self.requests + requests,
            tokens=self.tokens + tokens,
            oldest=self.oldest,
        )

    def _refusal(self, kind: LimitKind, limit: int, asked: int, now_ns: int) -> Refusal:
        used = self.requests if kind is LimitKind.REQUESTS else self.tokens
        wait = None if asked > limit else self._until_free(kind, used + asked - limit, now_ns)
        return Refusal(kind=kind, limit=limit, used=used, asked=asked, retry_after_ns=wait)

    def _until_free(self, kind: LimitKind, needed: int, now_ns: int) -> int:
        """How long until slots that hold `needed` in all have slid out."""
        freed, last = 0, None
        for slot in self.slots:
            if freed >= needed:
                break
            freed += slot.of(kind)
            last = slot
        return _until_gone(last, now_ns)

    def _until_empty(self, kind: LimitKind, now_ns: int) -> int:
        """How long until the last slot that holds anything has slid out."""
        for slot in reversed(self.slots):
            if slot.of(kind):
                return _until_gone(slot, now_ns)
        return 0


def _until_gone(slot: Slot | None, now_ns: int) -> int:
    return 0 if slot is None else max(0, (slot.number + SLOTS + 1) * SLOT_NS - now_ns)


def _wait_ns(refusal: Refusal) -> float:
    return math.inf if refusal.retry_after_ns is None else refusal.retry_after_ns


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
