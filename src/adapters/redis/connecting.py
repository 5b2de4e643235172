"""A client for an address, of one server or of a cluster. It does not try anything twice, and waits
for answers for ever: `Line` knows what may be done again, and how long a batch may take."""

import asyncio
import logging

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

_CLUSTER = "+cluster://"
# RESP2: every server speaks it, without a word beforehand.
_PROTOCOL = 2

_KEEPS_ALL = "noeviction"
_WARN_S = 2.0

Client = Redis | RedisCluster

_log = logging.getLogger(__name__)


def connect(url: str, within_s: float = 1.0) -> Client:
    """`redis://`, `rediss://` and `unix://` as redis-py knows them, and `redis+cluster://` or
    `rediss+cluster://` for a cluster. Raises ValueError for any other. Connecting takes no longer
    than `within_s`."""
    retry = Retry(NoBackoff(), 0)
    if _CLUSTER in url:
        return RedisCluster.from_url(
            url.replace(_CLUSTER, "://", 1),
            socket_timeout=None,
            socket_connect_timeout=within_s,
            retry=retry,
            protocol=_PROTOCOL,
        )
    return Redis.from_url(
        url,
        socket_timeout=None,  # one of the library's costs a task for each batch
        socket_connect_timeout=within_s,
        retry=retry,
        protocol=_PROTOCOL,
    )


async def warn_of_evictions(client: Client) -> None:
    """A counter that is thrown away for want of memory forgives what it has counted."""
    if isinstance(client, RedisCluster):
        return
    try:
        async with asyncio.timeout(_WARN_S):
            memory = await client.info("memory")
    except ResponseError:  # not everybody may ask
        return
    policy = memory.get("maxmemory_policy", _KEEPS_ALL)
    if memory.get("maxmemory", 0) and policy != _KEEPS_ALL:
        _log.warning("Redis may throw counters away: its maxmemory-policy is %s", policy)
