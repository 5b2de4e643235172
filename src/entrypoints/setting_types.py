"""What the text of a setting may be. What is wrong is said without the value."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_MIN_ADMIN_KEY = 16


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
AdminKey = Annotated[SecretStr, AfterValidator(_admin_key)]
EncryptionKey = Annotated[SecretStr, AfterValidator(_encryption_key)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
Separated = BeforeValidator(_split)
Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[int, Field(ge=1, le=10**9)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
