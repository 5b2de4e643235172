from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from ...domain.errors import InvalidRequest, NotFound
from ..ports.organizations import NameTaken

_MAX_NAME = 200
_MOST_MODELS, _LONGEST_MODEL = 1_000, 256


def check_own_name(name: str) -> None:
    """Of an organization or a team: other than a key's, it names something. Raises
    InvalidRequest."""
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise InvalidRequest(
            f"A name has 1 to {_MAX_NAME} characters, all of them printable.", param="name"
        )
    if "/" in name or _is_id(name):
        raise InvalidRequest("A name holds no '/', and is no UUID.", param="name")


def check_models(patterns: tuple[str, ...]) -> None:
    """Raises InvalidRequest."""
    if len(patterns) > _MOST_MODELS:
        raise InvalidRequest(
            f"No more than {_MOST_MODELS} models can be allowed by name: a '*' stands for many.",
            param="allowed_models",
        )
    for pattern in patterns:
        if len(pattern) > _LONGEST_MODEL:
            raise InvalidRequest(
                f"A model has a name of at most {_LONGEST_MODEL} characters.",
                param="allowed_models",
            )
        if not pattern or pattern.count("*") > 1 or not pattern.isprintable():
            raise InvalidRequest(
                f"{pattern!r} is not a model name with at most one '*'.", param="allowed_models"
            )


@contextmanager
def taken_names_refused(what: str, name: str) -> Iterator[None]:
    try:
        yield
    except NameTaken as error:
        raise InvalidRequest(f"There is another {what} {name!r}.", param="name") from error


@contextmanager
def missing_refused(param: str) -> Iterator[None]:
    """What a field names and is not found is the field's fault, and not the path's."""
    try:
        yield
    except NotFound as error:
        if error.what != param:
            raise
        raise InvalidRequest(str(error), param=param) from error


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
