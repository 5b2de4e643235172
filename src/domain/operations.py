from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import InvalidRequest
from .estimates import token_bound


class Operation(StrEnum):
    """What a model can be asked for beside a chat. The value is OpenAI's path."""

    EMBEDDINGS = "embeddings"
    MODERATIONS = "moderations"
    IMAGE_GENERATIONS = "images/generations"
    IMAGE_EDITS = "images/edits"
    IMAGE_VARIATIONS = "images/variations"
    SPEECH = "audio/speech"
    TRANSCRIPTIONS = "audio/transcriptions"
    TRANSLATIONS = "audio/translations"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file in a form. `name` is that of the field under which it was sent."""

    name: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """An operation as the caller asked for it: a JSON body, or the fields and files of a form.

    `input_bound` is the most tokens that its input can be; what it makes are no tokens that a cap
    could bound.
    """

    operation: Operation
    body: Mapping[str, Any]
    files: tuple[UploadedFile, ...] = ()
    model: str
    stream: bool = False
    output_cap: int | None = None
    choices: int = 1
    writes: bool = False

    @classmethod
    def parse(
        cls,
        operation: Operation,
        body: object,
        files: tuple[UploadedFile, ...] = (),
        default_model: str | None = None,
    ) -> "OperationRequest":
        """Raises InvalidRequest, naming the field."""
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        model = body.get("model") or default_model
        if model is None:
            raise InvalidRequest("Missing required parameter: 'model'.", param="model")
        if not isinstance(model, str):
            raise InvalidRequest("Invalid type for 'model': expected a string.", param="model")
        return cls(operation=operation, body=body, files=files, model=model)

    @property
    def input_bound(self) -> int:
        return token_bound([value for name, value in self.body.items() if name != "model"])
