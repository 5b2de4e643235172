"""What an operator types in psql works where it makes sense, and else harms nothing."""

import logging
from dataclasses import replace

import asyncpg
import pytest

from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.domain.errors import InvalidRequest
from langroute.domain.keys import digest_of
from langroute.domain.limits import MINUTE, Limits
from langroute.domain.money import Money
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.routes import Unsupported
from langroute.domain.usage import TokenUsage
from postgres_fixtures import type_in

_PROVIDER = """
    insert into langroute.providers (name, kind, base_url)
    values ('openai', 'openai', 'https://api.openai.com/v1')
"""
_ROUTE = "insert into langroute.routes (model) values ('gpt-4o')"
_TARGET = """
    insert into langroute.route_targets (route, provider, model)
    values ('gpt-4o', 'openai', 'gpt-4o-2024-08-06')
"""
_PRICE = """
    insert into langroute.prices (provider, model, input_usd_per_mtok, output_usd_per_mtok)
    values ('openai', 'gpt-4o-2024-08-06', 2.5, 10)
"""
_KEY = "insert into langroute.virtual_keys (name, digest) values ('mine', sha256('lrvk_mine'))"

_TEAM = """
    with acme as (insert into langroute.organizations (name) values ('acme') returning id)
    insert into langroute.teams (organization_id, name) select id, 'research' from acme
"""
_JOIN = "update langroute.virtual_keys set team_id = (select id from langroute.teams)"
_LIMIT = """
    insert into langroute.limits (team_id, measure, amount, window_s)
    select id, 'requests', 5, 60 from langroute.teams
"""


def _limits(values: str, columns: str = "measure, amount, window_s", carrier: str = "team") -> str:
    table = {"team": "teams", "organization": "organizations", "key": "virtual_keys"}[carrier]
    return f"""
        insert into langroute.limits ({carrier}_id, {columns})
        select id, {values} from langroute.{table}
    """


