from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from ..domain.limits import Limits
from .setting_types import Optional, RedisUrl, Seconds


class LimitSettings(BaseSettings):
    """What limits a new key has, and where limits are counted."""

    requests_per_minute: Annotated[
        int, Field(ge=0, le=10**15, description="The limit of a new virtual key.")
    ] = 60
    tokens_per_minute: Annotated[
        int, Field(ge=0, le=10**15, description="The limit of a new virtual key.")
    ] = 200_000
    admission: Annotated[
        Literal["memory", "postgres", "redis"] | None,
        Optional,
        Field(
            description="Where limits are counted: `memory`, of this process, or `postgres`, for "
            "all processes on one database, or `redis`, for all on one Redis or Valkey. Without "
            "it, `postgres` if there are several workers."
        ),
    ] = None
    redis_url: Annotated[
        RedisUrl | None,
        Optional,
        Field(
            description="The Redis or Valkey where limits are counted: `redis://`, `rediss://` or "
            "`unix://`; `redis+cluster://` or `rediss+cluster://` for a cluster."
        ),
    ] = None
    sharers: Annotated[
        Annotated[int, Field(ge=1, le=100_000)] | None,
        Optional,
        Field(
            description="How many processes share limits, on all machines together: each goes on "
            "with its part while they cannot be counted elsewhere. Without it, the workers."
        ),
    ] = None
    store_timeout_s: Annotated[
        Seconds, Field(description="How long a call waits for limits that are counted elsewhere.")
    ] = 1.0
    store_away: Annotated[
        Literal["local", "refuse"],
        Field(
            description="While the database is away: `local` goes on with what is in memory, "
            "`refuse` answers 503, before anything of an answer is passed on that is not on record."
        ),
    ] = "local"

    @property
    def default_limits(self) -> Limits:
        return Limits(
            requests_per_minute=self.requests_per_minute, tokens_per_minute=self.tokens_per_minute
        )

    @property
    def redis_url_text(self) -> str:
        return self.redis_url.get_secret_value() if self.redis_url else ""

    @property
    def goes_on_without_store(self) -> bool:
        return self.store_away == "local"
