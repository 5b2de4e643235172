"""What is done again and again while a gateway serves."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..adapters.postgres.partitions import PostgresPartitions
from ..application.calls.expire_reservations import ExpireReservations
from ..domain.errors import StoreUnavailable
from .container import Container

_SWEEP_S = 5.0
_DAY_S = 24 * 3600.0
_LOG = logging.getLogger(__name__)


@contextmanager
def sweeping(container: Container, partitions: PostgresPartitions | None = None) -> Iterator[None]:
    sweep = asyncio.create_task(_sweep(container.gateway().expire_reservations, partitions))
    try:
        yield
    finally:
        sweep.cancel()


@contextmanager
def forgetting_replies(container: Container) -> Iterator[None]:
    forgetting = asyncio.create_task(container.forget_replies()())
    try:
        yield
    finally:
        forgetting.cancel()


async def keep_up(partitions: PostgresPartitions) -> None:
    try:
        await partitions.keep_up()
    except StoreUnavailable:
        _LOG.warning("could not make the months ahead of the ledger; trying again tomorrow")


async def _sweep(expire: ExpireReservations, partitions: PostgresPartitions | None) -> None:
    loop = asyncio.get_running_loop()
    next_day_s = loop.time() + _DAY_S
    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            if partitions is not None and loop.time() >= next_day_s:
                next_day_s += _DAY_S
                await keep_up(partitions)
            lost = await expire()
        except StoreUnavailable:
            _LOG.warning("cannot look for calls that other processes have lost; trying again")
        except Exception:  # noqa: BLE001  (if this ended, no lost call would be settled again)
            _LOG.exception("could not settle expired reservations; trying again")
        else:
            if lost:
                _LOG.warning("settled %d expired reservations at their bound", lost)