_REFUSED = [
    "insert into langroute.providers values ('', 'openai', 'https://x')",
    "insert into langroute.providers values ('x', 'openai', 'api.openai.com')",
    "update langroute.routes set output_cap = 0",
    "update langroute.routes set unsupported = 'ignore'",
    "update langroute.routes set unsupported = null",
    "update langroute.routes set unbounded = 'allow'",
    "update langroute.routes set aliases = array[null]",
    "update langroute.routes set aliases = '{{a},{b}}'",
    "update langroute.route_targets set weight = 0",
    "update langroute.route_targets set model = 'a*b*'",
    "update langroute.route_targets set provider = 'nobody'",
    "delete from langroute.providers",
    "update langroute.prices set input_usd_per_mtok = -1",
    "update langroute.prices set output_usd_per_mtok = 'NaN'",
    "update langroute.prices set output_usd_per_mtok = 'Infinity'",
    "update langroute.prices set image_input_usd_per_mtok = -1",
    "update langroute.prices set image_output_usd_per_mtok = 'NaN'",
    "update langroute.prices set effective_from = '-infinity'",
    "update langroute.prices set tiers = '{}'",
    "update langroute.prices set services = '[]'",
    "update langroute.prices set cache_write_1h_usd_per_mtok = 'NaN'",
    "update langroute.virtual_keys set digest = 'abc'",
    "update langroute.virtual_keys set requests_per_minute = -1",
    "update langroute.virtual_keys set tokens_per_minute = -1",
    "update langroute.virtual_keys set expires_at = 'infinity'",
    "update langroute.virtual_keys set created_at = '0044-03-15 BC'",
    "update langroute.virtual_keys set allowed_models = array[null]",
    "insert into langroute.provider_credentials (provider, sealed) values ('openai', '')",
    "insert into langroute.organizations (name) values ('')",
    "insert into langroute.organizations (name) values ('acme')",
    "update langroute.organizations set allowed_models = array[null]",
    "delete from langroute.organizations",
    "insert into langroute.teams (name) values (''), ('x')",
    "insert into langroute.teams (name) values ('x'), ('x')",
    """insert into langroute.teams (organization_id, name)
    select organization_id, name from langroute.teams""",
    "update langroute.teams set organization_id = gen_random_uuid()",
    "delete from langroute.teams",
    "update langroute.virtual_keys set team_id = gen_random_uuid()",
    "insert into langroute.limits (measure, amount, window_s) values ('requests', 1, 1)",
    "update langroute.limits set organization_id = (select id from langroute.organizations)",
    "update langroute.limits set team_id = null",
    _LIMIT,
    _limits("'requests', 6, 60, true", "measure, amount, window_s, soft"),
    _limits("'wishes', 1, 60"),
    _limits("'requests', -1, 1"),
    _limits("'money', -0.01, 1"),
    _limits("'money', 'NaN', 1"),
    _limits("'money', 'Infinity', 1"),
    _limits("'requests', 1.5, 1"),
    _limits("'tokens', 1, 0"),
    _limits("'tokens', 1, 2678401"),
    _limits("'tokens', 1", "measure, amount"),
    _limits("'tokens', 1, 60, 'day'", "measure, amount, window_s, period"),
    _limits("'tokens', 1, 'year'", "measure, amount, period"),
    _limits("'tokens', 1, 'day', 'Europe/Berln'", "measure, amount, period, zone"),
    _limits("'tokens', 1, 'day', ''", "measure, amount, period, zone"),
    _limits("'tokens', 1, 'day', null", "measure, amount, period, zone"),
    _limits("'tokens', 1, 'never', 'Europe/Berlin'", "measure, amount, period, zone"),
    _limits("'tokens', 1, 60, 'Europe/Berlin'", "measure, amount, window_s, zone"),
    _limits("'parallel', 1, 60"),
    _limits("'parallel', 1, 'day'", "measure, amount, period"),
    _limits("'tokens', 1, 60, 'a*b*'", "measure, amount, window_s, model"),
    _limits("'tokens', 1, 60, ''", "measure, amount, window_s, end_user"),
    _limits("'tokens', 1, 60, '**'", "measure, amount, window_s, tag"),
    _limits("'requests', 1, 60", carrier="key"),
    _limits("'tokens', 1, 60", carrier="key"),
]


async def test_short_inserts_make_a_working_gateway(database: Database) -> None:
    await type_in(database, _PROVIDER, _ROUTE, _TARGET, _PRICE, _KEY)

    catalogue = await PostgresCatalogues(database).load()
    key = await PostgresKeys(database).by_digest(digest_of("lrvk_mine"))

    route = catalogue.route("gpt-4o")
    assert route is not None
    assert route.unsupported is Unsupported.DROP
    (target,) = route.targets
    price = catalogue.prices.at(target.provider, target.model, 1)
    assert price is not None
    assert price.cost_of(TokenUsage(input=1, output=1)) == Money(12_500_000)
    assert key is not None
    assert (key.name, key.limits, key.allowed_models) == ("mine", Limits(), ())
    assert key.id.version == 7


async def test_ids_made_by_the_database_come_in_order(database: Database) -> None:
    statement = "insert into langroute.virtual_keys (name, digest) values ($1, sha256($2))"
    connection = await database.connect()
    for number in range(3):
        await connection.execute(statement, str(number), str(number).encode())
        # Ids are in order from one millisecond to the next.
        await connection.execute("select pg_sleep(0.002)")
    await connection.close()

    page = await PostgresKeys(database).page(None, 10)

    assert [key.name for key in page] == ["0", "1", "2"]


