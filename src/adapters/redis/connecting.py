"""A client for an address, of one server or of a cluster. It does not try anything twice: `Line`
does, and knows what may be."""

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_CLUSTER = "+cluster://"
# RESP2: every server speaks it, without a word beforehand.
_PROTOCOL = 2

Client = Redis | RedisCluster


def connect(url: str, within_s: float = 1.0) -> Client:
    """`redis://`, `rediss://` and `unix://` as redis-py knows them, and `redis+cluster://` or
    `rediss+cluster://` for a cluster. Raises ValueError for any other."""
    retry = Retry(NoBackoff(), 0)
    if _CLUSTER in url:
        return RedisCluster.from_url(
            url.replace(_CLUSTER, "://", 1),
            socket_timeout=within_s,
            socket_connect_timeout=within_s,
            retry=retry,
            protocol=_PROTOCOL,
        )
    return Redis.from_url(
        url,
        socket_timeout=within_s,
        socket_connect_timeout=within_s,
        retry=retry,
        protocol=_PROTOCOL,
    )
