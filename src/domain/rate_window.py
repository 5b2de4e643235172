from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

NS_PER_S = 10**9
MINUTE_NS = 60 * NS_PER_S

# A window is kept as at most 251 slots, however high the limit: for a minute, of 0.24 s each. A
# slot leaves only when its *youngest* possible event is a whole window old, so the limit is never
# passed; a caller may wait up to one slot longer than a log of every event would make it wait. So
# many parts of any whole second are whole numbers of nanoseconds.
SLOTS = 250


class Slot(NamedTuple):
    number: int
    amount: int


class RateWindow(NamedTuple):
    """How much was admitted within the last `length_ns`: of requests, of tokens, of money.

    In any such time, however the calls fall, what was admitted never exceeds the limit. Settling
    below what was reserved gives the rest back at once; settling above it leaves a debt that
    blocks until it has slid out. What came before the slot `oldest` has slid out for good.

    A tuple, since it is made anew twice a call for every limit, and a frozen dataclass takes five
    times as long. For the same reason it has its slots as two tuples of numbers, in one order:
    `numbers` rises, and `amounts` are what was put there.
    """

    length_ns: int = MINUTE_NS
    numbers: tuple[int, ...] = ()
    amounts: tuple[int, ...] = ()
    total: int = 0
    oldest: int = 0

    @classmethod
    def holding(cls, length_ns: int, amounts: Mapping[int, int], now_ns: int) -> "RateWindow":
        """One that is put together anew from what each slot holds."""
        newest = max(now_ns // (length_ns // SLOTS), *amounts, 0)
        oldest = max(0, newest - SLOTS)
        numbers = sorted(number for number in amounts if number >= oldest)
        held = [amounts[number] for number in numbers]
        return cls(length_ns, tuple(numbers), tuple(held), sum(held), oldest)

    @property
    def slots(self) -> Sequence[Slot]:
        return [Slot(*each) for each in zip(self.numbers, self.amounts, strict=True)]

    def admit(self, limit: int, amount: int, now_ns: int) -> tuple[int | None, "RateWindow"]:
        """The number of the slot it was put in, which `settle` wants back; None where it does not
        fit, and then nothing is taken."""
        number, window = self._at(now_ns)
        if window.total + amount > limit:
            return None, window
        return number, window._with(number, amount)

    def settle(self, slot: int, reserved: int, actual: int, now_ns: int) -> "RateWindow":
        """Replaces a reservation by what was used.

        The rest is given back where it was taken; it is gone already if that slot has slid out.
        What goes beyond the reservation is owed from now on.
        """
        number, window = self._at(now_ns)
        if actual == reserved:
            return window
        if actual > reserved:
            return window._with(number, actual - reserved)
        length_ns, numbers, amounts, total, oldest = window
        index = bisect_left(numbers, slot)
        if index == len(numbers) or numbers[index] != slot:
            return window
        rest = reserved - actual
        amounts = (*amounts[:index], amounts[index] - rest, *amounts[index + 1 :])
        return RateWindow(length_ns, numbers, amounts, total - rest, oldest)

    def used(self, now_ns: int) -> int:
        return self._at(now_ns)[1].total

    def wait_ns(self, limit: int, amount: int, now_ns: int) -> int | None:
        """How long until it fits; None for what is larger than the limit itself."""
        if amount > limit:
            return None
        _, window = self._at(now_ns)
        needed = window.total + amount - limit
        freed, last = 0, None
        for number, held in zip(window.numbers, window.amounts, strict=True):
            if freed >= needed:
                break
            freed += held
            last = number
        return 0 if last is None else window._until_gone(last, now_ns)

    def left(self, now_ns: int) -> tuple[int, int]:
        """How much is used, and how long until all of it is free again."""
        _, window = self._at(now_ns)
        amounts = window.amounts
        last = len(amounts) - 1
        while last >= 0 and not amounts[last]:
            last -= 1
        if last < 0:
            return window.total, 0
        return window.total, window._until_gone(window.numbers[last], now_ns)

    def reset_ns(self, now_ns: int) -> int:
        return self.left(now_ns)[1]

    def is_idle(self, now_ns: int) -> bool:
        """Whether nothing is left in it that a decision needs, now or later."""
        window = self._at(now_ns)[1]
        return not window.numbers and window.oldest <= now_ns // self.slot_ns

    @property
    def slot_ns(self) -> int:
        return self.length_ns // SLOTS

    def _at(self, now_ns: int) -> tuple[int, "RateWindow"]:
        """The slot that is now, and the window without what has slid out by then.

        Never before the newest slot, nor before the oldest: a clock that steps back must not
        forgive anything, nor fill a slot again whose calls may still be settled.
        """
        length_ns, numbers, amounts, total, oldest = self
        number = now_ns // (length_ns // SLOTS)
        if not numbers:
            number = max(number, oldest)
            if number - SLOTS <= oldest:
                return number, self
            return number, RateWindow(length_ns, oldest=number - SLOTS)
        if number <= numbers[-1]:
            return numbers[-1], self
        if number - SLOTS <= numbers[0]:
            return number, self
        oldest = number - SLOTS
        gone = bisect_left(numbers, oldest)
        left = total - sum(amounts[:gone])
        return number, RateWindow(length_ns, numbers[gone:], amounts[gone:], left, oldest)

    def _with(self, number: int, amount: int) -> "RateWindow":
        length_ns, numbers, amounts, total, oldest = self
        if numbers and numbers[-1] == number:
            amounts = (*amounts[:-1], amounts[-1] + amount)
        else:
            numbers, amounts = (*numbers, number), (*amounts, amount)
        return RateWindow(length_ns, numbers, amounts, total + amount, oldest)

    def _until_gone(self, number: int, now_ns: int) -> int:
        return (number + SLOTS + 1) * (self.length_ns // SLOTS) - now_ns
