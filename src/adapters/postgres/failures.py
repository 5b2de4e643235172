"""What can go wrong on the way to Postgres, and what it means."""

import asyncpg
from asyncpg.exceptions import DataError
from sqlalchemy.exc import SQLAlchemyError

FOREIGN = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # TimeoutError is one
)

# What cannot even be put on the wire: too large a number, a time beyond the year 9999.
_UNSENDABLE = (DataError, ArithmeticError, UnicodeError)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_STATEMENT_AT_FAULT = ("22", "23")  # data exceptions, violated constraints
_UNIQUE_VIOLATION = "23505"
_DATABASE_AT_FAULT = (
    "25",  # the transaction's state: read-only, after a failover
    "28",  # the login was refused
    "3D",  # there is no such database
    "3F",  # there is no such schema
    "42",  # a table that is missing or may not be used: not migrated
)


def blames_the_values(error: BaseException) -> bool:
    """Whether other values would have gone through, so that repeating these is no use."""
    if any(isinstance(cause, _UNSENDABLE) for cause in _causes(error)):
        return True
    return _sqlstate(error)[:2] in _STATEMENT_AT_FAULT


def needs_an_operator(error: BaseException) -> bool:
    """Whether waiting alone will not help."""
    return blames_the_values(error) or _sqlstate(error)[:2] in _DATABASE_AT_FAULT


def told(error: BaseException) -> str:
    """For the log: without the values, which may be secret. Postgres' details have them, too."""
    cause = _causes(error)[-1]
    if isinstance(cause, asyncpg.PostgresError):
        return f"{cause.args[0]} ({_sqlstate(cause)})" if cause.args else _sqlstate(cause)
    return type(cause).__name__ if blames_the_values(cause) else str(cause)


def is_there_already(error: BaseException) -> bool:
    """Whether a unique constraint was violated."""
    return _sqlstate(error) == _UNIQUE_VIOLATION


def _sqlstate(error: BaseException) -> str:
    states = (getattr(cause, "sqlstate", None) for cause in _causes(error))
    return next((state for state in states if isinstance(state, str)), "")


def _causes(error: BaseException) -> list[BaseException]:
    causes, cause = [], error
    while True:
        causes.append(cause)
        if cause.__cause__ is None:
            return causes
        cause = cause.__cause__
