import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Delete, Table, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.catalogues import Catalogues, StillInUse
from ...domain.catalogue import Catalogue
from ...domain.errors import NotFound
from ...domain.pricing import DatedPrice
from ...domain.providers import Provider
from ...domain.routes import ModelRoute
from .catalogue_rows import (
    MALFORMED,
    AnyRow,
    price_of,
    provider_of,
    route_of,
    row_of_price,
    row_of_provider,
    row_of_route,
    rows_of_targets,
)
from .database import Database
from .tables.catalogue import PRICES, PROVIDERS, ROUTE_TARGETS, ROUTES

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_READ_TARGETS = select(ROUTE_TARGETS).order_by(
    ROUTE_TARGETS.c.position,
    ROUTE_TARGETS.c.provider.collate("C"),
    ROUTE_TARGETS.c.model.collate("C"),
)
# There may be none yet of a model, which could be locked. Whoever reads prices does not wait.
_NO_OTHER_PRICES = text("lock table langroute.prices in share row exclusive mode")


class PostgresCatalogues:
    """Each method raises StoreUnavailable. A row that cannot be read is left out, with a warning:
    one slip in psql must not stop every call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> Catalogue:
        async with self._database.reading() as connection:
            return await _read(connection)

    async def put(
        self,
        *,
        providers: Iterable[Provider] = (),
        routes: Iterable[ModelRoute] = (),
        prices: Iterable[DatedPrice] = (),
    ) -> None:
        routes = {route.model: route for route in routes}.values()
        async with self._database.changing() as connection:
            await _put_rows(connection, PROVIDERS, [row_of_provider(each) for each in providers])
            await _lock_providers_of(connection, routes)
            await _put_rows(connection, ROUTES, [row_of_route(each) for each in routes])
            for route in routes:
                # What stays is not taken out and put back: the audit log would tell of both.
                await connection.execute(_targets_other_than(route))
                await _put_rows(connection, ROUTE_TARGETS, rows_of_targets(route))
            await _put_rows(connection, PRICES, [row_of_price(each) for each in prices])

    async def change_prices(
        self, change: Callable[[Catalogue], Sequence[DatedPrice]]
    ) -> Sequence[DatedPrice]:
        async with self._database.changing() as connection:
            await connection.execute(_NO_OTHER_PRICES)
            prices = change(await _read(connection))
            await _put_rows(connection, PRICES, [row_of_price(each) for each in prices])
            return prices

    async def remove_provider(self, name: str) -> bool:
        named = PROVIDERS.c.name == name
        pointing = select(ROUTE_TARGETS.c.route).where(ROUTE_TARGETS.c.provider == name).distinct()
        async with self._database.changing() as connection:
            # Until the end, no route can be made to point there.
            await connection.execute(select(PROVIDERS).where(named).with_for_update())
            routes = tuple(sorted(await connection.scalars(pointing)))
            if routes:
                raise StillInUse(routes)
            return (await connection.execute(delete(PROVIDERS).where(named))).rowcount > 0

    async def remove_route(self, model: str) -> bool:
        async with self._database.changing() as connection:
            gone = await connection.execute(delete(ROUTES).where(ROUTES.c.model == model))
            return gone.rowcount > 0


async def _read(connection: AsyncConnection) -> Catalogue:
    providers = (await connection.execute(select(PROVIDERS))).all()
    routes = (await connection.execute(select(ROUTES))).all()
    targets: dict[str, list[AnyRow]] = defaultdict(list)
    for row in await connection.execute(_READ_TARGETS):
        targets[row.route].append(row)
    prices = (await connection.execute(select(PRICES))).all()
    return Catalogue.of(
        providers=_readable(PROVIDERS, providers, provider_of),
        routes=_readable(
            ROUTES,
            # Not sorted by Postgres, whose alphabets differ from one database to the next.
            sorted(routes, key=lambda row: row.model),
            lambda row: route_of(row, targets[row.model]),
        ),
        prices=_readable(PRICES, prices, price_of),
    )


def _readable(table: Table, rows: Sequence[AnyRow], read: Callable[[AnyRow], _T]) -> Iterator[_T]:
    for row in rows:
        try:
            yield read(row)
        except MALFORMED as error:
            name = "/".join(str(row._mapping[column.name]) for column in table.primary_key)
            _log.warning("left out of %s: %s: %s", table.name, name, error)


async def _put_rows(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, object]]
) -> None:
    if not rows:
        return
    added = insert(table)
    key = [column.name for column in table.primary_key]
    await connection.execute(
        added.on_conflict_do_update(
            index_elements=key,
            set_={name: added.excluded[name] for name in rows[0] if name not in key},
        ),
        rows,
    )


def _targets_other_than(route: ModelRoute) -> Delete:
    target = ROUTE_TARGETS.c
    kept = [(each.provider, each.model) for each in route.targets]
    return delete(ROUTE_TARGETS).where(
        target.route == route.model, tuple_(target.provider, target.model).not_in(kept)
    )


async def _lock_providers_of(connection: AsyncConnection, routes: Iterable[ModelRoute]) -> None:
    """So that none of them goes away before the routes are there. Raises NotFound."""
    wanted = sorted({target.provider for route in routes for target in route.targets})
    query = (
        select(PROVIDERS.c.name)
        .where(PROVIDERS.c.name.in_(wanted))
        .order_by(PROVIDERS.c.name)
        .with_for_update(read=True, key_share=True)
    )
    there = set((await connection.scalars(query)).all())
    for name in wanted:
        if name not in there:
            raise NotFound("provider", name)


_: type[Catalogues] = PostgresCatalogues
