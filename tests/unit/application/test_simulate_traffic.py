from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from clocks import SteppedClock
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.memory.organizations import MemoryOrganizations
from langroute.adapters.memory.past_calls import MemoryPastCalls
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.application.ledger.simulate_traffic import SimulateTraffic, SimulationReport
from langroute.application.ledger.simulation_order import LimitChange, SimulationOrder
from langroute.application.organizations.limit_order import LimitOrder
from langroute.domain.errors import InvalidRequest
from langroute.domain.ids import KeyId, OrganizationId, TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import Organization, Team, organization_scope
from langroute.domain.periods import Every, Period
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.routes import ModelRoute, Target
from langroute.domain.scopes import ScopeKind
from langroute.domain.usage import TokenUsage
from samples import new_entry, new_key

S = 10**9
DAY_NS = 86_400 * S
START_NS = 20_000 * DAY_NS
ACME = OrganizationId(UUID(int=1))
RESEARCH = TeamId(UUID(int=2))


def a_price(provider: str, model: str, pico: int) -> DatedPrice:
    return DatedPrice(
        provider=provider,
        model=model,
        effective_from_ns=0,
        price=ModelPrice(rates=Rates(input=Money(pico), output=Money(pico))),
    )


@dataclass(slots=True)
class ListedAtSeven:
    """Every model of `mistral`, and how often that was looked up."""

    asked: list[str] = field(default_factory=list)

    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        self.asked += (models := list(models))
        return tuple(a_price(provider, model, 7) for model in models if provider == "mistral")


class Office:
    """A key of a team of an organization, and calls of ten tokens, a minute apart, at three
    pico-dollars each."""

    def __init__(self, *limits: Limit) -> None:
        self.ledger = MemoryLedger()
        self.organizations = MemoryOrganizations()
        self.keys = MemoryKeys(self.organizations)
        self.catalogues = MemoryCatalogues()
        self.listed = ListedAtSeven()
        self.acme = Organization(id=ACME, name="acme", limits=limits)
        self.team = Team(id=RESEARCH, name="research", organization=self.acme)

    async def opened(self, *names: str) -> Sequence[VirtualKey]:
        await self.organizations.put(self.acme)
        await self.organizations.put_team(self.team)
        keys = [new_key(name=name, team=self.team, limits=Limits()) for name in names]
        for key in keys:
            await self.keys.put(key)
        return keys

    def call(self, key: VirtualKey, minute: int = 0, **different: Any) -> LedgerEntry:
        entry = new_entry(
            **{
                "key_id": key.id,
                "team_id": RESEARCH,
                "organization_id": ACME,
                "at_ns": START_NS + minute * 60 * S,
                "duration_ns": S,
                "model": "gpt",
                "upstream_model": "gpt",
                "usage": TokenUsage(input=10),
                "cost": Money(30),
            }
            | different
        )
        self.ledger.record(entry)
        return entry

    async def simulated(self, most: int | None = None, **order: Any) -> SimulationReport:
        simulate = SimulateTraffic(
            calls=MemoryPastCalls(self.ledger),
            keys=self.keys,
            organizations=self.organizations,
            catalogues=self.catalogues,
            list_prices=self.listed,
            clock=SteppedClock(START_NS + DAY_NS),
            longest_call_s=600.0,
        )
        return await simulate(
            SimulationOrder(**{"from_ns": START_NS, "until_ns": None} | order), most=most
        )


def a_change(kind: ScopeKind, named: str, amount: int | None, **order: Any) -> LimitChange:
    told = {"measure": Measure.REQUESTS, "per": "day"} | order
    return LimitChange(
        kind=kind,
        named=named,
        order=LimitOrder(amount=Decimal(amount or 0), **told),
        lifted=amount is None,
    )


A_DAY = Limit(
    scope=organization_scope(ACME),
    measure=Measure.REQUESTS,
    amount=4,
    window=Period(every=Every.DAY),
)


async def test_present_limits_hold_unless_something_else_is_supposed() -> None:
    office = Office(A_DAY)
    (key,) = await office.opened("web")
    for minute in range(6):
        office.call(key, minute)

    async def refused(**order: Any) -> int:
        return (await office.simulated(**order)).simulated.total.refused

    organization = ScopeKind.ORGANIZATION
    assert await refused() == 2
    assert await refused(limits=[a_change(organization, "acme", 3)]) == 3
    assert await refused(limits=[a_change(organization, str(ACME), None)]) == 0
    assert await refused(without_limits=True) == 0
    two = [a_change(ScopeKind.TEAM, "acme/research", 1)]
    assert await refused(limits=two, without_limits=True) == 5
    assert await refused(limits=[a_change(ScopeKind.KEY, "web", 2)]) == 4
    assert await refused(limits=[a_change(ScopeKind.KEY, str(key.id), 2, soft=True)]) == 2
    assert await refused(limits=[a_change(ScopeKind.KEY, "web", 0, model="claude-*")]) == 2


async def test_a_keys_requests_a_minute_may_be_supposed_too() -> None:
    office = Office()
    (key,) = await office.opened("web")
    for _ in range(3):
        office.call(key)

    found = await office.simulated(limits=[a_change(ScopeKind.KEY, "web", 1, per="minute")])

    assert found.simulated.total.refused == 2


