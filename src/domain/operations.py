from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from . import operation_bounds as bounds
from .errors import InvalidRequest
from .fields import missing, wrong_type
from .operation_fields import asks_for_events, check_fields, check_names
from .requests import end_user_in
from .services import service_in
from .unbounded import other_models, unbounded_operation
from .units import Units


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

    @property
    def takes_form(self) -> bool:
        return self in _FORMS

    @property
    def takes_json(self) -> bool:
        """Edits take both: pictures as files, or by reference."""
        return self not in _FORMS or self is Operation.IMAGE_EDITS

    def check_sent_as(self, *, form: bool) -> None:
        """Raises InvalidRequest for a form where JSON is expected, and the other way round."""
        if form and not self.takes_form:
            raise InvalidRequest(f"'{self}' takes a JSON body, 'application/json', not a form.")
        if not form and not self.takes_json:
            raise InvalidRequest(f"'{self}' takes a form, 'multipart/form-data', not another body.")

    @property
    def makes_bytes(self) -> bool:
        """Sound, or a text that is no JSON, such as subtitles."""
        return self.startswith("audio/")

    @property
    def draws(self) -> bool:
        return self.startswith("images/")

    @property
    def listens(self) -> bool:
        return self in {Operation.TRANSCRIPTIONS, Operation.TRANSLATIONS}


_FORMS = frozenset(
    {
        Operation.IMAGE_EDITS,
        Operation.IMAGE_VARIATIONS,
        Operation.TRANSCRIPTIONS,
        Operation.TRANSLATIONS,
    }
)
# OpenAI's document gives no other operation a default.
_DEFAULT_MODELS = {Operation.MODERATIONS: "omni-moderation-latest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file in a form. `name` is that of the field under which it was sent."""

    name: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """An operation as the caller asked for it: a JSON body, or a form, whose `files` are then not
    None. A form's field that was sent several times is a list in `body`.

    What an operation makes are no tokens that a cap could bound: `output_bound` tells the most, as
    far as anybody can.
    """

    operation: Operation
    body: Mapping[str, Any]
    files: tuple[UploadedFile, ...] | None = None
    model: str
    stream: bool = False
    output_cap: int | None = None
    choices: int = 1
    rejected_output: int = 0
    tag: str | None = None
    writes: bool = False
    shrink: bool | None = None

    @property
    def end_user(self) -> str | None:
        return end_user_in(self.body)

    @property
    def service(self) -> str | None:
        return service_in(self.body)

    @property
    def other_models(self) -> str | None:
        return other_models(self.body)

    @property
    def unbounded(self) -> str | None:
        return self.other_models or (
            unbounded_operation(self.body) if self.operation.listens else None
        )

    @classmethod
    def parse(
        cls,
        operation: Operation,
        body: object,
        files: tuple[UploadedFile, ...] | None = None,
    ) -> "OperationRequest":
        """Raises InvalidRequest, naming the field."""
        operation.check_sent_as(form=files is not None)
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        model = body.get("model")
        if model is None:
            model = _DEFAULT_MODELS.get(operation)
        if model is None:
            raise missing("model")
        if not isinstance(model, str) or not model:
            raise wrong_type("model", "a string")
        if files is None:
            check_fields(operation, body)
        else:
            check_names(operation, body, {file.name for file in files})
        stream = asks_for_events(operation, body)
        return cls(operation=operation, body=body, files=files, model=model, stream=stream)

    @property
    def input_bound(self) -> int:
        """The most tokens that the input can be: a text has no more of them than bytes."""
        return bounds.input_tokens(self.operation, self.body, self._uploads)

    def input_bound_at(self, _models: Sequence[str], /) -> int:
        return self.input_bound

    @property
    def likely_input(self) -> int:
        """For an operation whose provider did not tell what it used.

        Nothing for moderations: OpenAI's are free, and tell no usage for that reason. Mistral's are
        sold by the token, and tell it.
        """
        if self.operation is Operation.MODERATIONS:
            return 0
        return bounds.likely_input_tokens(self.operation, self.body, self._uploads)

    def output_bound(self, model: str) -> int:
        return bounds.output_tokens(self.operation, self.body, self._uploads, model)

    def likely_output(self, model: str) -> int:
        return bounds.likely_output_tokens(self.operation, self.body, model)

    @property
    def output_class(self) -> str:
        if self.operation.draws:
            return "image_output"
        return "audio_output" if self.operation is Operation.SPEECH else "output"

    @property
    def units_bound(self) -> Units:
        return bounds.units(self.operation, self.body, self._uploads)

    @property
    def likely_units(self) -> Units:
        return bounds.units(self.operation, self.body, self._uploads, likely=True)

    @property
    def _uploads(self) -> tuple[bytes, ...]:
        return tuple(file.data for file in self.files or ())
