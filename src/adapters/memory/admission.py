from collections import OrderedDict
from collections.abc import Sequence

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...domain.admission import Account, Ask, Reservation
from ...domain.ids import KeyId
from ...domain.limits import Limits, Refusal, Remaining
from ...domain.money import Money
from ...domain.usage import TokenUsage

_EMPTY = Account()


class MemoryAdmission:
    """Limits for one process. Each decision is one step of the event loop, so it is atomic.

    Holds an account only for keys with a call under way or within the last minute: the accounts
    of others hold nothing that a decision needs.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._accounts: OrderedDict[int, Account] = OrderedDict()
        self._open: dict[int, Reservation] = {}

    async def admit(self, ask: Ask, limits: Limits) -> tuple[Reservation | Refusal, Remaining]:
        now_ns = self._clock.now_ns()
        self._forget_idle(now_ns)
        decision, account = self._account(ask.key_id).admit(ask, limits, now_ns)
        self._keep(ask.key_id, account)
        if isinstance(decision, Reservation):
            self._open[ask.request_id.int] = decision
        return decision, account.window.remaining(limits, now_ns)

    def settle(self, reservation: Reservation, usage: TokenUsage, cost: Money) -> bool:
        key_id = reservation.ask.key_id
        settled, account = self._account(key_id).settle(
            reservation, usage, cost, self._clock.now_ns()
        )
        if settled:
            del self._open[reservation.ask.request_id.int]
            self._keep(key_id, account)
        return settled

    async def remaining(self, key_id: KeyId, limits: Limits) -> Remaining:
        return self._account(key_id).window.remaining(limits, self._clock.now_ns())

    async def expired(self) -> Sequence[Reservation]:
        now_ns = self._clock.now_ns()
        return [held for held in self._open.values() if held.ask.lease_until_ns <= now_ns]

    def __len__(self) -> int:
        return len(self._accounts)

    def _account(self, key_id: KeyId) -> Account:
        return self._accounts.get(key_id.int, _EMPTY)

    def _keep(self, key_id: KeyId, account: Account) -> None:
        self._accounts[key_id.int] = account
        self._accounts.move_to_end(key_id.int)

    def _forget_idle(self, now_ns: int) -> None:
        # The one that was used longest ago stands first. Two a call: more leave than can come.
        for _ in range(2):
            number = next(iter(self._accounts), None)
            if number is None:
                return
            account = self._accounts[number]
            if account.ledger.held:
                self._accounts.move_to_end(number)
            elif account.window.is_empty(now_ns):
                del self._accounts[number]
            else:
                return


_: type[Admission] = MemoryAdmission
