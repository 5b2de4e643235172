from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .errors import InvalidRequest
from .estimates import likely_tokens, token_bound
from .fields import missing, wrong_type
from .operation_fields import asks_for_events, check_fields, check_names
from .requests import end_user_in
from .services import service_in
from .unbounded import unbounded_operation


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

# The fields that a model reads, and those that hold pictures where there are no files.
_READ = ("input", "prompt", "instructions", "negative_prompt", "context_bias")
_PICTURES = ("image", "images", "mask")
# At high fidelity, gpt-image adds up to 6,144 to an input picture's tiles:
# https://platform.openai.com/docs/guides/image-generation
_PER_IMAGE = 8_192
# OpenAI hears some ten tokens a second, Mistral 12.5, and fills up the last half minute. Hardly a
# recording spends fewer bytes on a token than the first; at 128 kbit/s it is the second. Longer
# ones than an hour are counted as that, like those that chats refer to.
_LEAST_BYTES_PER_AUDIO_TOKEN = 16
_LIKELY_BYTES_PER_AUDIO_TOKEN = 1_600
_HALF_A_MINUTE = 375
_MAX_AUDIO_TOKENS = 45_000
# OpenAI sells a minute of speech for 1.5 cents, and a million of its tokens for 12 dollars:
# https://platform.openai.com/docs/pricing. Somebody who reads aloud says some 15 letters a second.
_SPOKEN_TOKENS_PER_MINUTE = 1_250
_LETTERS_PER_MINUTE = 900


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

    What an operation makes are no tokens that a cap could bound.
    """

    operation: Operation
    body: Mapping[str, Any]
    files: tuple[UploadedFile, ...] | None = None
    model: str
    stream: bool = False
    output_cap: int | None = None
    choices: int = 1
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
    def unbounded(self) -> str | None:
        return unbounded_operation(self.body) if self.operation.listens else None

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
        recordings = self._recordings(_LEAST_BYTES_PER_AUDIO_TOKEN, filled_up_by=_HALF_A_MINUTE)
        return self._token_ids() + self._text_bytes() + self._pictures() * _PER_IMAGE + recordings

    @property
    def likely_input(self) -> int:
        """For an operation whose provider did not tell what it used.

        Nothing for moderations: OpenAI's are free, and tell no usage for that reason. Mistral's are
        sold by the token, and tell it.
        """
        if self.operation is Operation.MODERATIONS:
            return 0
        guessed = likely_tokens(self._text_bytes() + self._pictures() * _PER_IMAGE)
        return self._token_ids() + guessed + self._recordings(_LIKELY_BYTES_PER_AUDIO_TOKEN)

    @property
    def likely_output(self) -> int:
        """Beside what is seen of an answer: how long the speech is, for which no usage is told."""
        spoken = self.body.get("input")
        if self.operation is not Operation.SPEECH or not isinstance(spoken, str):
            return 0
        return -(-len(spoken) * _SPOKEN_TOKENS_PER_MINUTE // _LETTERS_PER_MINUTE)

    def _token_ids(self) -> int:
        """What is sent as numbers of tokens is as many tokens."""
        given = self.body.get("input")
        if self.operation is not Operation.EMBEDDINGS or not isinstance(given, list):
            return 0
        return sum(len(ids) if isinstance(ids, list) else isinstance(ids, int) for ids in given)

    def _text_bytes(self) -> int:
        read = [name for name in _READ if name != "input" or not self._token_ids()]
        return token_bound([self.body[name] for name in read if name in self.body])

    def _pictures(self) -> int:
        if self.operation.makes_bytes:
            return 0
        told = (self.body[name] for name in _PICTURES if self.body.get(name) is not None)
        by_reference = sum(len(one) if isinstance(one, list) else 1 for one in told)
        return by_reference + len(self.files or ())

    def _recordings(self, bytes_per_token: int, filled_up_by: int = 0) -> int:
        """How many tokens there are in them, at so many bytes for one."""
        if not self.operation.listens:
            return 0
        sizes = (len(file.data) for file in self.files or ())
        heard = (-(-size // bytes_per_token) + filled_up_by for size in sizes)
        return sum(min(_MAX_AUDIO_TOKENS, tokens) for tokens in heard)
