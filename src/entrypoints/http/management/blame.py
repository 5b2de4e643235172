"""Which field of a body is at fault for what the domain refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

from ....domain.errors import InvalidRequest
from ....domain.fields import path


@contextmanager
def blamed_on(param: str) -> Iterator[None]:
    """For a value that cannot exist."""
    try:
        yield
    except ValueError as error:
        raise InvalidRequest(f"{error}.", param=param) from error


@contextmanager
def within(at: str) -> Iterator[None]:
    """For a part that names its own fields."""
    try:
        yield
    except InvalidRequest as error:
        raise InvalidRequest(str(error), param=path(at, error.param or "")) from error
