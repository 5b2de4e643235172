"""Of before, and without, classes and services that have prices of their own: migration 0011."""

from sqlalchemy import text

from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_reports import PostgresReports
from langroute.adapters.postgres.migrate import downgrade, migrate
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from langroute.domain.usage import TokenUsage
from samples import new_entry


async def test_without_them_calls_keep_what_they_cost(empty_database: Database) -> None:
    await migrate(empty_database.engine)
    async with PostgresLedger(empty_database) as ledger:
        usage = TokenUsage(input=1, cache_write=10, cache_write_1h=40, service="priority")
        ledger.record(new_entry(usage=usage, cost=Money(7)))
    rates = Rates(input=Money(5), output=Money(40), cache_write_1h=Money(10))
    price = ModelPrice(
        rates=rates,
        tiers=(Tier(above_prompt_tokens=9, rates=rates),),
        services=(Service("priority", ModelPrice(rates=rates)),),
    )
    dated = DatedPrice(provider="p", model="m", effective_from_ns=0, price=price)
    await PostgresCatalogues(empty_database).put(prices=[dated])

    await downgrade(empty_database.engine, "0010")

    async with empty_database.engine.connect() as connection:
        kept = await connection.execute(
            text("select cache_write_tokens, cost_usd from langroute.ledger")
        )
        assert kept.all() == [(50, Money(7).usd)]
        (written,) = await connection.scalars(text("select tiers from langroute.prices"))
    assert written == [{"above_prompt_tokens": 9, "input": "0.000005", "output": "0.00004"}]

    await migrate(empty_database.engine)

    (row,) = (await PostgresCatalogues(empty_database).load()).prices.rows()
    plain = Rates(input=Money(5), output=Money(40))
    tiers = (Tier(above_prompt_tokens=9, rates=plain),)
    assert row.price == ModelPrice(rates=plain, tiers=tiers)
    (entry,) = await PostgresReports(empty_database).entries(None, 10)
    assert (entry.usage, entry.cost) == (TokenUsage(input=1, cache_write=50), Money(7))
