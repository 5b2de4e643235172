"""What every store of organizations, teams and their limits must do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Never
from uuid import UUID

import pytest

from langroute.adapters.memory.limits import MemoryLimits
from langroute.adapters.memory.organizations import MemoryOrganizations
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ports.limits import CarriedLimits
from langroute.application.ports.organizations import HasMembers, NameTaken, Organizations
from langroute.application.ports.virtual_keys import VirtualKeys
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.ids import OrganizationId, TeamId
from langroute.domain.limits import Limit, Measure, Sliding
from langroute.domain.organizations import (
    MOST_LIMITS,
    Organization,
    Team,
    key_scope,
    organization_scope,
    team_scope,
)
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.scopes import Scope
from postgres_fixtures import Databases
from samples import CLOCK, ENTROPY, new_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    organizations: Organizations
    keys: VirtualKeys
    limits: CarriedLimits

    async def limits_of(self, scope: Scope) -> set[Limit]:
        """As whoever admits calls will see them."""
        for organization in await self.organizations.organizations():
            if organization_scope(organization.id) == scope:
                return set(organization.limits)
        (found,) = (t for t in await self.organizations.teams() if team_scope(t.id) == scope)
        return set(found.limits)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    if request.param == "memory":
        organizations = MemoryOrganizations()
        keys = MemoryKeys(organizations)
        yield Store(
            organizations=organizations, keys=keys, limits=MemoryLimits(keys, organizations)
        )
        return
    async with databases.migrated() as database:
        yield Store(
            organizations=PostgresOrganizations(database),
            keys=PostgresKeys(database),
            limits=PostgresLimits(database),
        )


def every_kind_of(scope: Scope) -> tuple[Limit, ...]:
    """A limit of each measure and window, with all that narrows them."""
    berlin = Period(every=Every.DAY, zone="Europe/Berlin")
    return (
        Limit(scope=scope, measure=Measure.TOKENS, amount=0, window=Sliding(seconds=3600)),
        Limit(scope=scope, measure=Measure.REQUESTS, amount=10**15, model="gpt-*"),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=3, window=FOR_GOOD, tag="*"),
        Limit(scope=scope, measure=Measure.MONEY, amount=10**27 - 1, window=berlin, soft=True),
        Limit(scope=scope, measure=Measure.MONEY, amount=1, window=Period(every=Every.MONTH)),
        Limit(
            scope=scope,
            measure=Measure.MONEY,
            amount=5 * 10**12,
            window=Period(every=Every.WEEK, zone="America/New_York"),
            model="ünïcode",
            end_user="*@example.org",
            tag="night*",
        ),
        Limit(scope=scope, measure=Measure.MONEY, amount=7, window=FOR_GOOD),
    )


def an_organization(name: str = "acme") -> Organization:
    id_ = OrganizationId(ENTROPY.uuid())
    return Organization(
        id=id_,
        name=name,
        allowed_models=("gpt-*",),
        limits=every_kind_of(organization_scope(id_)),
    )


def a_team(name: str = "research", organization: Organization | None = None) -> Team:
    id_ = TeamId(ENTROPY.uuid())
    return Team(
        id=id_,
        name=name,
        organization=organization,
        allowed_models=("*-mini",),
        limits=every_kind_of(team_scope(id_)),
    )


def sorted_limits(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(sorted(limits, key=lambda limit: limit.id))


def in_order(team: Team) -> Team:
    """Their limits come back in any order."""
    organization = team.organization
    if organization is not None:
        organization = replace(organization, limits=sorted_limits(organization.limits))
    return replace(team, organization=organization, limits=sorted_limits(team.limits))


async def test_what_was_put_reads_back_whole(store: Store) -> None:
    acme = an_organization()
    bare = Organization(id=OrganizationId(ENTROPY.uuid()), name="bare")
    research, alone = a_team(organization=acme), a_team("alone")

    for organization in (acme, bare):
        await store.organizations.put(organization)
    for team in (research, alone):
        await store.organizations.put_team(team)

    first, second = await store.organizations.organizations()
    assert (first.id, second) == (acme.id, bare)
    assert sorted_limits(first.limits) == sorted_limits(acme.limits)
    assert [in_order(team) for team in await store.organizations.teams()] == [
        in_order(research),
        in_order(alone),
    ]


async def test_putting_again_replaces_what_was_there(store: Store) -> None:
    acme = an_organization()
    research = a_team(organization=acme)
    await store.organizations.put(acme)
    await store.organizations.put_team(research)
    kept, changed, *_ = acme.limits
    raised = replace(changed, amount=9, soft=True)
    other = replace(acme, name="other", allowed_models=(), limits=(raised, kept))
    alone = replace(research, name="alone", organization=None, limits=())

    await store.organizations.put(other)

    (team,) = await store.organizations.teams()
    assert team.organization is not None
    assert (team.organization.name, set(team.organization.limits)) == ("other", {raised, kept})
    await store.organizations.put_team(alone)
    assert await store.organizations.teams() == [alone]


async def test_a_limit_keeps_its_id_in_the_store(store: Store) -> None:
    acme = an_organization()
    await store.organizations.put(acme)

    (found,) = await store.organizations.organizations()

    assert {limit.id for limit in found.limits} == {limit.id for limit in acme.limits}


async def test_names_are_told_apart(store: Store) -> None:
    acme, other = an_organization("acme"), an_organization("other")
    await store.organizations.put(acme)
    await store.organizations.put(other)
    for organization in (acme, other, None):
        await store.organizations.put_team(a_team("research", organization))

    with pytest.raises(NameTaken):
        await store.organizations.put(replace(other, name="acme"))
    with pytest.raises(NameTaken):
        await store.organizations.put(an_organization("acme"))
    for organization in (acme, None):
        with pytest.raises(NameTaken):
            await store.organizations.put_team(a_team("research", organization))

    assert [each.name for each in await store.organizations.organizations()] == ["acme", "other"]
    paths = [team.path for team in await store.organizations.teams()]
    assert paths == ["acme/research", "other/research", "research"]


async def test_a_team_of_nowhere_is_not_put(store: Store) -> None:
    nowhere = an_organization()

    with pytest.raises(NotFound) as caught:
        await store.organizations.put_team(a_team(organization=nowhere))

    assert (caught.value.what, caught.value.name) == ("organization", str(nowhere.id))
    assert await store.organizations.teams() == []


async def test_who_has_members_stays(store: Store) -> None:
    acme = an_organization()
    research = a_team(organization=acme)
    key = new_key(name="app", team=research)
    nameless = new_key(name="", team=research)
    await store.organizations.put(acme)
    await store.organizations.put_team(research)
    await store.keys.put(key)

    with pytest.raises(HasMembers) as caught:
        await store.organizations.remove(acme.id)
    assert caught.value.members == ("research",)
    await store.keys.put(nameless)
    with pytest.raises(HasMembers) as caught:
        await store.organizations.remove_team(research.id)
    assert set(caught.value.members) == {"app", str(nameless.id)}

    # One leaves, the other one is revoked.
    await store.keys.put(replace(key, team=None))
    await store.keys.put(replace(nameless, revoked_at_ns=CLOCK.now_ns()))
    assert await store.organizations.remove_team(research.id)
    assert await store.organizations.remove(acme.id)
    assert not await store.organizations.remove_team(research.id)
    assert not await store.organizations.remove(acme.id)

    left = await store.keys.by_id(nameless.id)
    assert left is not None
    assert left.team is None


async def test_nobody_joins_a_team_that_is_being_removed(store: Store) -> None:
    for number in range(10):
        team, key = a_team(f"team {number}"), new_key()
        await store.organizations.put_team(team)
        joining = store.keys.put(replace(key, team=team))
        removing = store.organizations.remove_team(team.id)
        both = [joining, removing] if number % 2 else [removing, joining]

        outcomes = await asyncio.gather(*both, return_exceptions=True)

        there = await store.keys.by_id(key.id)
        left = {each.id for each in await store.organizations.teams()}
        if there is None:
            assert team.id not in left
            assert any(isinstance(outcome, NotFound) for outcome in outcomes)
        else:
            assert there.team is not None
            assert team.id in left
            assert any(isinstance(outcome, HasMembers) for outcome in outcomes)


async def test_limits_are_set_and_lifted_one_by_one(store: Store) -> None:
    acme = an_organization()
    research = a_team(organization=acme)
    await store.organizations.put(acme)
    await store.organizations.put_team(research)
    for scope in (organization_scope(acme.id), team_scope(research.id)):
        there = set(every_kind_of(scope))
        first = min(there, key=lambda limit: limit.id)
        more = Limit(scope=scope, measure=Measure.REQUESTS, amount=1)
        raised = replace(first, amount=first.amount + 1)

        await store.limits.set(more)
        await store.limits.set(raised)
        assert await store.limits_of(scope) == there - {first} | {more, raised}

        assert await store.limits.lift(scope, more.id)
        assert not await store.limits.lift(scope, more.id)
        assert await store.limits_of(scope) == there - {first} | {raised}


async def test_of_limits_that_are_set_at_once_none_is_lost(store: Store) -> None:
    key = new_key()
    await store.keys.put(key)
    scope = key_scope(key.id)
    many = [
        Limit(scope=scope, measure=Measure.TOKENS, amount=1, window=Sliding(seconds=seconds))
        for seconds in range(1, 9)
    ]

    await asyncio.gather(*map(store.limits.set, many))

    found = await store.keys.by_id(key.id)
    assert found is not None
    assert set(found.further_limits) == set(many)


async def test_nobody_is_given_more_limits_than_calls_can_be_asked_for(store: Store) -> None:
    """However many come at once. What is there may be changed and lifted all the same."""
    key = new_key()
    await store.keys.put(key)

    def of(seconds: int, amount: int = 1) -> Limit:
        window = Sliding(seconds=seconds)
        return Limit(scope=key.scope, measure=Measure.TOKENS, amount=amount, window=window)

    async def there() -> set[Limit]:
        found = await store.keys.by_id(key.id)
        assert found is not None
        return set(found.further_limits)

    for seconds in range(1, MOST_LIMITS):
        await store.limits.set(of(seconds))
    outcomes = await asyncio.gather(
        *(store.limits.set(of(100 + number)) for number in range(4)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, InvalidRequest)]
    assert [error.param for error in refused] == ["limits"] * 3
    assert len(await there()) == MOST_LIMITS

    await store.limits.set(of(1, amount=2))
    assert of(1, amount=2) in await there()
    assert await store.limits.lift(key.scope, of(2).id)
    await store.limits.set(of(99))
    assert len(await there()) == MOST_LIMITS


async def test_changes_of_different_things_do_not_undo_each_other(store: Store) -> None:
    """However they fall, whoever makes them: a name, models, where a team belongs, one limit."""
    acme, other = replace(an_organization(), limits=()), an_organization("other")
    research = replace(a_team(), limits=())
    await store.organizations.put(acme)
    await store.organizations.put(other)
    await store.organizations.put_team(research)
    set_here = [
        Limit(scope=scope, measure=Measure.TOKENS, amount=1, window=Sliding(seconds=seconds))
        for scope in (acme.scope, research.scope)
        for seconds in range(1, 5)
    ]

    await asyncio.gather(
        *map(store.limits.set, set_here[::2]),
        store.organizations.change(acme.id, lambda it: replace(it, name="new")),
        store.organizations.change(acme.id, lambda it: replace(it, allowed_models=("m",))),
        store.organizations.change_team(research.id, lambda it: replace(it, name="newer")),
        store.organizations.change_team(research.id, lambda it: replace(it, organization=other)),
        store.organizations.change_team(research.id, lambda it: replace(it, allowed_models=())),
        *map(store.limits.set, set_here[1::2]),
    )

    found = {each.id: each for each in await store.organizations.organizations()}[acme.id]
    (team,) = await store.organizations.teams()
    assert (found.name, found.allowed_models) == ("new", ("m",))
    assert (team.path, team.allowed_models) == ("other/newer", ())
    assert {*found.limits, *team.limits} == set(set_here)


async def test_a_change_tells_what_became_of_it(store: Store) -> None:
    acme, research = an_organization(), a_team()
    await store.organizations.put(acme)
    await store.organizations.put_team(research)

    changed = await store.organizations.change(acme.id, lambda it: replace(it, name="new"))
    moved = await store.organizations.change_team(
        research.id, lambda it: replace(it, organization=changed)
    )

    assert sorted_limits(changed.limits) == sorted_limits(acme.limits)
    assert replace(changed, limits=acme.limits) == replace(acme, name="new")
    assert in_order(moved) == in_order(replace(research, organization=changed))
    assert [in_order(each) for each in await store.organizations.teams()] == [in_order(moved)]


async def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    def refused(_: Organization | Team) -> Never:
        raise InvalidRequest("No.", param="name")

    acme, other = an_organization(), an_organization("other")
    research, lab = a_team(), a_team("lab")
    for organization in (acme, other):
        await store.organizations.put(organization)
    for team in (research, lab):
        await store.organizations.put_team(team)
    organizations = store.organizations

    for failing in (
        organizations.change(acme.id, refused),
        organizations.change_team(research.id, refused),
    ):
        with pytest.raises(InvalidRequest):
            await failing
    for taken in (
        organizations.change(acme.id, lambda it: replace(it, name="other", limits=())),
        organizations.change_team(research.id, lambda it: replace(it, name="lab", limits=())),
    ):
        with pytest.raises(NameTaken):
            await taken
    nowhere = an_organization("nowhere")
    for missing, what in (
        (organizations.change(nowhere.id, lambda it: it), "organization"),
        (organizations.change_team(TeamId(nowhere.id), lambda it: it), "team"),
        (
            organizations.change_team(research.id, lambda it: replace(it, organization=nowhere)),
            "organization",
        ),
    ):
        with pytest.raises(NotFound) as caught:
            await missing
        assert (caught.value.what, caught.value.name) == (what, str(nowhere.id))

    assert await store.limits_of(acme.scope) == set(acme.limits)
    assert [in_order(team) for team in await organizations.teams()] == [
        in_order(lab),
        in_order(research),
    ]


async def test_nobody_carries_no_limit(store: Store) -> None:
    for scope in (organization_scope, team_scope, key_scope):
        nobody = scope(UUID(int=404))
        limit = Limit(scope=nobody, measure=Measure.TOKENS, amount=1, window=FOR_GOOD)

        with pytest.raises(NotFound):
            await store.limits.set(limit)
        with pytest.raises(NotFound):
            await store.limits.lift(nobody, limit.id)


async def test_a_key_comes_with_its_team_as_it_is_now(store: Store) -> None:
    acme = an_organization()
    research = a_team(organization=acme)
    key = new_key(team=research)
    await store.organizations.put(acme)
    await store.organizations.put_team(research)
    await store.keys.put(key)
    budget = Limit(
        scope=organization_scope(acme.id), measure=Measure.MONEY, amount=1, window=FOR_GOOD
    )

    await store.organizations.put(replace(acme, name="new", limits=(budget,)))
    await store.organizations.put_team(replace(research, name="newer", limits=()))

    for found in (
        await store.keys.by_digest(key.digest),
        await store.keys.by_id(key.id),
        (await store.keys.page(None, 1))[0],
    ):
        assert found is not None
        assert found.team is not None
        assert found.team.path == "new/newer"
        assert set(found.all_limits) == {*key.limits.of(key_scope(key.id)), budget}
