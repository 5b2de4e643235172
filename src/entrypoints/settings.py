import ipaddress
from importlib.util import find_spec
from typing import Any

from pydantic import AliasChoices, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from .call_settings import CallSettings
from .limit_settings import LimitSettings
from .server_settings import ServerSettings


class WrongSettings(Exception):
    """`str()` names each setting that is wrong, and why; never its value."""


class Settings(CallSettings, LimitSettings, ServerSettings):
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
    def admission_store(self) -> str:
        return self.admission or ("memory" if self.workers == 1 else "postgres")

    @property
    def sharers_of_limits(self) -> int:
        return self.sharers or self.workers


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
