from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from scene import CountingEntropy

from langroute.adapters.memory.limits import MemoryLimits
from langroute.adapters.memory.organizations import MemoryOrganizations
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.application.organizations.change_organization import (
    ChangeOrganization,
    OrganizationChange,
)
from langroute.application.organizations.change_team import ChangeTeam, TeamChange
from langroute.application.organizations.define_organization import (
    DefineOrganization,
    OrganizationOrder,
)
from langroute.application.organizations.define_team import DefineTeam, TeamOrder
from langroute.application.organizations.lift_limit import LiftLimit
from langroute.application.organizations.limit_order import LimitOrder
from langroute.application.organizations.list_organizations import ListOrganizations
from langroute.application.organizations.remove_organization import RemoveOrganization
from langroute.application.organizations.remove_team import RemoveTeam
from langroute.application.organizations.set_limit import SetLimit
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.limits import Measure
from langroute.domain.organizations import (
    MOST_LIMITS,
    key_scope,
    organization_scope,
    team_scope,
)
from samples import new_key

DAILY = LimitOrder(measure=Measure.MONEY, amount=Decimal(5), per="day")
A_MINUTE = LimitOrder(measure=Measure.TOKENS, amount=Decimal(5), per="minute")
MANY = tuple(replace(A_MINUTE, per=seconds) for seconds in range(1, MOST_LIMITS + 2))


class Office:
    """Where organizations and teams are made and changed."""

    def __init__(self) -> None:
        self.store = MemoryOrganizations()
        self.keys = MemoryKeys(self.store)
        limits = MemoryLimits(self.keys, self.store)
        entropy = CountingEntropy()
        self.show = ListOrganizations(self.store)
        self.define = DefineOrganization(self.store, entropy)
        self.change = ChangeOrganization(self.store)
        self.remove = RemoveOrganization(self.store)
        self.define_team = DefineTeam(self.store, entropy)
        self.change_team = ChangeTeam(self.store)
        self.remove_team = RemoveTeam(self.store)
        self.set_limit = SetLimit(limits)
        self.lift_limit = LiftLimit(limits)


async def test_what_is_defined_carries_limits_of_its_own() -> None:
    office = Office()
    acme = await office.define(OrganizationOrder(name="acme", limits=(DAILY, A_MINUTE)))
    team = await office.define_team(
        TeamOrder(name="research", organization="acme", limits=(A_MINUTE,))
    )

    assert {limit.scope for limit in acme.limits} == {organization_scope(acme.id)}
    assert {limit.scope for limit in team.limits} == {team_scope(team.id)}
    assert list(await office.show()) == [acme]
    assert list(await office.show.teams()) == [team]
    assert team.organization == acme


async def test_as_many_limits_as_there_may_be_are_carried_and_not_one_more() -> None:
    office = Office()
    acme = await office.define(OrganizationOrder(name="acme", limits=MANY[1:]))
    assert len(acme.limits) == MOST_LIMITS

    with pytest.raises(InvalidRequest) as caught:
        await office.set_limit(acme.scope, MANY[0])
    assert caught.value.param == "limits"
    await office.set_limit(acme.scope, replace(MANY[1], amount=Decimal(9)))
    (present,) = await office.show()
    assert sorted(limit.amount for limit in present.limits)[-2:] == [5, 9]


async def test_one_is_found_by_id_name_and_path() -> None:
    office = Office()
    acme = await office.define(OrganizationOrder(name="acme"))
    inside = await office.define_team(TeamOrder(name="lab", organization=str(acme.id)))
    for named in (str(inside.id), "lab", "acme/lab", str(inside.id).upper()):
        assert await office.show.team(named) == inside
    outside = await office.define_team(TeamOrder(name="lab"))

    # The one of nobody else has no other name.
    assert await office.show.team("lab") == outside
    other = await office.define(OrganizationOrder(name="other"))
    await office.change_team("lab", TeamChange(organization="other"))
    with pytest.raises(InvalidRequest, match="acme/lab, other/lab") as caught:
        await office.show.team("lab")
    assert caught.value.param == "team"
    moved = await office.show.team("other/lab")
    assert (moved.id, moved.organization) == (outside.id, other)


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "acme"}, "name"),
        ({"name": "00000000000000000000000000000001"}, "name"),
        ({"name": "x", "allowed_models": ("",)}, "allowed_models"),
        ({"name": "x", "limits": (DAILY, replace(DAILY, soft=True))}, "limits.1"),
        ({"name": "x", "limits": (replace(DAILY, amount=Decimal(-1)),)}, "limits.0.amount"),
        ({"name": "x", "limits": MANY}, "limits"),
        ({"name": "x", "allowed_models": ("m",) * 1001}, "allowed_models"),
        ({"name": "x", "allowed_models": ("m" * 257,)}, "allowed_models"),
    ],
)
async def test_a_wrong_order_is_refused_and_changes_nothing(
    order: dict[str, Any], param: str
) -> None:
    office = Office()
    acme = await office.define(OrganizationOrder(name="acme"))
    team = await office.define_team(TeamOrder(name="acme"))
    other = await office.define(OrganizationOrder(name="other"))
    lab = await office.define_team(TeamOrder(name="lab"))
    for attempt in (
        office.define(OrganizationOrder(**order)),
        office.define_team(TeamOrder(**order)),
        office.change("other", OrganizationChange(**order)),
        office.change_team("lab", TeamChange(**order)),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await attempt
        assert caught.value.param == param

    assert list(await office.show()) == [acme, other]
    assert list(await office.show.teams()) == [team, lab]


async def test_what_is_not_there_is_not_found() -> None:
    office = Office()
    nowhere = team_scope(UUID(int=404))
    for attempt in (
        office.show.one("none"),
        office.show.team("none"),
        office.change("none", OrganizationChange()),
        office.change_team("none", TeamChange()),
        office.remove("none"),
        office.remove_team("none"),
        office.set_limit(nowhere, DAILY),
        office.lift_limit(nowhere, UUID(int=1)),
    ):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(InvalidRequest) as caught:
        await office.define_team(TeamOrder(name="lab", organization="none"))
    assert caught.value.param == "organization"


async def test_a_minute_of_a_key_is_told_by_its_two_usual_limits_alone() -> None:
    office = Office()
    key = new_key()
    await office.keys.put(key)

    with pytest.raises(InvalidRequest, match="tokens_per_minute") as caught:
        await office.set_limit(key_scope(key.id), A_MINUTE)

    assert caught.value.param == "measure"
    narrower = await office.set_limit(key_scope(key.id), replace(A_MINUTE, model="gpt-*"))
    found = await office.keys.by_id(key.id)
    assert found is not None
    assert found.further_limits == (narrower,)
    await office.lift_limit(narrower.scope, narrower.id)
    assert await office.keys.by_id(key.id) == key
