"""The most that an operation can use, and what it probably does: what it reads, what it makes, and
what of that is not sold by the token."""

from collections.abc import Mapping, Sequence
from typing import Any

from .estimates import likely_tokens, token_bound, written_anew
from .fields import count_in
from .pictures import picture_tokens
from .recordings import likely_seconds, most_seconds
from .units import NO_UNITS, Units, unit_of

Json = Mapping[str, Any]

SPEECH = "audio/speech"
_LISTENING = ("audio/transcriptions", "audio/translations")
_DRAWING = "images/"

# The fields that hold pictures where there are no files, and those of which it is known that no
# model reads them. All others are taken for texts.
_PICTURES = ("image", "images", "mask")
_UNREAD = frozenset(
    {
        *(*_PICTURES, "model", "user", "n", "size", "quality", "style", "background", "moderation"),
        *("response_format", "output_format", "output_compression", "input_fidelity"),
        *("stream", "stream_format", "partial_images", "encoding_format", "output_dtype"),
        *("dimensions", "voice", "speed", "language", "temperature", "timestamp_granularities"),
        *("include", "chunking_strategy", "known_speaker_names", "known_speaker_references"),
        *("file", "file_id", "file_url", "diarize"),
    }
)
# At high fidelity, gpt-image adds up to 6,240 to an input picture's tiles:
# https://platform.openai.com/docs/guides/images-vision#gpt-image-model-inputs
_PER_IMAGE = 8_192
_MOST_PICTURES = 128
_AROUND_A_TEXT = 4
# OpenAI hears ten tokens a second, Mistral 12.5, and fills up the last half minute.
_AUDIO_TOKENS_A_SECOND, _LIKELY_AUDIO_TOKENS_A_SECOND = 12.5, 10
_FILLED_UP_S = 30
# OpenAI sells a minute of speech for 1.5 cents, and a million of its tokens for 12 dollars:
# https://platform.openai.com/docs/pricing. Somebody who reads aloud says some 15 letters a second.
_SPOKEN_TOKENS_PER_MINUTE = 1_250
_LETTERS_PER_MINUTE = 900
# Nobody says how long a speech may be. Of what takes long, a digit, or an emoji of four bytes that
# is described, a byte takes a third of a second; a breath comes before and after.
_MOST_SPOKEN_TOKENS_PER_BYTE = 8
_BREATHS = 64
_SLOWEST, _FASTEST = 0.25, 4.0
# "2,000 max output tokens": https://platform.openai.com/docs/models/gpt-4o-transcribe. Where it
# cuts what it hears into pieces, each has its own.
_MOST_TRANSCRIBED = 2_000


def input_tokens(operation: str, body: Json, uploads: Sequence[bytes]) -> int:
    """The most tokens that the input can be: a text has no more of them than bytes."""
    heard = 0
    if operation in _LISTENING:
        seconds = sum(most_seconds(data) + _FILLED_UP_S for data in uploads)
        heard = _tokens_heard(seconds)
    read = _ids(operation, body) + _embedded(operation, body) + _text(operation, body)
    return read + heard + _seen(operation, body, uploads)


def likely_input_tokens(operation: str, body: Json, uploads: Sequence[bytes]) -> int:
    guessed = likely_tokens(_text(operation, body) + _seen(operation, body, uploads))
    heard = 0
    if operation in _LISTENING:
        heard = _LIKELY_AUDIO_TOKENS_A_SECOND * sum(map(likely_seconds, uploads))
    return _ids(operation, body) + guessed + heard


def output_tokens(operation: str, body: Json, uploads: Sequence[bytes], model: str) -> int:
    """The most that `model` makes of it; nothing where nobody knows, or it is not sold so."""
    if operation.startswith(_DRAWING):
        return _pictures(body) * picture_tokens(model, body)
    if operation == SPEECH:
        return 0 if model.rpartition("/")[2].startswith("tts-1") else _spoken(body)
    if operation in _LISTENING and model.startswith("gpt-4o"):
        if body.get("chunking_strategy") is None and "diarize" not in model:
            return _MOST_TRANSCRIBED
        return max(_MOST_TRANSCRIBED, _tokens_heard(sum(map(most_seconds, uploads))))
    return 0


