import ipaddress
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ..domain.limits import Limits
from ..domain.timeouts import Timeouts

_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_MIN_ADMIN_KEY = 16


class WrongSettings(Exception):
    """`str()` names each setting that is wrong, and why; never its value."""


def _encryption_key(secret: SecretStr) -> SecretStr:
    if not _HEX_KEY.fullmatch(secret.get_secret_value()):
        raise ValueError("must be 64 hexadecimal characters (`openssl rand -hex 32`)")
    return secret


def _admin_key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < _MIN_ADMIN_KEY or not text.isascii() or not text.isprintable():
        raise ValueError(f"must have at least {_MIN_ADMIN_KEY} printable ASCII characters")
    return secret


def _postgres_url(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("must be a postgresql:// URL")
    return secret


def _redis_url(secret: SecretStr) -> SecretStr:
    schemes = ("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://")
    url = secret.get_secret_value()
    try:
        is_good = url.startswith(schemes) and urlsplit(url).port != 0
    except ValueError:  # it would quote a part of the URL
        is_good = False
    if not is_good:
        raise ValueError("must be a redis:// URL; what is special in a password is to be escaped")
    return secret


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _none_if_empty(value: object) -> object:
    """`NAME=` in a file or a shell means that it is not set."""
    return None if value == "" else value


Optional = BeforeValidator(_none_if_empty)
EncryptionKey = Annotated[SecretStr, AfterValidator(_encryption_key)]
Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Everything that the environment, or a `.env` file beside it, decides.

    Names carry the prefix `LANGROUTE_`; a few that every platform knows are read without it.
    """

    model_config = SettingsConfigDict(
        env_prefix="LANGROUTE_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: Annotated[
        Annotated[SecretStr, AfterValidator(_postgres_url)] | None,
        Optional,
        Field(
            validation_alias=AliasChoices("DATABASE_URL", "LANGROUTE_DATABASE_URL"),
            description="The Postgres to use. Without it, LangRoute starts one of its own.",
        ),
    ] = None
    encryption_key: Annotated[
        EncryptionKey | None,
        Optional,
        Field(
            validation_alias=AliasChoices("ENCRYPTION_KEY", "LANGROUTE_ENCRYPTION_KEY"),
            description="Seals the providers' keys: 64 hexadecimal characters. Wanted with "
            "DATABASE_URL; otherwise one is made at first start and kept in the data directory.",
        ),
    ] = None
    old_encryption_keys: Annotated[
        list[EncryptionKey],
        NoDecode,
        BeforeValidator(_split),
        Field(
            description="Earlier encryption keys, separated by commas: they still open, until "
            "`langroute credentials reseal` has run.",
        ),
    ] = []
    admin_key: Annotated[
        Annotated[SecretStr, AfterValidator(_admin_key)] | None,
        Optional,
        Field(description="What administrators send as their bearer token."),
    ] = None
    # Not read from HOST: some shells export the machine's own name under it.
    host: Annotated[
        str,
        Field(
            description="The address to listen on. One that others can reach wants an admin key.",
        ),
    ] = "127.0.0.1"
    port: Annotated[
        Port,
        Field(
            validation_alias=AliasChoices("PORT", "LANGROUTE_PORT"),
            description="The port to listen on; 0 takes any free one.",
        ),
    ] = 3000
    workers: Annotated[
        int, Field(ge=1, le=256, description="How many processes `langroute serve` runs.")
    ] = 1
    dev: Annotated[
        bool,
        Field(description="Development: administration is open to this machine, without a key."),
    ] = False
    data_dir: Annotated[
        Path, Field(description="Where the embedded Postgres and its encryption key live.")
    ] = Path(".langroute")
    requests_per_minute: Annotated[
        int, Field(ge=0, description="The limit of a new virtual key.")
    ] = 60
    tokens_per_minute: Annotated[
        int, Field(ge=0, description="The limit of a new virtual key.")
    ] = 200_000
    default_output_cap: Annotated[
        Positive,
        Field(
            description="The output, in tokens, that is reserved for a call with no cap of its own "
            "and whose route has none; sent to the provider where the key has a token limit."
        ),
    ] = 4096
    max_body_bytes: Annotated[
        int, Field(ge=1024, description="The largest request body that is read.")
    ] = 32 * 1024 * 1024
    connect_timeout_s: Annotated[Seconds, Field(description="To connect to a provider.")] = 5.0
    first_byte_timeout_s: Annotated[
        Seconds, Field(description="Until a provider begins to answer.")
    ] = 120.0
    idle_timeout_s: Annotated[
        Seconds,
        Field(description="Between two pieces of an answer, from a provider or to a caller."),
    ] = 60.0
    total_timeout_s: Annotated[
        Seconds, Field(description="For a call in all, with every attempt.")
    ] = 600.0
    database_pool_size: Annotated[
        int, Field(ge=1, le=100, description="The most connections to Postgres.")
    ] = 5
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
        Annotated[SecretStr, AfterValidator(_redis_url)] | None,
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
    retention_months: Annotated[
        Annotated[int, Field(ge=2, le=1200)] | None,
        Optional,
        Field(
            description="How many months of the ledger are kept beside the present one; older ones "
            "are dropped whole. Without it, all of them."
        ),
    ] = None
    max_connections: Annotated[
        Positive, Field(description="The most connections to providers at a time.")
    ] = 1000
    shutdown_timeout_s: Annotated[
        Seconds, Field(description="How long calls under way may take to end after SIGTERM.")
    ] = 30.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="What is logged.")
    ] = "info"

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.database_url is not None and self.encryption_key is None:
            raise ValueError("ENCRYPTION_KEY must be set where DATABASE_URL is")
        if self.workers > 1 and self.admission == "memory":
            raise ValueError("LANGROUTE_ADMISSION must not be memory with several workers")
        if self.admission == "redis":
            if self.redis_url is None:
                raise ValueError("LANGROUTE_REDIS_URL must be set with LANGROUTE_ADMISSION=redis")
            if find_spec("redis") is None:
                raise ValueError(
                    "LANGROUTE_ADMISSION=redis wants one more package: "
                    "pip install 'langroute[redis]'"
                )
        if not is_loopback(self.host):
            if self.dev:
                raise ValueError("LANGROUTE_HOST must be a loopback address with LANGROUTE_DEV")
            if self.admin_key is None:
                raise ValueError(
                    "LANGROUTE_ADMIN_KEY must be set where others can reach LANGROUTE_HOST"
                )
        return self

    @property
    def admin_key_text(self) -> str | None:
        return self.admin_key.get_secret_value() if self.admin_key else None

    @property
    def admission_store(self) -> str:
        return self.admission or ("memory" if self.workers == 1 else "postgres")

    @property
    def redis_url_text(self) -> str:
        return self.redis_url.get_secret_value() if self.redis_url else ""

    @property
    def sharers_of_limits(self) -> int:
        return self.sharers or self.workers

    @property
    def goes_on_without_store(self) -> bool:
        return self.store_away == "local"

    @property
    def default_limits(self) -> Limits:
        return Limits(
            requests_per_minute=self.requests_per_minute, tokens_per_minute=self.tokens_per_minute
        )

    @property
    def longest_call_s(self) -> float:
        """With its lease, and with what a lease is lengthened by."""
        return self.total_timeout_s + self.idle_timeout_s + 120.0

    @property
    def timeouts(self) -> Timeouts:
        return Timeouts(
            connect_s=self.connect_timeout_s,
            first_byte_s=self.first_byte_timeout_s,
            idle_s=self.idle_timeout_s,
            total_s=self.total_timeout_s,
        )


def load_settings(**given: Any) -> Settings:
    """From the environment and `.env`; `given` goes before both. Raises WrongSettings."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise WrongSettings(
            "\n".join(
                f"{_name_of(detail['loc'])}{detail['msg'].removeprefix('Value error, ')}"
                for detail in error.errors(include_input=False, include_context=False)
            )
        ) from None  # the original carries the values


def _name_of(loc: tuple[int | str, ...]) -> str:
    return f"{environment_name(str(loc[0]))}: " if loc else ""


def environment_name(field: str) -> str:
    """What a setting is called in the environment."""
    if field.isupper():
        return field
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return f"LANGROUTE_{field.upper()}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
