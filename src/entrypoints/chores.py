"""What is done again and again while a gateway serves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager

from ..adapters.postgres.old_changes import PostgresOldChanges
from ..adapters.postgres.partitions import PostgresPartitions
from ..application.calls.expire_reservations import ExpireReservations
from ..domain.errors import StoreUnavailable
from .container import Container

_SWEEP_S = 5.0
_DAY_S = 24 * 3600.0
_LOG = logging.getLogger(__name__)


@contextmanager
def sweeping(container: Container) -> Iterator[None]:
    with _meanwhile(_sweep(container.gateway().expire_reservations)):
        yield


@contextmanager
def forgetting_replies(container: Container) -> Iterator[None]:
    with _meanwhile(container.forget_replies()()):
        yield


@contextmanager
def keeping_up(partitions: PostgresPartitions, changes: PostgresOldChanges) -> Iterator[None]:
    """The months of the ledger, and the audit log's old changes, once a day. Apart from all else:
    to drop a month may take minutes."""
    with _meanwhile(_keep_up(partitions, changes)):
        yield


async def make_ahead(partitions: PostgresPartitions) -> None:
    try:
        await partitions.make_ahead()
    except StoreUnavailable:
        _LOG.warning("could not make the months ahead of the ledger; trying again tomorrow")


@contextmanager
def _meanwhile(chore: Coroutine[object, object, None]) -> Iterator[None]:
    task = asyncio.create_task(chore)
    try:
        yield
    finally:
        task.cancel()


async def _keep_up(partitions: PostgresPartitions, changes: PostgresOldChanges) -> None:
    while True:
        await _drop("months of the ledger", partitions.drop_old)
        await _drop("changes of the audit log", changes.forget)
        await asyncio.sleep(_DAY_S)
        await make_ahead(partitions)


async def _drop(what: str, drop: Callable[[], Awaitable[None]]) -> None:
    try:
        await drop()
    except StoreUnavailable:
        _LOG.warning("could not drop old %s; trying again tomorrow", what)
    except Exception:  # noqa: BLE001  (if this ended, no month would be made ahead any more)
        _LOG.exception("could not drop old %s; trying again tomorrow", what)


async def _sweep(expire: ExpireReservations) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            lost = await expire()
        except StoreUnavailable:
            _LOG.warning("cannot look for calls that other processes have lost; trying again")
        except Exception:  # noqa: BLE001  (if this ended, no lost call would be settled again)
            _LOG.exception("could not settle expired reservations; trying again")
        else:
            if lost:
                _LOG.warning("settled %d expired reservations at their bound", lost)