def likely_output_tokens(operation: str, body: Json, model: str) -> int:
    """Beside what is seen of an answer, where no usage is told: how long a speech is, and what
    pictures take, whatever was seen of them."""
    if operation.startswith(_DRAWING):
        return _pictures(body) * picture_tokens(model, body)
    text = body.get("input")
    if operation != SPEECH or not isinstance(text, str):
        return 0
    return -(-len(text) * _SPOKEN_TOKENS_PER_MINUTE // _LETTERS_PER_MINUTE)


def units(operation: str, body: Json, uploads: Sequence[bytes], *, likely: bool = False) -> Units:
    """What is counted by something else than tokens: no fewer than there are, or, where that is
    all that can be told, as many as there probably are."""
    if operation.startswith(_DRAWING):
        return Units({picture_unit(body): _pictures(body)})
    if operation == SPEECH:
        text = body.get("input")
        return Units.of(characters=len(text) if isinstance(text, str) else 0)
    if operation in _LISTENING:
        return Units.of(audio_seconds=sum(map(likely_seconds if likely else most_seconds, uploads)))
    return NO_UNITS


def picture_unit(body: Json) -> str:
    """Under which name such a picture is counted; see `units.UnitRates` for how it is priced."""
    told = (body.get("quality"), body.get("size"))
    if not any(told):
        return "images"
    name = ":".join(
        ["images", *(each if isinstance(each, str) and each else "auto" for each in told)]
    )
    return name if unit_of(name) else "images"


def _pictures(body: Json) -> int:
    return min(max(1, count_in(body.get("n")) or 1), _MOST_PICTURES)


def _spoken(body: Json) -> int:
    text, speed = body.get("input"), body.get("speed")
    if not isinstance(text, str):
        return 0
    slowly = 1.0
    if isinstance(speed, int | float) and not isinstance(speed, bool):
        slowly = min(max(_SLOWEST, speed), _FASTEST)
    spoken = _MOST_SPOKEN_TOKENS_PER_BYTE * token_bound(text) + _BREATHS
    return int(spoken / slowly) + 1


def _tokens_heard(seconds: int) -> int:
    return int(seconds * _AUDIO_TOKENS_A_SECOND) + 1 if seconds else 0


def _embedded(operation: str, body: Json) -> int:
    """What many models of embeddings make of a text beside what stands in it: where it begins,
    where it ends, and a space before it; and letters that they write anew."""
    given = body.get("input")
    if operation != "embeddings":
        return 0
    texts = given if isinstance(given, list) and given and type(given[0]) is not int else [given]
    longer = sum(written_anew(text) for text in texts if isinstance(text, str))
    return _AROUND_A_TEXT * len(texts) + longer


def _ids(operation: str, body: Json) -> int:
    """What is sent as numbers of tokens is as many tokens."""
    given = body.get("input")
    if operation != "embeddings" or not isinstance(given, list):
        return 0
    return sum(len(ids) if isinstance(ids, list) else isinstance(ids, int) for ids in given)


def _text(operation: str, body: Json) -> int:
    is_text = not _ids(operation, body)
    return token_bound(
        [
            value
            for name, value in body.items()
            if (is_text if name == "input" else name.removesuffix("[]") not in _UNREAD)
        ]
    )


def _seen(operation: str, body: Json, uploads: Sequence[bytes]) -> int:
    if operation.startswith("audio/"):
        return 0
    told = (body[name] for name in _PICTURES if body.get(name) is not None)
    by_reference = sum(len(one) if isinstance(one, list) else 1 for one in told)
    return (by_reference + len(uploads)) * _PER_IMAGE