@pytest.mark.parametrize("statement", _REFUSED)
async def test_the_database_refuses_what_the_gateway_could_not_read(
    database: Database, statement: str
) -> None:
    connection = await database.connect()
    try:
        for made in (_PROVIDER, _ROUTE, _TARGET, _PRICE, _KEY, _TEAM, _JOIN, _LIMIT):
            await connection.execute(made)

        with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("statement", "left_out"),
    [
        ("insert into langroute.routes (model) values ('lonely')", "routes: lonely"),
        ("insert into langroute.routes (model) values ('a*b*')", "routes: a*b*"),
        (_PRICE.replace("gpt-4o-2024-08-06", "x"), ""),
        ("""update langroute.prices set tiers = '[1]'""", "prices: openai/gpt-4o-2024-08-06/"),
        ("""update langroute.prices set tiers = '[{"input": 1, "output": 2}]'""", "prices: "),
        (
            """update langroute.prices set tiers
            = '[{"above_prompt_tokens": 0, "input": 1, "output": 2}]'""",
            "prices: ",
        ),
        (
            """update langroute.prices set tiers
            = '[{"above_prompt_tokens": 9, "input": "cheap", "output": 2}]'""",
            "prices: ",
        ),
        (
            """update langroute.prices set tiers
            = '[{"above_prompt_tokens": 9, "input": 0.0000001, "output": 2}]'""",
            "prices: ",
        ),
        (
            """update langroute.prices set tiers
            = '[{"above_prompt_tokens": 9, "input": 1, "output": 2, "imput": 3}]'""",
            "prices: ",
        ),
        (
            """insert into langroute.routes (model) values ('many');
            insert into langroute.route_targets (route, provider, model)
            select 'many', 'openai', 'm' || number from generate_series(1, 51) as n (number)""",
            "routes: many",
        ),
        ("""update langroute.prices set services = '{"flex": 1}'""", "prices: "),
        ("""update langroute.prices set services = '{"flex": {"input": 1}}'""", "prices: "),
        (
            """update langroute.prices set services
            = '{"flex": {"input": 1, "output": 1, "tiers": {}}}'""",
            "prices: ",
        ),
        (
            """update langroute.prices set services = '{"": {"input": 1, "output": 1}}'""",
            "prices: ",
        ),
    ],
)
async def test_a_row_that_makes_no_sense_is_left_out_alone(
    database: Database, caplog: pytest.LogCaptureFixture, statement: str, left_out: str
) -> None:
    await type_in(database, _PROVIDER, _ROUTE, _TARGET, _PRICE, statement)

    with caplog.at_level(logging.WARNING):
        catalogue = await PostgresCatalogues(database).load()

    assert set(catalogue.providers) == {"openai"}
    assert [route.model for route in catalogue.routes] == ["gpt-4o"]
    assert any(left_out in line for line in caplog.messages) if left_out else not caplog.messages


async def test_limits_typed_in_hold_for_the_keys_below(database: Database) -> None:
    await type_in(
        database,
        *(_KEY, _TEAM, _JOIN, _LIMIT),
        _limits("'money', 0.5, 'month', 'Europe/Berlin', 'gpt-*', '*', true",
                "measure, amount, period, zone, model, end_user, soft", "organization"),
        _limits("'parallel', 3, 'never'", "measure, amount, period", "key"),
        _limits("'tokens', 9, 60, '*'", "measure, amount, window_s, tag", "key"),
    )  # fmt: skip

    key = await PostgresKeys(database).by_digest(digest_of("lrvk_mine"))

    assert key is not None
    assert key.team is not None
    assert key.team.path == "acme/research"
    told = {limit.name: (limit.amount, limit.window, limit.soft) for limit in key.all_limits}
    assert told == {
        "requests a minute of the team": (5, MINUTE, False),
        "money a month of model 'gpt-*' of end user '*' of the organization": (
            5 * 10**11,
            Period(every=Every.MONTH, zone="Europe/Berlin"),
            True,
        ),
        "parallel calls of the key": (3, FOR_GOOD, False),
        "tokens a minute of tag '*' of the key": (9, MINUTE, False),
    }


