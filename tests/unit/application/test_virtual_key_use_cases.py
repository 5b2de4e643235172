import dataclasses
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from scene import START_NS, ManualClock, S

from langroute.adapters.memory.organizations import MemoryOrganizations
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.system.entropy import SystemEntropy
from langroute.application.keys.change_virtual_key import ChangeVirtualKey, KeyChange
from langroute.application.keys.issue_virtual_key import IssuedKey, IssueVirtualKey, KeyOrder
from langroute.application.keys.list_virtual_keys import ListVirtualKeys
from langroute.application.keys.revoke_virtual_key import RevokeVirtualKey
from langroute.application.keys.rotate_virtual_key import RotateVirtualKey
from langroute.application.organizations.limit_order import LimitOrder
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.ids import KeyId, TeamId
from langroute.domain.keys import KeyState, digest_of, hint_of, is_well_formed
from langroute.domain.limits import Limits, Measure
from langroute.domain.organizations import Team

DEFAULTS = Limits(requests_per_minute=60, tokens_per_minute=1_000)
A_MINUTE = LimitOrder(measure=Measure.REQUESTS, amount=Decimal(1), per=60)
DAILY = LimitOrder(measure=Measure.MONEY, amount=Decimal("0.5"), per="day")
NOBODY = KeyId(UUID(int=404))


