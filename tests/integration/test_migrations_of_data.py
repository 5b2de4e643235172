"""What a gateway has written goes down with the schema, step by step, and comes up again."""

from dataclasses import replace

from sqlalchemy import text

from admitting import CLOCK, a_call
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.evidence import PostgresWitness
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.migrate import downgrade, migrate
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.revision import current, migrations_folder
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.credentials import Credential
from langroute.domain.ids import OrganizationId, TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import Organization, Team, organization_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Tier
from langroute.domain.units import Units
from langroute.domain.usage import TOKEN_CLASSES, TokenUsage
from postgres_fixtures import type_in
from samples import ENTROPY, entry_of, new_key

# Before there were organizations, partitions of the ledger, and counters.
_OLDEST = "0005"
_SPENT = """
    select sum(cost_usd), sum({tokens}), count(distinct request_id) from langroute.ledger
"""
_SERVICES = """
    update langroute.prices set units = '{"images": "0.04"}', services = '{"priority": {
        "input": "1", "output": "2", "cached_audio_input": "3", "units": {"images": "1"},
        "tiers": [{
            "above_prompt_tokens": 9, "input": "1", "output": "2", "cached_image_input": "3"
        }]
    }}'
"""
_TOTALS = "select total_cost, total_tokens, total_calls from langroute.virtual_keys"


async def test_all_that_was_written_survives_the_way_down_and_up(empty_database: Database) -> None:
    await migrate(empty_database.engine)
    await _live(empty_database)
    revisions = sorted(path.name[:4] for path in migrations_folder().glob("versions/*_*.py"))
    before = await _sums(empty_database)
    assert before[0][:2] == before[1][:2]

    for revision in reversed(revisions[revisions.index(_OLDEST) : -1]):
        await downgrade(empty_database.engine, revision)
        assert await current(empty_database.engine) == revision
        assert await _sums(empty_database) == before, revision

    for revision in revisions[revisions.index(_OLDEST) + 1 :]:
        await migrate(empty_database.engine, revision)
        assert await _sums(empty_database) == before, revision
    assert [
        row.price.rates for row in (await PostgresCatalogues(empty_database).load()).prices.rows()
    ]
    verdict = await VerifyLedger([PostgresWitness(empty_database, 900.0)])()
    assert verdict.differences == []


async def _live(database: Database) -> None:
    """A little of all that a gateway writes."""
    key = await _configured(database)
    budget = Limit(scope=key.scope, measure=Measure.MONEY, amount=10**27, window=FOR_GOOD)
    admission = PostgresAdmission(database, CLOCK, within_s=60)
    asks = [replace(a_call(key.id), end_user="ann", tag="t") for _ in range(3)]
    for ask in asks:
        await admission.admit(ask, [budget])
    await admission.aclose()
    usage = TokenUsage(
        **{name: place for place, name in enumerate(TOKEN_CLASSES, 1)},
        service="priority",
        units=Units({"web_searches": 2}),
    )
    async with PostgresLedger(database) as ledger:
        for ask in asks[:2]:
            ledger.record(entry_of(ask, usage, Money(10**12)))
    corrections = PostgresCorrections(database)
    call = await corrections.call(asks[0].request_id)
    assert call is not None
    less = TokenUsage(cached_audio_input=1, cache_write_1h=2, image_output=3, output=1)
    assert await corrections.post(
        call.corrected(usage=less, cost=Money(5), reason="a test", posted_at_ns=CLOCK.now_ns())
    )


async def _configured(database: Database) -> VirtualKey:
    acme = Organization(id=OrganizationId(ENTROPY.uuid()), name="acme")
    of_acme = Limit(scope=organization_scope(acme.id), measure=Measure.TOKENS, amount=10**9)
    team = Team(id=TeamId(ENTROPY.uuid()), name="research", organization=acme)
    key = replace(new_key(), team=team)
    organizations = PostgresOrganizations(database)
    await organizations.put(replace(acme, limits=(of_acme,)))
    await organizations.put_team(team)
    await PostgresKeys(database).put(key)
    await PostgresCredentials(database).put(
        Credential(owner=key.id, provider="openai", sealed="sealed")
    )
    rates = Rates(
        input=Money(5), output=Money(40), cache_write_1h=Money(9), cached_audio_input=Money(3)
    )
    tier = Tier(above_prompt_tokens=9, rates=rates)
    price = ModelPrice(rates=rates, tiers=(tier,))
    await PostgresCatalogues(database).put(
        prices=[DatedPrice(provider="openai", model="m", effective_from_ns=0, price=price)]
    )
    await type_in(
        database,
        "insert into langroute.routes (model, unbounded) values ('m', 'debt')",
        _SERVICES,
    )
    return key


async def _sums(database: Database) -> list[tuple[object, ...]]:
    async with database.engine.connect() as connection:
        columns = await connection.scalars(
            text("""
                select attname from pg_attribute where attrelid = 'langroute.ledger'::regclass
                    and attname like '%\\_tokens' and not attisdropped
            """)
        )
        spent = _SPENT.format(tokens=" + ".join(columns))
        return [tuple((await connection.execute(text(sql))).one()) for sql in (spent, _TOTALS)]