async def test_each_key_may_be_given_a_limit_of_its_own() -> None:
    office = Office()
    web, app = await office.opened("web", "app")
    for minute in range(3):
        office.call(web, minute)
        office.call(app, minute)

    found = await office.simulated(limits=[a_change(ScopeKind.KEY, "*", 1)])

    assert {line.refused for line in found.simulated.by_key.values()} == {2}
    assert found.names[web.id] == "web"
    assert found.names[RESEARCH] == "acme/research"


async def test_limits_are_filled_by_calls_of_before_that_are_not_told_of() -> None:
    office = Office(A_DAY)
    (key,) = await office.opened("web")
    for minute in range(6):
        office.call(key, minute)
    from_ns = START_NS + 3 * 60 * S

    found = await office.simulated(from_ns=from_ns)

    assert (found.simulated.warmed_up, found.simulated.total.was.calls) == (3, 3)
    assert found.simulated.total.refused == 2
    # Since the day began, and calls that were under way then.
    assert found.warmed_up_from_ns == START_NS - 600 * S
    nothing = await office.simulated(from_ns=from_ns, without_limits=True)
    assert (nothing.warmed_up_from_ns, nothing.simulated.warmed_up) == (from_ns, 0)


async def test_calls_that_were_under_way_at_the_beginning_are_held() -> None:
    office = Office()
    (key,) = await office.opened("web")
    office.call(key, -5, duration_ns=310 * S)
    office.call(key, 0)
    office.call(key, 1)
    one_at_a_time = a_change(ScopeKind.KEY, "web", 1, measure=Measure.PARALLEL, per=None)

    found = await office.simulated(limits=[one_at_a_time])

    assert (found.simulated.warmed_up, found.simulated.total.refused) == (1, 1)


async def test_prices_and_routes_say_what_it_would_have_cost() -> None:
    office = Office()
    (key,) = await office.opened("web")
    office.call(key)
    office.call(key, model="other", upstream_model="other")
    await office.catalogues.put(prices=[a_price("openai", "gpt", 3)])
    to_mistral = ModelRoute(model="gpt", targets=(Target(provider="mistral", model="large"),))

    async def cost(**order: Any) -> int:
        return (await office.simulated(**order)).simulated.total.admitted.cost

    assert await cost() == 60
    assert await cost(prices=[a_price("openai", "gpt", 5)]) == 80
    assert await cost(routes=[to_mistral]) == 30
    assert await cost(routes=[to_mistral], list_prices=True) == 100
    given = [a_price("mistral", "large", 1)]
    assert await cost(routes=[to_mistral], list_prices=True, prices=given) == 40
    found = await office.simulated(routes=[to_mistral])
    assert found.simulated.by_provider["mistral"].admitted.unpriced_calls == 1


async def test_a_listed_price_is_looked_up_once() -> None:
    office = Office()
    (key,) = await office.opened("web")
    for minute in range(20):
        office.call(key, minute)

    await office.simulated(list_prices=True)

    assert office.listed.asked == ["gpt"]


@pytest.mark.parametrize(
    ("change", "param", "told"),
    [
        (a_change(ScopeKind.TEAM, "sales", 1), "limits.1.team", "no team 'sales'"),
        (a_change(ScopeKind.KEY, "twin", 1), "limits.1.key", "Several"),
        (a_change(ScopeKind.KEY, "web", None, per="hour"), "limits.1", "has no limit"),
        (a_change(ScopeKind.KEY, "web", 1, per="year"), "limits.1.per", "minute"),
        (a_change(ScopeKind.KEY, "web", 1, per="minute", zone="UTC"), "limits.1.zone", "zone"),
    ],
)
async def test_a_limit_that_cannot_be_supposed_is_named(
    change: LimitChange, param: str, told: str
) -> None:
    office = Office()
    await office.opened("web", "twin", "twin")

    with pytest.raises(InvalidRequest, match=told) as refused:
        await office.simulated(limits=[a_change(ScopeKind.KEY, "web", 1), change])

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({"until_ns": START_NS}, "until"),
        ({"from_ns": START_NS + DAY_NS}, "from"),
        ({"from_ns": -2, "until_ns": -3}, "until"),
    ],
)
async def test_a_time_in_which_nothing_can_be_is_refused(order: dict[str, int], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await Office().simulated(**order)
    assert refused.value.param == param


async def test_a_time_goes_no_farther_than_calls_do() -> None:
    found = await Office().simulated(from_ns=-(10**25), until_ns=10**25)
    assert (found.from_ns, found.until_ns) == (0, START_NS + DAY_NS)


@pytest.mark.parametrize("scale", [0, 1001])
async def test_traffic_is_multiplied_within_bounds(scale: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await Office().simulated(scale=scale)
    assert refused.value.param == "scale"


async def test_no_more_calls_are_told_again_than_are_allowed() -> None:
    office = Office(A_DAY)
    (key,) = await office.opened("web")
    for minute in range(6):
        office.call(key, minute)

    assert (await office.simulated(most=6)).simulated.total.was.calls == 6
    for most, order in ((5, {}), (5, {"from_ns": START_NS + 300 * S}), (11, {"scale": 2})):
        with pytest.raises(InvalidRequest) as refused:
            await office.simulated(most=most, **order)
        assert refused.value.param == "from"
    assert (await office.simulated(most=12, scale=2)).simulated.total.admitted.calls == 4


async def test_a_key_that_is_no_more_has_no_limits() -> None:
    office = Office()
    await office.opened()
    office.call(new_key(id=KeyId(UUID(int=99))))

    found = await office.simulated(limits=[a_change(ScopeKind.KEY, "*", 0)])

    assert (found.simulated.total.refused, found.simulated.unreserved) == (0, 1)