async def test_more_limits_than_can_be_given_hold_where_they_were_typed_in(
    database: Database,
) -> None:
    await type_in(
        database,
        _KEY,
        """
        insert into langroute.limits (key_id, measure, amount, window_s)
        select id, 'tokens', 1, 100 + number
        from langroute.virtual_keys, generate_series(1, 60) as numbers (number)
        """,
    )
    limits = PostgresLimits(database)

    key = await PostgresKeys(database).by_digest(digest_of("lrvk_mine"))

    assert key is not None
    assert len(key.further_limits) == 60
    first, *_ = key.further_limits
    await limits.set(replace(first, amount=2))
    assert await limits.lift(key.scope, first.id)
    with pytest.raises(InvalidRequest):
        await limits.set(first)


async def test_a_limit_that_cannot_be_read_refuses_rather_than_being_lost(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    # Postgres takes names of zones in any letters, and some that are no places.
    await type_in(
        database,
        *(_KEY, _TEAM, _JOIN, _LIMIT),
        _limits("'money', 5, 'day', 'europe/berlin'", "measure, amount, period, zone"),
        _limits("'money', 5, 'day', 'UTC+3', true", "measure, amount, period, zone, soft", "key"),
        _limits("'money', 5, 'day', 'UTC+3', 'gpt-*'", "measure, amount, period, zone, model",
                "organization"),
    )  # fmt: skip
    keys = PostgresKeys(database)

    with caplog.at_level(logging.WARNING):
        key = await keys.by_digest(digest_of("lrvk_mine"))

    assert key is not None
    told = {limit.name: (limit.amount, limit.soft) for limit in key.all_limits}
    assert told == {
        "requests a minute of the team": (5, False),
        "requests of the team": (0, False),
        "requests of the key": (0, True),
        "requests of model 'gpt-*' of the organization": (0, False),
    }
    assert sum("'europe/berlin' is not the name of a time zone" in m for m in caplog.messages) == 1
    assert sum("warns of each of its calls" in message for message in caplog.messages) == 1

    # Who changes something else does not touch it; who lifts what stands for it removes it.
    await keys.put(replace(key, name="renamed"))
    assert await keys.by_id(key.id) == replace(key, name="renamed")
    assert await _zones(database) == ["UTC+3", "UTC+3", "europe/berlin"]
    limits = PostgresLimits(database)
    refusing = next(limit for limit in key.all_limits if limit.name == "requests of the team")
    assert await limits.lift(refusing.scope, refusing.id)
    assert await _zones(database) == ["UTC+3", "UTC+3"]


async def _zones(database: Database) -> list[str]:
    connection = await database.connect()
    try:
        rows = await connection.fetch(
            "select zone from langroute.limits where zone <> 'UTC' order by zone"
        )
    finally:
        await connection.close()
    return [row["zone"] for row in rows]


async def test_a_team_without_keys_takes_its_limits_with_it(database: Database) -> None:
    await type_in(database, _TEAM, _LIMIT, "delete from langroute.teams")

    connection = await database.connect()
    try:
        assert await connection.fetchval("select count(*) from langroute.limits") == 0
    finally:
        await connection.close()


async def test_a_tier_may_be_written_with_numbers(database: Database) -> None:
    tiers = """update langroute.prices set tiers =
        '[{"above_prompt_tokens": 10, "input": 0.1, "output": "0.000001", "reasoning": 3,
          "image_input": "10"}]'"""
    await type_in(database, _PRICE, tiers)

    (row,) = (await PostgresCatalogues(database).load()).prices.rows()

    rates = row.price.rates_for(11)
    assert (rates.input, rates.output, rates.reasoning, rates.image_input) == (
        Money(100_000),
        Money(1),
        Money(3_000_000),
        Money(10_000_000),
    )


async def test_a_key_takes_its_credentials_with_it(database: Database) -> None:
    await type_in(
        database,
        _KEY,
        "insert into langroute.provider_credentials (owner, provider, sealed) "
        "select id, 'openai', 'sealed' from langroute.virtual_keys",
        "insert into langroute.provider_credentials (provider, sealed) values ('openai', 'all')",
        "delete from langroute.virtual_keys",
    )

    (left,) = await PostgresCredentials(database).all()

    assert left.owner is None
