"""Past traffic under other limits, prices and routes, on a real database."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from command_line import Langroute, told
from gateway_fixtures import RunningGateway, Scene
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.domain.admission import Ask, Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import OrganizationId, TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import Organization, Team, team_scope
from langroute.domain.periods import Every, Period
from langroute.domain.usage import TokenUsage
from samples import ENTROPY, new_entry, new_key

S = 10**9
MINUTE_NS = 60 * S
NOON = datetime(2024, 10, 7, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * S
CENT = 10**10


@dataclass(frozen=True, slots=True)
class Past:
    """Ten calls from noon on, a minute apart, of two keys in turn, of a team with a budget of a
    dollar a day. Each used 20 tokens and cost ten cents, of 100 tokens and 50 cents that were
    reserved; the fifth was corrected to twenty cents. Half an hour before, there was another."""

    cli: Langroute
    team: Team
    keys: tuple[VirtualKey, VirtualKey]

    async def told(self, *arguments: str) -> Any:
        return await told(self.cli, "simulate", "--from", "2024-10-07T12:00", *arguments)

    async def all_rows(self) -> str:
        """Of all tables that a simulation might touch."""
        tables = ("ledger", "reservations", "counters", "rollups", "limits", "prices", "audit")
        counts = ", ".join(f"(select md5(string_agg(t::text, '' order by t::text))"
                           f" from langroute.{table} t)" for table in tables)  # fmt: skip
        done = await self.cli("psql", "-Atc", f"select {counts}")
        assert done.returncode == 0, done.stderr
        return done.stdout


def a_call(key: VirtualKey, at_ns: int) -> tuple[Reservation, LedgerEntry]:
    assert key.team is not None
    assert key.team.organization is not None
    entry = new_entry(
        key_id=key.id,
        team_id=key.team.id,
        organization_id=key.team.organization.id,
        at_ns=at_ns,
        duration_ns=S,
        model="gpt-4o-mini",
        upstream_model="gpt-4o-mini",
        usage=TokenUsage(input=15, output=5),
        cost=Money(10 * CENT),
    )
    ask = Ask(
        request_id=entry.request_id,
        key_id=key.id,
        team_id=entry.team_id,
        organization_id=entry.organization_id,
        model=entry.model,
        streamed=True,
        at_ns=at_ns,
        lease_until_ns=at_ns + 600 * S,
        input_bound=50,
        output_bound=50,
        cost_bound=Money(50 * CENT),
    )
    return Reservation(ask=ask), entry


@pytest.fixture
async def past(cli: Langroute, database_url: str) -> Past:
    database = Database(database_url)
    acme = Organization(id=OrganizationId(ENTROPY.uuid()), name="acme")
    id_ = TeamId(ENTROPY.uuid())
    budget = Limit(
        scope=team_scope(id_),
        measure=Measure.MONEY,
        amount=100 * CENT,
        window=Period(every=Every.DAY),
    )
    team = Team(id=id_, name="research", organization=acme, limits=(budget,))
    organizations = PostgresOrganizations(database)
    await organizations.put(acme)
    await organizations.put_team(team)
    web, app = (new_key(name=name, team=team, limits=Limits()) for name in ("web", "app"))
    for key in (web, app):
        await PostgresKeys(database).put(key)
    calls = [a_call(web, NOON_NS - 30 * MINUTE_NS)]
    calls += [a_call((web, app)[n % 2], NOON_NS + n * MINUTE_NS) for n in range(10)]
    reservations = PostgresReservations(database)
    reservations.start()
    async with PostgresLedger(database) as ledger:
        for held, _ in calls:
            reservations.hold(held)
        await reservations.flush()
        for _, entry in calls:
            ledger.record(entry)
        await ledger.flush()
    await reservations.aclose()
    call = BookedCall(entry=calls[5][1])
    correction = call.corrected(
        usage=call.usage, cost=Money(20 * CENT), reason="the bill", posted_at_ns=NOON_NS
    )
    assert await PostgresCorrections(database).post(correction)
    await database.aclose()
    return Past(cli, team, (web, app))


async def test_the_command_line_tells_what_would_have_been_refused(past: Past) -> None:
    assert (await past.cli("seed")).returncode == 0
    before = await past.all_rows()

    found = await past.told()

    # Ten cents of before, and 50 for as long as each goes on: after the fifth, of twenty cents,
    # there is no room for another.
    assert (found["calls"], found["admitted"], found["refused"]) == (10, 5, 5)
    assert (found["cost_usd"], found["simulated_cost_usd"]) == ("1.10", "0.60")
    assert (found["warmed_up_calls"], found["unreserved_calls"]) == (1, 0)
    (limit,) = found["limits"]
    assert (limit["scope"], limit["scope_name"]) == ("team", "acme/research")
    assert (limit["measure"], limit["amount"], limit["per"]) == ("money", "1.00", "day")
    assert (limit["refused"], limit["refused_tokens"]) == (5, 100)
    assert limit["refused_cost_usd"] == "0.50"
    assert limit["first_refused_at"] == "2024-10-07T12:05:00Z"
    assert limit["last_refused_at"] == "2024-10-07T12:09:00Z"
    assert await past.all_rows() == before


async def test_limits_and_prices_are_supposed_in_the_words_that_set_them(past: Past) -> None:
    found = await past.told(
        *("--limit", "money none --team acme/research --per day"),
        *("--limit", f"requests 3 --key {past.keys[0].id} --per day"),
        *("--limit", "tokens 0 --key app --per minute --soft"),
        *("--price", "openai gpt-4o-mini --input 1000 --output 1000"),
        *("--until", "2024-10-07T12:08"),
    )

    # Web's calls are half of eight, and one of before.
    assert (found["calls"], found["refused"], found["warned"]) == (8, 2, 4)
    by_key = {line["name"]: line for line in found["by_key"]}
    assert (by_key["web"]["admitted"], by_key["web"]["refused"]) == (2, 2)
    assert (by_key["app"]["admitted"], by_key["app"]["warned"]) == (4, 4)
    assert by_key["app"]["simulated_cost_usd"] == "0.08"
    assert by_key["web"]["cost_usd"] == "0.50"
    refusing, warning = found["limits"]
    assert (refusing["scope_name"], refusing["refused"]) == ("web", 2)
    assert (warning["scope_name"], warning["warned"], warning["refused"]) == ("app", 4, 0)


async def test_what_is_supposed_may_stand_in_a_file(past: Past, tmp_path: Path) -> None:
    target = {"provider": "mistral", "model": "mistral-small-latest"}
    price = {"provider": "mistral", "model": target["model"], "input": "2000", "output": "0"}
    supposed = {
        "from": "2024-10-07T12:05:00Z",
        "without_limits": True,
        "routes": [{"model": "gpt-*", "targets": [target]}],
        "prices": [price],
        "scale": 3,
    }
    (tmp_path / "what-if.json").write_text(json.dumps(supposed))

    found = await told(past.cli, "simulate", "--file", "what-if.json", "--scale", "2")

    assert (found["calls"], found["admitted"], found["warmed_up_calls"]) == (5, 10, 0)
    was, supposed_one = found["by_provider"]
    assert (was["name"], was["calls"], was["admitted"]) == ("openai", 5, 0)
    assert (supposed_one["name"], supposed_one["admitted"]) == ("mistral", 10)
    assert supposed_one["simulated_cost_usd"] == "0.30"


async def test_the_table_tells_limits_and_costs(past: Past) -> None:
    done = await past.cli("simulate", "--from", "2024-10-07T12:00", "--by", "key", COLUMNS="200")

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["refused", "5"] in lines
    assert any(line[:2] == ["team", "acme/research"] for line in lines)
    assert any(line[:4] == ["app", "5", "2", "3"] for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("--limit", "hats 5 --team research --per day"), 2, "'limits.0.measure'"),
        (("--limit", "money 5 --team sales --per day"), 1, "no team 'sales'"),
        (("--price", "openai gpt-4o --input free --output 1"), 2, "'prices.0.input'"),
    ],
)
async def test_a_mistake_is_one_line_that_names_the_field(
    cli: Langroute, arguments: tuple[str, str], code: int, named: str
) -> None:
    done = await cli("simulate", "--from", "2024-10-07", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert named in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


async def test_without_a_beginning_the_option_for_it_is_named(cli: Langroute) -> None:
    done = await cli("simulate", "--without-limits")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'--from'" in done.stderr


async def test_what_the_gateway_let_in_is_let_in_again_over_http(scene: Scene) -> None:
    running = scene.running
    for _ in range(3):
        await scene.chat(max_tokens=50)
    entries = await running.entries(3)
    cost = sum(Decimal(entry["cost_usd"]) for entry in entries)
    start = min(entry["at"] for entry in entries)

    same = await running.call("POST", "/api/simulate", {"from": start})
    limits = [{"measure": "requests", "amount": 2, "per": "minute", "key": "*"}]
    fewer = await running.call("POST", "/api/simulate", {"from": start, "limits": limits})
    free = {"provider": "openai", "model": "gpt-4o-mini", "input": 0, "output": 0}
    for_free = await running.call("POST", "/api/simulate", {"from": start, "prices": [free]})

    assert same.status == 200, same
    assert (same.body["calls"], same.body["refused"], same.body["unreserved_calls"]) == (3, 0, 0)
    assert Decimal(same.body["cost_usd"]) == Decimal(same.body["simulated_cost_usd"]) == cost > 0
    assert (fewer.body["admitted"], fewer.body["refused"]) == (2, 1)
    assert Decimal(for_free.body["simulated_cost_usd"]) == 0


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "from"),
        ({"from": "2024-10-07", "limit": []}, "limit"),
        ({"from": "2024-10-07", "until": "2024-10-07"}, "until"),
        ({"from": "2024-10-07", "scale": 0}, "scale"),
        ({"from": "9999-12-31T23:59:59-14:00"}, "from"),
        (
            {
                "from": "2024-10-07",
                "limits": [{"measure": "money", "amount": 1, "per": "day", "organization": "x"}],
            },
            "limits.0.organization",
        ),
    ],
)
async def test_a_wrong_field_is_named_over_http(
    shared_gateway: RunningGateway, body: dict[str, Any], param: str
) -> None:
    answered = await shared_gateway.call("POST", "/api/simulate", body)

    assert (answered.status, answered.body["error"]["param"]) == (400, param)
