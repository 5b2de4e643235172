from dataclasses import dataclass
from uuid import UUID

import pytest
from domain_values import amounts, usages
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from langroute.domain.admission import Account, Ask, Reservation
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.ledger import CostLedger, Hold
from langroute.domain.limits import Limits, Refusal
from langroute.domain.money import ZERO, Money
from langroute.domain.usage import NO_USAGE, TokenUsage

KEY = KeyId(UUID(int=7))
S = 10**9
COSTS = amounts(0, 10**15)


def call(number: int) -> RequestId:
    return RequestId(UUID(int=number))


def ask(number: int, *, at_ns: int = 0, tokens: int = 0, bound: Money = ZERO) -> Ask:
    return Ask(
        request_id=call(number),
        key_id=KEY,
        model="m",
        streamed=False,
        at_ns=at_ns,
        lease_until_ns=at_ns + 10 * S,
        input_bound=tokens,
        output_bound=0,
        cost_bound=bound,
    )


def test_a_call_settles_exactly_once() -> None:
    ledger = CostLedger().reserve(call(1), Hold(bound=Money(100), lease_until_ns=1))
    settled, once = ledger.settle(call(1), Money(30), TokenUsage(output=3))
    assert settled
    again, twice = once.settle(call(1), Money(30), TokenUsage(output=3))
    assert not again
    assert twice == once
    assert (once.spent, once.reserved, once.settled) == (Money(30), ZERO, 1)


def test_a_call_that_was_never_reserved_does_not_settle() -> None:
    settled, ledger = CostLedger().settle(call(1), Money(30), NO_USAGE)
    assert not settled
    assert ledger == CostLedger()


def test_refuses_to_reserve_twice_for_one_call() -> None:
    hold = Hold(bound=Money(100), lease_until_ns=1)
    with pytest.raises(ValueError, match="holds a reservation already"):
        CostLedger().reserve(call(1), hold).reserve(call(1), hold)


def test_a_lease_runs_out_at_its_end() -> None:
    ledger = CostLedger().reserve(call(1), Hold(bound=ZERO, lease_until_ns=50))
    assert ledger.expired(49) == ()
    assert ledger.expired(50) == (call(1),)
    assert ledger.settle(call(1), ZERO, NO_USAGE)[1].expired(50) == ()


def test_a_ledger_is_a_value_that_a_later_one_does_not_change() -> None:
    first = CostLedger()
    second = first.reserve(call(1), Hold(bound=Money(5), lease_until_ns=1))
    second.settle(call(1), Money(5), NO_USAGE)
    assert first == CostLedger()
    assert second.reserved == Money(5)


def test_a_refused_call_holds_nothing() -> None:
    limits = Limits(tokens_per_minute=10)
    decision, account = Account().admit(ask(1, tokens=11, bound=Money(9)), limits, 0)
    assert isinstance(decision, Refusal)
    assert account.ledger == CostLedger()
    assert (account.window.requests, account.window.tokens) == (0, 0)


@dataclass(slots=True, kw_only=True)
class Known:
    """What the model knows of a call."""

    reservation: Reservation
    cost: Money | None = None
    usage: TokenUsage = NO_USAGE


class AccountBesideBooks(RuleBasedStateMachine):
    """One account, beside plain books of every call that it ever admitted."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.now_ns = 0
        self.asked = 0
        self.books: list[Known] = []
        self.limits = Limits(tokens_per_minute=1_000)

    @rule(s=st.integers(0, 20))
    def time_passes(self, s: int) -> None:
        self.now_ns += s * S

    @rule(bound=COSTS, tokens=st.integers(0, 600))
    def a_call_asks(self, bound: Money, tokens: int) -> None:
        self.asked += 1
        asking = ask(self.asked, at_ns=self.now_ns, tokens=tokens, bound=bound)
        before = self.account
        decision, self.account = before.admit(asking, self.limits, self.now_ns)
        if isinstance(decision, Refusal):
            assert self.account.ledger == before.ledger
        else:
            self.books.append(Known(reservation=decision))

    @precondition(lambda self: self.books)
    @rule(data=st.data(), cost=COSTS, usage=usages(300))
    def a_call_settles_perhaps_again(
        self, data: st.DataObject, cost: Money, usage: TokenUsage
    ) -> None:
        self.settle(self.books[data.draw(st.integers(0, len(self.books) - 1))], cost, usage)

    @rule()
    def those_whose_lease_has_run_out_settle_at_their_bound(self) -> None:
        by_call = {known.reservation.ask.request_id: known for known in self.books}
        for request_id in self.account.ledger.expired(self.now_ns):
            known = by_call[request_id]
            bound = known.reservation.ask
            assert known.cost is None
            self.settle(known, bound.cost_bound, bound.usage_bound)
        assert self.account.ledger.expired(self.now_ns) == ()

    def settle(self, known: Known, cost: Money, usage: TokenUsage) -> None:
        before = self.account
        settled, self.account = before.settle(known.reservation, usage, cost, self.now_ns)
        assert settled is (known.cost is None)
        if settled:
            known.cost, known.usage = cost, usage
        else:
            assert self.account == before

    @invariant()
    def reserved_is_the_sum_of_what_open_calls_hold(self) -> None:
        held = [known.reservation.ask for known in self.books if known.cost is None]
        assert self.account.ledger.reserved == Money(sum(each.cost_bound.pico for each in held))
        assert set(self.account.ledger.held) == {each.request_id for each in held}

    @invariant()
    def spent_is_the_sum_of_what_was_settled(self) -> None:
        settled = [known for known in self.books if known.cost is not None]
        ledger = self.account.ledger
        assert ledger.spent == sum((known.cost or ZERO for known in settled), ZERO)
        assert ledger.usage == sum((known.usage for known in settled), NO_USAGE)
        assert ledger.settled == len(settled)

    @invariant()
    def no_lease_ends_unseen(self) -> None:
        over = {
            known.reservation.ask.request_id
            for known in self.books
            if known.cost is None and known.reservation.ask.lease_until_ns <= self.now_ns
        }
        assert set(self.account.ledger.expired(self.now_ns)) == over


TestAccountBesideBooks = AccountBesideBooks.TestCase
TestAccountBesideBooks.settings = settings(max_examples=100, stateful_step_count=30)
