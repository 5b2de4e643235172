"""What every store of virtual keys must do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ports.virtual_keys import VirtualKeys
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.ids import KeyId, TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Limits, Measure, Sliding
from langroute.domain.organizations import Team, key_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from postgres_fixtures import Databases
from samples import CLOCK, ENTROPY, SECOND_NS, new_key


@pytest.fixture(params=["memory", "postgres"])
async def keys(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[VirtualKeys]:
    if request.param == "memory":
        yield MemoryKeys()
        return
    async with databases.migrated() as database:
        yield PostgresKeys(database)


async def test_a_key_reads_back_as_it_was_put(keys: VirtualKeys) -> None:
    now_ns = CLOCK.now_ns()
    whole = new_key(
        name="whole, with ünïcode",
        limits=Limits(requests_per_minute=0, tokens_per_minute=2**40),
        allowed_models=("gpt-4o-mini", "mistral-*"),
        expires_at_ns=now_ns + 3600 * SECOND_NS,
        revoked_at_ns=now_ns,
    )
    bare = new_key(name="", limits=Limits())

    for key in (whole, bare):
        await keys.put(key)

        assert await keys.by_id(key.id) == key
        assert await keys.by_digest(key.digest) == key


async def test_an_unknown_key_is_none(keys: VirtualKeys) -> None:
    await keys.put(new_key())

    assert await keys.by_id(KeyId(ENTROPY.uuid())) is None
    assert await keys.by_digest(bytes(32)) is None
    assert await keys.by_digest(b"short") is None


async def test_putting_a_key_again_replaces_it(keys: VirtualKeys) -> None:
    key = new_key()
    await keys.put(key)
    changed = replace(key, name="other", limits=Limits(), expires_at_ns=CLOCK.now_ns())

    await keys.put(changed)

    assert await keys.by_digest(key.digest) == changed
    assert await keys.page(None, 10) == [changed]


async def test_a_new_secret_takes_the_place_of_the_old_one(keys: VirtualKeys) -> None:
    key = new_key()
    await keys.put(key)
    rotated = replace(key, digest=new_key().digest, hint="new!")

    await keys.put(rotated)

    assert await keys.by_digest(key.digest) is None
    assert await keys.by_digest(rotated.digest) == rotated


async def test_a_revocation_outlasts_a_change_that_did_not_know_of_it(keys: VirtualKeys) -> None:
    key = new_key()
    revoked = replace(key, revoked_at_ns=CLOCK.now_ns())
    await keys.put(revoked)

    await keys.put(replace(key, name="renamed"))

    assert await keys.by_id(key.id) == replace(revoked, name="renamed")


async def test_a_change_leaves_what_it_does_not_change(keys: VirtualKeys) -> None:
    key = new_key()
    await keys.put(key)

    changed = await keys.change(key.id, lambda key: replace(key, name="renamed"))

    assert changed == replace(key, name="renamed")
    assert await keys.by_id(key.id) == changed


async def test_changes_of_different_things_do_not_undo_each_other(keys: VirtualKeys) -> None:
    """However they fall, whoever makes them: a name, a secret, limits, one limit."""
    key = new_key()
    await keys.put(key)
    other = new_key()
    budgets = [
        Limit(
            scope=key_scope(key.id), measure=Measure.MONEY, amount=10**12, window=Sliding(seconds=s)
        )
        for s in range(1, 6)
    ]

    def with_limit(limit: Limit) -> Callable[[VirtualKey], VirtualKey]:
        return lambda key: replace(key, further_limits=(*key.further_limits, limit))

    await asyncio.gather(
        keys.change(key.id, lambda key: replace(key, name="renamed")),
        keys.change(key.id, lambda key: replace(key, digest=other.digest, hint=other.hint)),
        *(keys.change(key.id, with_limit(limit)) for limit in budgets),
        keys.change(key.id, lambda key: replace(key, allowed_models=("m",))),
        keys.change(key.id, lambda key: replace(key, limits=Limits())),
    )

    found = await keys.by_digest(other.digest)
    assert found is not None
    assert (found.name, found.allowed_models, found.limits) == ("renamed", ("m",), Limits())
    assert set(found.further_limits) == set(budgets)


async def test_a_change_that_fails_changes_nothing(keys: VirtualKeys) -> None:
    def refused(key: VirtualKey) -> VirtualKey:
        raise InvalidRequest("No.", param="name")

    key = new_key()
    await keys.put(key)
    with pytest.raises(InvalidRequest):
        await keys.change(key.id, refused)
    with pytest.raises(NotFound):
        await keys.change(KeyId(ENTROPY.uuid()), lambda key: key)
    nowhere = Team(id=TeamId(ENTROPY.uuid()), name="gone")
    with pytest.raises(NotFound):
        await keys.change(key.id, lambda key: replace(key, team=nowhere))
    assert await keys.by_id(key.id) == key


async def test_pages_follow_one_another_in_the_order_of_making(keys: VirtualKeys) -> None:
    made = [new_key(name=str(number)) for number in range(5)]
    for key in reversed(made):
        await keys.put(key)

    first = await keys.page(None, 2)
    second = await keys.page(first[-1].id, 2)
    third = await keys.page(second[-1].id, 2)

    assert [*first, *second, *third] == made
    assert await keys.page(third[-1].id, 2) == []


def further_limits(key_id: KeyId) -> tuple[Limit, ...]:
    scope = key_scope(key_id)
    day = Period(every=Every.DAY, zone="Europe/Berlin")
    return (
        Limit(scope=scope, measure=Measure.MONEY, amount=10**12, window=day, end_user="*"),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=2, window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.TOKENS, amount=7, model="gpt-*", soft=True),
    )


async def test_a_key_keeps_its_further_limits(keys: VirtualKeys) -> None:
    bare = new_key()
    key = replace(bare, further_limits=further_limits(bare.id))
    other = new_key()
    for each in (key, other):
        await keys.put(each)

    found = await keys.by_digest(key.digest)

    assert found is not None
    assert set(found.further_limits) == set(key.further_limits)
    assert set(found.all_limits) == set(key.all_limits)
    assert await keys.page(key.id, 10) == [other]


async def test_putting_a_key_replaces_its_further_limits(keys: VirtualKeys) -> None:
    bare = new_key()
    kept, changed, gone = further_limits(bare.id)
    await keys.put(replace(bare, further_limits=(kept, changed, gone)))
    lower = replace(changed, amount=1)
    new = replace(gone, window=Sliding(seconds=61))

    await keys.put(replace(bare, further_limits=(kept, lower, new)))

    found = await keys.by_id(bare.id)
    assert found is not None
    assert set(found.further_limits) == {kept, lower, new}
    await keys.put(bare)
    assert await keys.by_id(bare.id) == bare


async def test_a_key_of_no_known_team_is_not_put(keys: VirtualKeys) -> None:
    key = new_key()
    await keys.put(key)
    nowhere = Team(id=TeamId(ENTROPY.uuid()), name="nowhere")

    with pytest.raises(NotFound) as caught:
        await keys.put(replace(key, name="new", team=nowhere))

    assert (caught.value.what, caught.value.name) == ("team", str(nowhere.id))
    assert await keys.by_id(key.id) == key
