from collections.abc import Sequence
from dataclasses import dataclass

from .dialects import Dialect, Native
from .errors import InvalidRequest
from .estimates import input_bound, likely_tokens, token_bound
from .fields import Json, is_of, missing, whole_number, wrong_type
from .requests import end_user_in
from .services import service_asked, service_in
from .unbounded import other_models, unbounded
from .units import NO_UNITS, Units

_NUMBER = (int, float)
_FIELD_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "stream": ((bool,), "true or false"),
    "stream_options": ((dict,), "an object"),
    "max_tokens": ((int,), "a whole number"),
    "max_completion_tokens": ((int,), "a whole number"),
    "n": ((int,), "a whole number"),
    "temperature": (_NUMBER, "a number"),
    "top_p": (_NUMBER, "a number"),
    "frequency_penalty": (_NUMBER, "a number"),
    "presence_penalty": (_NUMBER, "a number"),
    "seed": ((int,), "a whole number"),
    "stop": ((str, list), "a string or an array of strings"),
    "tools": ((list,), "an array"),
    "tool_choice": ((str, dict), "a string or an object"),
    "parallel_tool_calls": ((bool,), "true or false"),
    "response_format": ((dict,), "an object"),
    "logit_bias": ((dict,), "an object"),
    "logprobs": ((bool,), "true or false"),
    "top_logprobs": ((int,), "a whole number"),
    "user": ((str,), "a string"),
    "metadata": ((dict,), "an object"),
}
_MAX_CHOICES = 128
# So many are written, and paid for, however few are shown. The last is llama.cpp's own:
# https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
_CHOICES = frozenset({"n", "best_of", "n_cmpl"})
_MAX_CAP = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A chat completion as the caller sent it, and the few facts that the gateway decides on.

    `output_cap` is the caller's own, for each choice; `max_tokens` and `max_completion_tokens`
    are one cap, the lower one where both are given.
    """

    body: Json
    model: str
    stream: bool = False
    include_usage: bool = False
    output_cap: int | None = None
    choices: int = 1
    native: Native | None = None
    tag: str | None = None
    writes: bool = True
    shrink: bool | None = None

    @property
    def end_user(self) -> str | None:
        return end_user_in(self.body)

    @property
    def unbounded(self) -> str | None:
        native = self.native
        # What the dialect does not know may have passed into the translation.
        return (native and unbounded(native.dialect, native.body)) or unbounded(None, self.body)

    @property
    def other_models(self) -> str | None:
        native = self.native
        return (native and other_models(native.body)) or other_models(self.body)

    @property
    def service(self) -> str | None:
        native = self.native
        if native is not None and native.dialect is Dialect.MESSAGES:
            return service_in(native.body)
        return service_asked(self.body if native is None else native.body)

    @property
    def input_bound(self) -> int:
        return self.input_bound_at(())

    def input_bound_at(self, models: Sequence[str], /) -> int:
        """The most tokens that the input can be, in whichever dialect it is sent."""
        bound = input_bound(self.body, models)
        return bound if self.native is None else max(bound, input_bound(self.native.body, models))

    @property
    def rejected_output(self) -> int:
        """What a caller thinks that the model will say is sold as output where it does not:
        https://platform.openai.com/docs/api-reference/chat/object"""
        prediction = self.body.get("prediction")
        return token_bound(prediction) if prediction else 0

    @property
    def likely_input(self) -> int:
        return likely_tokens(self.input_bound)

    def output_bound(self, _model: str, /) -> int:
        """Its cap is, whatever the model."""
        return (self.output_cap or 0) * self.choices

    def likely_output(self, _model: str, /) -> int:
        """Whatever is said can be seen."""
        return 0

    @property
    def output_class(self) -> str:
        return "output"

    @property
    def units_bound(self) -> Units:
        return NO_UNITS

    @property
    def likely_units(self) -> Units:
        return NO_UNITS

    @classmethod
    def parse(cls, body: object, native: Native | None = None) -> "ChatRequest":
        """`native` is what the caller wrote, where `body` is a translation of it. Raises
        InvalidRequest, naming the field."""
        if not isinstance(body, dict):
            raise InvalidRequest("The request body must be a JSON object.")
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise _wrong("model", "a string" if "model" in body else None)
        _check_messages(body)
        for name, value in body.items():
            known = _FIELD_TYPES.get(name)
            if known and value is not None and not is_of(known[0], value):
                raise _wrong(name, known[1])
        if body.get("deferred"):
            # xAI's: nobody could come back for the answer, or is told what it will have cost.
            raise InvalidRequest(
                "'deferred' is not supported: LangRoute keeps no answers.", param="deferred"
            )
        stream = bool(body.get("stream"))
        options = body.get("stream_options") or {}
        include_usage = options.get("include_usage")
        if include_usage is not None and not isinstance(include_usage, bool):
            raise _wrong("stream_options.include_usage", "true or false")
        if options and not stream:
            raise InvalidRequest(
                "'stream_options' is only allowed with 'stream': true.", param="stream_options"
            )
        return cls(
            body=body,
            model=model,
            stream=stream,
            include_usage=bool(include_usage),
            output_cap=_output_cap(body),
            choices=max(_choices(body), 1 if native is None else _choices(native.body)),
            native=native,
        )


def _check_messages(body: Json) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise _wrong("messages", "an array" if "messages" in body else None)
    if not messages:
        raise InvalidRequest("'messages' must hold at least one message.", param="messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise _wrong(f"messages.{index}", "an object")
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not role:
            raise _wrong(f"messages.{index}.role", "a string" if "role" in message else None)
        if content is not None and not isinstance(content, str | list):
            raise _wrong(f"messages.{index}.content", "a string or an array of parts")
        if isinstance(content, list):
            for part_index, part in enumerate(content):
                if not isinstance(part, dict):
                    raise _wrong(f"messages.{index}.content.{part_index}", "an object")


def _choices(body: Json) -> int:
    if _CHOICES.isdisjoint(body):
        return 1
    counts = (whole_number(body, name, 1, _MAX_CHOICES) for name in sorted(_CHOICES))
    return max((count for count in counts if count is not None), default=1)


def _output_cap(body: Json) -> int | None:
    names = ("max_tokens", "max_completion_tokens")
    caps = (whole_number(body, name, 1, _MAX_CAP) for name in names)
    return min((cap for cap in caps if cap is not None), default=None)


def _wrong(param: str, expected: str | None) -> InvalidRequest:
    return missing(param) if expected is None else wrong_type(param, expected)
