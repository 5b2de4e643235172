"""Prices of services, and of what is not sold by the token: set, shown and removed."""

from command_line import Langroute, told
from gateway_fixtures import Scene
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_reports import PostgresReports
from langroute.adapters.postgres.migrate import downgrade, migrate
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from langroute.domain.units import UnitRates, Units
from langroute.domain.usage import TokenUsage
from samples import new_entry


async def test_the_command_line_sets_and_removes_them(cli: Langroute) -> None:
    model = ("openai", "gpt-image-1")
    free = ("--input", "0", "--output", "0")
    unit = ("--unit", "images=0.04", "--unit", "images:hd=0.08")
    price = await told(cli, "prices", "set", *model, *free, *unit)
    assert price["units"] == {"images": "0.04", "images:hd": "0.08"}
    both = await told(
        cli, "prices", "set", *model, "--input", "2", "--output", "3", "--service", "priority"
    )
    assert (both["input"], both["services"]["priority"]["input"]) == ("0", "2")
    assert both["units"] == price["units"]
    table = await cli("prices", "list", "--provider", "openai")
    assert "images=0.04" in table.stdout
    removed = await told(cli, "prices", "remove-service", *model, "priority")
    assert (removed["services"], removed["units"]) == ({}, price["units"])

    for wrong in (
        ("set", *model, *free, "--unit", "pages=1"),
        ("set", *model, *free, "--unit", "images"),
        ("set", *model, *free, "--unit", "images=-1"),
        ("set", *model, *free, "--service", "default"),
        ("remove-service", *model, "priority"),
    ):
        assert (await cli("prices", *wrong)).returncode != 0


async def test_the_same_over_http(scene: Scene) -> None:
    running = scene.running
    model = {"provider": "openai", "model": "gpt-4o-mini"}
    rates = {"input": "1", "output": "2"}
    units = {"web_searches": "10", "requests": "5"}
    whole = await running.call("POST", "/api/prices", {**model, **rates, "units": units})
    assert (whole.status, whole.body["units"]) == (201, units)
    flex = {**model, "service": "flex", "input": "0.5", "output": "1"}
    beside = await running.call("POST", "/api/prices/services", flex)
    assert (beside.status, beside.body["input"], beside.body["units"]) == (201, "1", units)
    assert beside.body["services"]["flex"]["output"] == "1"
    await scene.chat()
    (entry,) = await running.entries()
    assert float(entry["cost_usd"]) > 0.005  # the fee of a request
    query = "provider=openai&model=gpt-4o-mini&service=flex"
    gone = await running.call("DELETE", f"/api/prices/services?{query}")
    assert (gone.status, gone.body["services"]) == (200, {})
    assert (await running.call("DELETE", f"/api/prices/services?{query}")).status == 404
    many = [{**rates, "above_prompt_tokens": number} for number in range(1, 22)]
    for path, body, param in (
        ("", {**model, **rates, "units": {"pages": "1"}}, "units"),
        ("", {**model, **rates, "units": {"images": "-1"}}, "units.images"),
        ("", {**model, **rates, "tiers": many}, "tiers"),
        ("/services", {**flex, "tiers": many}, "tiers"),
        ("/services", {**model, **rates, "service": "X"}, "service"),
        ("/services", {**model, "model": "none", **rates, "service": "flex"}, "service"),
    ):
        refused = await running.call("POST", f"/api/prices{path}", body)
        assert (refused.status, refused.body["error"]["param"]) == (400, param)
    missing = await running.call("DELETE", "/api/prices/services?provider=openai")
    assert (missing.status, missing.body["error"]["param"]) == (400, "model")


async def test_without_them_calls_keep_what_they_cost(empty_database: Database) -> None:
    """Migration 0014, there and back."""
    await migrate(empty_database.engine)
    async with PostgresLedger(empty_database) as ledger:
        usage = TokenUsage(input=1, cached_input=2, cached_audio_input=3, units=Units.of(images=2))
        ledger.record(new_entry(usage=usage, cost=Money(7)))
    rates = Rates(input=Money(5), output=Money(40), cached_image_input=Money(1))
    units = UnitRates({"images": Money(10**10)})
    tiers = (Tier(above_prompt_tokens=9, rates=rates),)
    price = ModelPrice(
        rates=rates,
        tiers=tiers,
        units=units,
        services=(Service("flex", ModelPrice(rates=rates, tiers=tiers, units=units)),),
    )
    dated = DatedPrice(provider="p", model="m", effective_from_ns=0, price=price)
    await PostgresCatalogues(empty_database).put(prices=[dated])

    await downgrade(empty_database.engine, "0013")
    await migrate(empty_database.engine)

    (row,) = (await PostgresCatalogues(empty_database).load()).prices.rows()
    plain = Rates(input=Money(5), output=Money(40))
    tiers = (Tier(above_prompt_tokens=9, rates=plain),)
    assert row.price == ModelPrice(
        rates=plain,
        tiers=tiers,
        services=(Service("flex", ModelPrice(rates=plain, tiers=tiers)),),
    )
    (entry,) = await PostgresReports(empty_database).entries(None, 10)
    assert (entry.usage, entry.cost) == (TokenUsage(input=1, cached_input=5), Money(7))