class Office:
    """Where keys are made and changed."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.organizations = MemoryOrganizations()
        self.keys = MemoryKeys(self.organizations)
        entropy = SystemEntropy()
        self.issue = IssueVirtualKey(
            keys=self.keys,
            organizations=self.organizations,
            clock=self.clock,
            entropy=entropy,
            default_limits=DEFAULTS,
        )
        self.change = ChangeVirtualKey(self.keys, self.organizations)
        self.rotate = RotateVirtualKey(self.keys, entropy)
        self.revoke = RevokeVirtualKey(self.keys, self.clock)
        self.show = ListVirtualKeys(self.keys)

    async def issued(self) -> IssuedKey:
        return await self.issue(
            KeyOrder(name="app", allowed_models=("gpt-*",), expires_at_ns=START_NS + S)
        )


async def test_a_new_key_is_what_was_ordered() -> None:
    office = Office()
    issued = await office.issued()
    key = issued.key
    assert is_well_formed(issued.secret)
    assert (key.digest, key.hint) == (digest_of(issued.secret), hint_of(issued.secret))
    assert (key.name, key.allowed_models, key.limits) == ("app", ("gpt-*",), DEFAULTS)
    assert (key.created_at_ns, key.expires_at_ns, key.revoked_at_ns) == (
        START_NS,
        START_NS + S,
        None,
    )
    assert await office.keys.by_digest(key.digest) == key
    assert issued.secret not in repr(issued)


async def test_limits_that_were_ordered_go_before_the_default_ones() -> None:
    issued = await Office().issue(KeyOrder(limits=Limits()))
    assert issued.key.limits == Limits()


async def test_no_two_keys_share_an_id_or_a_secret() -> None:
    office = Office()
    issued = [await office.issued() for _ in range(20)]
    assert len({each.secret for each in issued}) == len({each.key.id for each in issued}) == 20


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({"name": "x" * 201}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"allowed_models": ("",)}, "allowed_models"),
        ({"allowed_models": ("nul\0",)}, "allowed_models"),
        ({"team": "nobody"}, "team"),
        ({"further_limits": (A_MINUTE,)}, "limits.0"),
        ({"further_limits": (DAILY, replace(DAILY, soft=True))}, "limits.1"),
        ({"further_limits": (DAILY, replace(DAILY, zone="Berlin"))}, "limits.1.zone"),
        ({"allowed_models": ("gpt-4o", "*-*")}, "allowed_models"),
        ({"expires_at_ns": START_NS}, "expires_at"),
        ({"expires_at_ns": 0}, "expires_at"),
    ],
)
async def test_refuses_an_order_that_makes_no_sense(order: dict[str, Any], param: str) -> None:
    office = Office()
    with pytest.raises(InvalidRequest) as refused:
        await office.issue(KeyOrder(**order))
    assert refused.value.param == param
    assert await office.show() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"name": "other"}, {"name": "other"}),
        ({"name": ""}, {"name": ""}),
        ({"limits": Limits(requests_per_minute=1)}, {"limits": Limits(requests_per_minute=1)}),
        ({"allowed_models": ()}, {"allowed_models": ()}),
        ({"allowed_models": ("*",)}, {"allowed_models": ("*",)}),
        ({"expires_at_ns": START_NS + 5 * S}, {"expires_at_ns": START_NS + 5 * S}),
        ({"never_expires": True}, {"expires_at_ns": None}),
    ],
)
async def test_a_change_changes_what_it_names_and_nothing_else(
    change: dict[str, Any], expected: dict[str, Any]
) -> None:
    office = Office()
    before = (await office.issued()).key
    after = await office.change(before.id, KeyChange(**change))
    assert after == dataclasses.replace(before, **expected)
    assert await office.show.one(before.id) == after


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"name": "\x07"}, "name"),
        ({"allowed_models": ("**",)}, "allowed_models"),
        ({"name": "good", "allowed_models": ("**",)}, "allowed_models"),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(
    change: dict[str, Any], param: str
) -> None:
    office = Office()
    key = (await office.issued()).key
    with pytest.raises(InvalidRequest) as refused:
        await office.change(key.id, KeyChange(**change))
    assert refused.value.param == param
    assert await office.show.one(key.id) == key


async def test_a_rotated_key_has_another_secret_and_is_otherwise_the_same() -> None:
    office = Office()
    before = await office.issued()
    after = await office.rotate(before.key.id)
    assert after.secret != before.secret
    assert is_well_formed(after.secret)
    assert after.key == dataclasses.replace(
        before.key, digest=digest_of(after.secret), hint=hint_of(after.secret)
    )
    assert await office.keys.by_digest(digest_of(before.secret)) is None
    assert await office.keys.by_digest(digest_of(after.secret)) == after.key


async def test_a_revoked_key_is_not_rotated_back_to_life() -> None:
    office = Office()
    key = (await office.issued()).key
    revoked = await office.revoke(key.id)
    with pytest.raises(InvalidRequest):
        await office.rotate(key.id)
    assert await office.show.one(key.id) == revoked


async def test_revoking_is_for_good_and_revoking_again_changes_nothing() -> None:
    office = Office()
    issued = await office.issued()
    revoked = await office.revoke(issued.key.id)
    assert revoked.revoked_at_ns == START_NS
    office.clock.advance(5)
    assert await office.revoke(issued.key.id) == revoked
    found = await office.keys.by_digest(digest_of(issued.secret))
    assert found is not None
    assert found.state(START_NS) is KeyState.REVOKED


async def test_changing_a_revoked_key_does_not_bring_it_back() -> None:
    office = Office()
    key = (await office.issued()).key
    await office.revoke(key.id)
    await office.change(key.id, KeyChange(name="other", never_expires=True))
    assert (await office.show.one(key.id)).state(START_NS) is KeyState.REVOKED


async def test_a_key_that_does_not_exist_is_not_found() -> None:
    office = Office()
    for refused in (
        office.change(NOBODY, KeyChange()),
        office.rotate(NOBODY),
        office.revoke(NOBODY),
        office.show.one(NOBODY),
    ):
        with pytest.raises(NotFound) as error:
            await refused
        assert (error.value.what, error.value.name) == ("virtual key", str(NOBODY))


async def test_keys_are_listed_oldest_first_and_a_page_at_a_time() -> None:
    office = Office()
    keys = [(await office.issued()).key for _ in range(5)]
    assert await office.show() == keys
    assert await office.show(size=2) == keys[:2]
    assert await office.show(keys[1].id, 2) == keys[2:4]
    assert await office.show(keys[4].id) == []
    assert await office.show(size=0) == keys[:1]
    assert await office.show(size=10**9) == keys


async def test_a_key_joins_moves_and_leaves() -> None:
    office = Office()
    first, second = (Team(id=TeamId(UUID(int=n)), name=f"team {n}") for n in (1, 2))
    for team in (first, second):
        await office.organizations.put_team(team)
    issued = await office.issue(KeyOrder(team="team 1", further_limits=(DAILY,)))
    assert issued.key.team == first
    key_id = issued.key.id

    assert (await office.change(key_id, KeyChange(name="new"))).team == first
    assert (await office.change(key_id, KeyChange(team=str(second.id)))).team == second
    with pytest.raises(InvalidRequest) as caught:
        await office.change(key_id, KeyChange(team="team 3"))
    assert caught.value.param == "team"
    alone = await office.change(key_id, KeyChange(leaves_team=True))

    assert alone.team is None
    assert alone == await office.keys.by_id(key_id)
    assert [limit.amount for limit in alone.further_limits] == [5 * 10**11]
    assert (await office.change(key_id, KeyChange(further_limits=()))).further_limits == ()
