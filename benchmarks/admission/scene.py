"""Who calls, and what limits them. All limits are counted, and none is ever reached."""

import time
from collections.abc import Sequence
from itertools import cycle, islice
from typing import NamedTuple
from uuid import UUID, uuid4

from langroute.domain.admission import Ask
from langroute.domain.ids import KeyId, OrganizationId, RequestId, TeamId
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.periods import Every, Period
from langroute.domain.usage import TokenUsage

SCOPES = ("key", "its team", "its organization", "each end user", "each tag", "a model")
USAGE = TokenUsage(input=200, output=100)
COST = Money(5_000)

_PLENTY = 10**18
_LEASE_NS = 600 * 10**9
_END_USERS, _TAGS = 50, 50


class Call(NamedTuple):
    ask: Ask
    limits: Sequence[Limit]


class Tenant:
    """A team of an organization, and its keys."""

    def __init__(self, keys: int = 1) -> None:
        self._organization, self._team = OrganizationId(uuid4()), TeamId(uuid4())
        self.keys = [KeyId(uuid4()) for _ in range(keys)]
        self._shared = _shared(self._team, self._organization)
        self._limits: dict[tuple[KeyId, int], Sequence[Limit]] = {}
        self._calls = 0

    def calls(self, count: int, scopes: int = 3) -> list[Call]:
        """So many, by each key in turn, with the limits of so many scopes."""
        keys = islice(cycle(self.keys), count)
        return [Call(self.ask(key), self._limits_of(key, scopes)) for key in keys]

    def ask(self, key: KeyId) -> Ask:
        self._calls += 1
        now_ns = time.time_ns() // 1000 * 1000
        return Ask(
            request_id=RequestId(uuid4()),
            key_id=key,
            team_id=self._team,
            organization_id=self._organization,
            end_user=f"user {self._calls % _END_USERS}",
            tag=f"tag {self._calls % _TAGS}",
            model="bench",
            streamed=False,
            at_ns=now_ns,
            lease_until_ns=now_ns + _LEASE_NS,
            input_bound=1_000,
            output_bound=500,
            cost_bound=Money(20_000),
        )

    def _limits_of(self, key: KeyId, scopes: int) -> Sequence[Limit]:
        """The very same ones each time, as a key has them that is looked up."""
        limits = self._limits.get((key, scopes))
        if limits is None:
            own = Limit(scope=key_scope(key), measure=Measure.TOKENS, amount=_PLENTY)
            limits = self._limits[key, scopes] = (own, *self._shared)[:scopes]
        return limits


def usual_limits(key: KeyId) -> Sequence[Limit]:
    """Those that most keys have."""
    usual = Limits(requests_per_minute=_PLENTY, tokens_per_minute=_PLENTY)
    return tuple(usual.of(key_scope(key)))


def _shared(team: UUID, organization: UUID) -> Sequence[Limit]:
    of_team, of_organization = team_scope(team), organization_scope(organization)
    month = Period(every=Every.MONTH, zone="Europe/Berlin")
    day = Period(every=Every.DAY, zone="America/New_York")
    return (
        Limit(scope=of_team, measure=Measure.MONEY, amount=_PLENTY, window=month),
        Limit(scope=of_organization, measure=Measure.REQUESTS, amount=_PLENTY),
        Limit(scope=of_team, measure=Measure.TOKENS, amount=_PLENTY, end_user="*"),
        Limit(scope=of_team, measure=Measure.MONEY, amount=_PLENTY, window=day, tag="*"),
        Limit(scope=of_organization, measure=Measure.REQUESTS, amount=_PLENTY, model="ben*"),
    )
