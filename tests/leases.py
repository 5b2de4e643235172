"""Leases that run out as if the time had passed: then every lost call is settled at its bound."""

import asyncio
import json
from time import time_ns
from typing import Any

import asyncpg

from langroute.adapters.postgres.database import Database
from postgres_fixtures import type_in
from valkey_fixtures import Valkey

_OPEN = """
    select held.* from langroute.reservations held where not exists (
        select from langroute.ledger
        where ledger.at = held.at and ledger.request_id = held.request_id
    )
"""
_LATER = (
    "alter table langroute.reservations disable trigger append_only",
    "update langroute.reservations set lease_until = greatest(at, now() - interval '1 second')",
    "alter table langroute.reservations enable trigger append_only",
)
# In an ask, as a Valkey keeps it.
_LEASE = 9
# Sweeps come every five seconds, and find a hundred calls each.
_PATIENCE_S = 60


async def open_calls(database: Database) -> "list[asyncpg.Record]":
    connection = await database.connect()
    try:
        return await connection.fetch(_OPEN)
    finally:
        await connection.close()


async def end_leases(database: Database) -> None:
    await type_in(database, *_LATER)


async def lose_leases(database: Database, valkey: Valkey | None = None) -> None:
    """For when no call is under way any more. Returns once no lost one is left."""
    if valkey is not None:
        await _lose_those_in(valkey)
    await end_leases(database)
    async with asyncio.timeout(_PATIENCE_S):
        while await open_calls(database) or (valkey and await _leases_in(valkey)):
            await asyncio.sleep(0.05)


async def _lose_those_in(valkey: Valkey) -> None:
    client: Any
    now_ns = time_ns()
    now_ms = now_ns // 10**6
    async with valkey.client() as client:
        async for leases in client.scan_iter("langroute:*:leases"):
            tenant = leases.removesuffix("leases")
            for call in await client.zrange(leases, 0, -1):
                ask, *claims = (await client.get(f"{tenant}call:{call}")).split("\n")
                told = json.loads(ask)
                told[_LEASE] = now_ns
                kept = "\n".join([json.dumps(told), *claims])
                await client.set(f"{tenant}call:{call}", kept, xx=True, keepttl=True)
                await client.zadd(leases, {call: now_ms})
        for tenant in await client.zrange("langroute:tenants", 0, -1):
            await client.zadd("langroute:tenants", {tenant: now_ms})


async def _leases_in(valkey: Valkey) -> int:
    async with valkey.client() as client:
        return sum([await client.zcard(key) async for key in client.scan_iter("*:leases")])
