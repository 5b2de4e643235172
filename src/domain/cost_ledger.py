from typing import NamedTuple

from .periods import FOR_GOOD, Period


class CostLedger(NamedTuple):
    """What has been spent since a period began, and what calls under way hold: money, for the most
    part, but anything that is counted by day, week or month.

    `spent + reserved` never exceeds the limit at the moment of an admission. Settling above the
    reservation leaves a debt. What was admitted in one period is spent in it, whenever it settles.
    A tuple, for the reason that `RateWindow` is one.
    """

    period: Period = FOR_GOOD
    began_ns: int = 0
    ends_ns: int | None = 0
    spent: int = 0
    reserved: int = 0

    @classmethod
    def holding(cls, period: Period, began_ns: int, spent: int, reserved: int) -> "CostLedger":
        """One that is put together anew, for the period that began then."""
        ends_ns = period.around(began_ns)[1]
        return cls(
            period=period, began_ns=began_ns, ends_ns=ends_ns, spent=spent, reserved=reserved
        )

    def admit(self, limit: int, amount: int, now_ns: int) -> tuple[int | None, "CostLedger"]:
        """When the period began, which `settle` wants back; None where it does not fit, and then
        nothing is taken."""
        ledger = self._at(now_ns)
        if ledger.spent + ledger.reserved + amount > limit:
            return None, ledger
        return ledger.began_ns, ledger._with(ledger.spent, ledger.reserved + amount)

    def settle(self, began_ns: int, reserved: int, actual: int, now_ns: int) -> "CostLedger":
        """Replaces a reservation by what was used."""
        ledger = self._at(now_ns)
        if began_ns != ledger.began_ns:  # that period is over, and its sum is in the past
            return ledger
        return ledger._with(ledger.spent + actual, ledger.reserved - reserved)

    def used(self, now_ns: int) -> int:
        ledger = self._at(now_ns)
        return ledger.spent + ledger.reserved

    def wait_ns(self, limit: int, amount: int, now_ns: int) -> int | None:
        """How long until it fits; None for what is larger than the limit, and where no other
        period begins."""
        return None if amount > limit else self.reset_ns(now_ns)

    def left(self, now_ns: int) -> tuple[int, int | None]:
        """How much is used, and how long until all of it is free again: None if never."""
        ledger = self._at(now_ns)
        ends_ns = ledger.ends_ns
        reset_ns = None if ends_ns is None else max(0, ends_ns - now_ns)
        return ledger.spent + ledger.reserved, reset_ns

    def reset_ns(self, now_ns: int) -> int | None:
        return self.left(now_ns)[1]

    def is_idle(self, now_ns: int) -> bool:
        """Whether nothing is left in it that a decision needs, now or later."""
        ledger = self._at(now_ns)
        return not (ledger.spent or ledger.reserved) and ledger.began_ns <= now_ns

    def _at(self, now_ns: int) -> "CostLedger":
        """Never in an earlier period: a clock that steps back must not forgive anything."""
        ends_ns = self.ends_ns
        if ends_ns is None or now_ns < ends_ns:
            return self
        began_ns, ends_ns = self.period.around(now_ns)
        if began_ns < self.began_ns:
            return self
        return CostLedger(period=self.period, began_ns=began_ns, ends_ns=ends_ns)

    def _with(self, spent: int, reserved: int) -> "CostLedger":
        return CostLedger(self.period, self.began_ns, self.ends_ns, spent, reserved)
