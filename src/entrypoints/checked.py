from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.errors import InvalidRequest

ModelT = TypeVar("ModelT", bound=BaseModel)


def checked(model: type[ModelT], given: object) -> ModelT:
    """Raises InvalidRequest, naming the field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = ".".join(str(step) for step in first["loc"] if step != "[key]")
        if not param:
            raise InvalidRequest("The request body must be a JSON object.") from error
        told = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"'{param}': {told}.", param=param) from error
