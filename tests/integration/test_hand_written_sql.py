"""What an operator types in psql works where it makes sense, and else harms nothing."""

import logging

import asyncpg
import pytest

from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.domain.keys import digest_of
from langroute.domain.limits import Limits
from langroute.domain.money import Money
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

_REFUSED = [
    "insert into langroute.providers values ('', 'openai', 'https://x')",
    "insert into langroute.providers values ('x', 'openai', 'api.openai.com')",
    "update langroute.routes set output_cap = 0",
    "update langroute.routes set unsupported = 'ignore'",
    "update langroute.routes set unsupported = null",
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
    "update langroute.virtual_keys set digest = 'abc'",
    "update langroute.virtual_keys set requests_per_minute = -1",
    "update langroute.virtual_keys set tokens_per_minute = -1",
    "update langroute.virtual_keys set expires_at = 'infinity'",
    "update langroute.virtual_keys set created_at = '0044-03-15 BC'",
    "update langroute.virtual_keys set allowed_models = array[null]",
    "insert into langroute.provider_credentials (provider, sealed) values ('openai', '')",
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
        for made in (_PROVIDER, _ROUTE, _TARGET, _PRICE, _KEY):
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
