import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.questions import Question
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Ask, Reservation, counted
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.usage import TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import a_line, new_valkey


@given(
    ids=st.lists(st.uuids(), min_size=3, max_size=3, unique=True),
    end_user=st.text(min_size=1),
    has_team=st.booleans(),
    has_organization=st.booleans(),
)
def test_all_keys_of_a_call_lie_in_one_slot(
    ids: list[UUID], end_user: str, has_team: bool, has_organization: bool
) -> None:
    key, team, organization = ids
    ask = Ask(
        request_id=RequestId(uuid4()),
        key_id=KeyId(key),
        team_id=TeamId(team) if has_team else None,
        organization_id=OrganizationId(organization) if has_team and has_organization else None,
        end_user=end_user,
        model="m",
        streamed=False,
        at_ns=0,
        lease_until_ns=1,
        input_bound=0,
        output_bound=0,
    )
    scopes = (key_scope(key), team_scope(team), organization_scope(organization))
    limits = [
        Limit(scope=scope, measure=Measure.REQUESTS, amount=1, end_user=who)
        for scope in scopes
        for who in (None, "*")
    ]
    question = Question.of(ask, counted(ask, limits), mode="admit", now="", has_past=True)
    keys = question.keys()
    assert len(set(keys)) == 3 + 6
    assert len({key_slot(each.encode()) for each in keys}) == 1


@pytest.fixture
async def cluster_url() -> AsyncIterator[str]:
    """A cluster of one, which is as strict about slots as any."""
    async with new_valkey({"cluster-enabled": "yes"}) as valkey, valkey.client() as client:
        ask = cast("Callable[..., Awaitable[Any]]", client.execute_command)
        await ask("CLUSTER ADDSLOTSRANGE", 0, 16383)
        async with asyncio.timeout(10):
            while (await ask("CLUSTER INFO"))["cluster_state"] != "ok":
                await asyncio.sleep(0.05)
        yield valkey.url.replace("redis://", "redis+cluster://")


async def test_a_cluster_admits_and_settles(cluster_url: str) -> None:
    async with a_line(cluster_url) as line:
        admission = RedisAdmission(line, SystemClock())
        for team in (uuid4() for _ in range(5)):
            limit = a_limit(team, Measure.TOKENS, 100)
            first, _ = await admission.admit(an_ask(team, tokens=60), [limit])
            assert isinstance(first, Reservation)
            second, _ = await admission.admit(an_ask(team, tokens=60), [limit])
            assert not isinstance(second, Reservation)
            admission.settle(first, TokenUsage(output=10), ZERO)
            lost, _ = await admission.admit(an_ask(team, tokens=90, lease_ns=0), [limit])
            assert isinstance(lost, Reservation)
            await admission.flush()
        assert len(await admission.expired()) == 5
