import secrets
from dataclasses import replace
from decimal import Decimal

import pytest
from dependency_injector import providers

from langroute.application.keys.issue_virtual_key import KeyOrder
from langroute.application.organizations.define_team import TeamOrder
from langroute.application.organizations.limit_order import LimitOrder
from langroute.domain.limits import Measure
from langroute.domain.organizations import team_scope
from langroute.entrypoints.container import Container, memory_container
from langroute.entrypoints.settings import load_settings


def _postgres() -> Container:
    return Container(
        settings=load_settings(data_dir="unused"),
        database_url="postgresql://nobody@localhost:1/none",
        encryption_keys=[secrets.token_bytes(32)],
    )


def _memory() -> Container:
    return memory_container(load_settings(data_dir="unused"), [secrets.token_bytes(32)])


@pytest.mark.parametrize("container", [_postgres(), _memory()], ids=["postgres", "memory"])
async def test_everything_that_is_wired_can_be_built(container: Container) -> None:
    """The library accepts a misspelt argument until it is called."""
    for name, provider in container.providers.items():
        built = provider()
        assert built is not None, name
        if isinstance(provider, providers.Singleton):
            assert provider() is built, f"{name} is made anew each time"
    container.database.reset()


async def test_without_a_database_a_teams_limit_holds_for_its_keys_at_once() -> None:
    gateway = _memory().gateway()
    limit = LimitOrder(measure=Measure.PARALLEL, amount=Decimal(2))
    team = await gateway.define_team(TeamOrder(name="research", limits=(limit,)))
    issued = [await gateway.issue_virtual_key(KeyOrder(team="research")) for _ in range(2)]
    for amount in (2, 5):
        raised = replace(limit, amount=Decimal(amount))
        await gateway.set_limit(team_scope(team.id), raised)

        for one in issued:
            key = await gateway.authorize(one.secret)
            assert amount in {each.amount for each in key.all_limits}
