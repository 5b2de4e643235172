from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, NoDecode

from .setting_types import (
    AdminKey,
    EncryptionKey,
    Optional,
    Port,
    PostgresUrl,
    Seconds,
    Separated,
)


class ServerSettings(BaseSettings):
    """How it is reached, who administers it, and where it keeps what it knows."""

    database_url: Annotated[
        PostgresUrl | None,
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
        Separated,
        Field(
            description="Earlier encryption keys, separated by commas: they still open, until "
            "`langroute providers reseal` has run.",
        ),
    ] = []
    admin_key: Annotated[
        AdminKey | None,
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
    database_pool_size: Annotated[
        int, Field(ge=1, le=100, description="The most connections to Postgres.")
    ] = 5
    retention_months: Annotated[
        Annotated[int, Field(ge=2, le=1200)] | None,
        Optional,
        Field(
            description="How many months of the ledger are kept beside the present one; older ones "
            "are dropped whole. Without it, all of them."
        ),
    ] = None
    audit_retention_months: Annotated[
        Annotated[int, Field(ge=1, le=1200)] | None,
        Optional,
        Field(
            description="How many months of the audit log are kept beside the present one; older "
            "changes are deleted. Without it, all of them."
        ),
    ] = None
    shutdown_timeout_s: Annotated[
        Seconds, Field(description="How long calls under way may take to end after SIGTERM.")
    ] = 30.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="What is logged.")
    ] = "info"

    @property
    def admin_key_text(self) -> str | None:
        return self.admin_key.get_secret_value() if self.admin_key else None
