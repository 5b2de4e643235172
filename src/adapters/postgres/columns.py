from typing import Any

from sqlalchemy import ARRAY, bindparam, func
from sqlalchemy.types import TypeEngine


def column(name: str, of_type: TypeEngine[Any]) -> Any:
    """A parameter that takes a whole column at once, so that a batch of any size is one statement
    that Postgres has prepared already."""
    return func.unnest(bindparam(name, type_=ARRAY(of_type))).label(name)
