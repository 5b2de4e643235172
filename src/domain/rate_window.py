from bisect import bisect_left
from collections.abc import Mapping
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
    times as long.
    """

    length_ns: int = MINUTE_NS
    slots: tuple[Slot, ...] = ()
    total: int = 0
    oldest: int = 0

    @classmethod
    def holding(cls, length_ns: int, amounts: Mapping[int, int], now_ns: int) -> "RateWindow":
        """One that is put together anew from what each slot holds."""
        oldest = max(0, now_ns // (length_ns // SLOTS) - SLOTS)
        slots = sorted(Slot(*each) for each in amounts.items() if each[0] >= oldest)
        return cls(
            length_ns=length_ns,
            slots=tuple(slots),
            total=sum(slot.amount for slot in slots),
            oldest=oldest,
        )

    def admit(self, limit: int, amount: int, now_ns: int) -> tuple[int | None, "RateWindow"]:
        """The number of the slot it was put in, which `settle` wants back; None where it does not
        fit, and then nothing is taken."""
        number = self._slot_at(now_ns)
        window = self._slid_to(number)
        if window.total + amount > limit:
            return None, window
        return number, window._with(number, amount)

    def settle(self, slot: int, reserved: int, actual: int, now_ns: int) -> "RateWindow":
        """Replaces a reservation by what was used.

        The rest is given back where it was taken; it is gone already if that slot has slid out.
        What goes beyond the reservation is owed from now on.
        """
        number = self._slot_at(now_ns)
        window = self._slid_to(number)
        if actual > reserved:
            return window._with(number, actual - reserved)
        index = bisect_left(window.slots, (slot,))
        if actual == reserved or index == len(window.slots) or window.slots[index].number != slot:
            return window
        held = window.slots[index]
        freed = Slot(slot, held.amount - (reserved - actual))
        slots = (*window.slots[:index], freed, *window.slots[index + 1 :])
        return RateWindow(self.length_ns, slots, window.total - (reserved - actual), window.oldest)

    def used(self, now_ns: int) -> int:
        return self._slid_to(self._slot_at(now_ns)).total

    def wait_ns(self, limit: int, amount: int, now_ns: int) -> int | None:
        """How long until it fits; None for what is larger than the limit itself."""
        if amount > limit:
            return None
        window = self._slid_to(self._slot_at(now_ns))
        needed = window.total + amount - limit
        freed, last = 0, None
        for slot in window.slots:
            if freed >= needed:
                break
            freed += slot.amount
            last = slot
        return 0 if last is None else window._until_gone(last, now_ns)

    def left(self, now_ns: int) -> tuple[int, int]:
        """How much is used, and how long until all of it is free again."""
        window = self._slid_to(self._slot_at(now_ns))
        for slot in reversed(window.slots):
            if slot.amount:
                return window.total, window._until_gone(slot, now_ns)
        return window.total, 0

    def reset_ns(self, now_ns: int) -> int:
        return self.left(now_ns)[1]

    def is_idle(self, now_ns: int) -> bool:
        """Whether nothing is left in it that a decision needs."""
        return not self._slid_to(self._slot_at(now_ns)).slots

    @property
    def slot_ns(self) -> int:
        return self.length_ns // SLOTS

    def _slot_at(self, now_ns: int) -> int:
        """Never before the newest slot, nor before the oldest: a clock that steps back must not
        forgive anything, nor fill a slot again whose calls may still be settled."""
        number = max(now_ns // self.slot_ns, self.oldest)
        return max(number, self.slots[-1].number) if self.slots else number

    def _slid_to(self, number: int) -> "RateWindow":
        oldest = number - SLOTS
        if not self.slots or self.slots[0].number >= oldest:
            return self
        gone = bisect_left(self.slots, (oldest,))
        return RateWindow(
            length_ns=self.length_ns,
            slots=self.slots[gone:],
            total=self.total - sum(slot.amount for slot in self.slots[:gone]),
            oldest=oldest,
        )

    def _with(self, number: int, amount: int) -> "RateWindow":
        slots = self.slots
        if slots and slots[-1].number == number:
            slots = (*slots[:-1], Slot(number, slots[-1].amount + amount))
        else:
            slots = (*slots, Slot(number, amount))
        return RateWindow(self.length_ns, slots, self.total + amount, self.oldest)

    def _until_gone(self, slot: Slot, now_ns: int) -> int:
        return max(0, (slot.number + SLOTS + 1) * self.slot_ns - now_ns)
