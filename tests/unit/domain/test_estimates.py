from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.domain.estimates import input_bound, likely_tokens, token_bound

TEXT = st.text(max_size=20) | st.text(alphabet='aé中😀\n"', max_size=20)
OPAQUE_TYPES = {"image_url", "input_audio", "file"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT | st.just("type"), inner, max_size=4).filter(
            lambda made: made.get("type") not in [*OPAQUE_TYPES]
        )
    ),
    max_leaves=15,
)


def utf8(text: str) -> int:
    return len(text.encode())


def utf8_within(value: Any) -> int:
    """The bytes of every text in a piece of JSON, names of fields included."""
    if isinstance(value, str):
        return utf8(value)
    if isinstance(value, dict):
        return sum(utf8(name) + utf8_within(inner) for name, inner in value.items())
    if isinstance(value, list):
        return sum(map(utf8_within, value))
    return 0


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@given(JSON)
def test_the_bound_is_never_below_the_bytes_of_every_text(value: Any) -> None:
    assert token_bound(value) >= utf8_within(value)


@given(st.lists(TEXT, min_size=1, max_size=5), JSON)
def test_every_text_that_a_model_reads_counts(texts: list[str], schema: Any) -> None:
    body = {
        "messages": [
            {"role": "user", "content": text}
            if index % 2
            else {"role": "user", "content": [{"type": "text", "text": text}]}
            for index, text in enumerate(texts)
        ],
        "tools": [schema],
        "response_format": {"schema": schema},
        "prediction": schema,
        "functions": [schema],
    }
    said = sum(map(utf8, texts))
    assert input_bound(body) >= said + 4 * utf8_within(schema)


@given(JSON, st.text(max_size=30))
def test_more_text_never_lowers_the_bound(value: Any, text: str) -> None:
    assert token_bound([value, text]) == token_bound(value) + token_bound(text)


@pytest.mark.parametrize(
    "name",
    [
        *("messages", "tools", "functions", "response_format", "prediction"),
        *("responseSchema", "generation_config", "extra_body", "a_new_one"),
    ],
)
def test_every_field_that_a_model_reads_counts(name: str) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
    assert input_bound({**body, name: ["x" * 1_000]}) >= 1_000


def test_fields_that_a_model_does_not_read_do_not_count() -> None:
    messages = [{"role": "user", "content": "hello"}]
    assert input_bound({"messages": messages}) == input_bound(
        {"messages": messages, "user": "somebody", "metadata": {"a": "b" * 1000}, "model": "m"}
        | {"n": 2, "a_new_one": True, "max_tokens": 10, "logit_bias": {"5": 1}}
    )


def test_a_lone_surrogate_counts_as_its_three_bytes() -> None:
    assert token_bound("\ud800") == 3


@pytest.mark.parametrize("kind", sorted(OPAQUE_TYPES))
def test_a_picture_or_file_counts_by_the_piece_not_by_its_bytes(kind: str) -> None:
    small = {"type": kind, kind: {"url": "https://example.org/a"}}
    large = {"type": kind, kind: {"url": "data:image/png;base64," + "A" * 10**6}}
    assert token_bound(small) == token_bound(large) >= 5_000
    assert token_bound([small, small]) == 2 * token_bound(small)


@pytest.mark.parametrize(
    ("name", "least"),
    [("image_url", 5_000), ("video_url", 36_000), ("audio_url", 36_000), ("input_audio", 36_000)],
)
def test_a_picture_or_film_needs_no_type(name: str, least: int) -> None:
    """Of vLLM's, and whatever their type, where there is a `uuid`."""
    part = {name: "https://example.org/a"}
    for told in (part, {**part, "type": None}, {**part, "type": "text", "uuid": "u", "text": ""}):
        assert least <= token_bound(told) < least + 100
    assert token_bound({**part, "type": "text", "text": "a"}) < 100
    film = {"type": "image_url", "image_url": None, "uuid": "u", "video_url": "https://a.example"}
    assert token_bound(film) >= 36_000


@pytest.mark.parametrize("odd", [["file"], {"file": 1}, 5, None, True])
def test_a_type_that_is_not_text_is_an_object_like_any_other(odd: Any) -> None:
    assert token_bound({"type": odd}) < 100


@pytest.mark.parametrize(
    "deep",
    [
        nested(100_000),
        {"a": nested(100_000)},
        {"type": nested(100_000)},
        {"type": "file", "file": nested(100_000)},
    ],
)
def test_deep_nesting_does_not_break_the_stack(deep: Any) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": [{"x": deep}], "y": deep}]}
    chat = ChatRequest.parse(body)
    assert input_bound(chat.body) >= 1


@given(st.integers(0, 10**9))
def test_a_likely_count_is_a_quarter_of_the_bytes_rounded_up(text_bytes: int) -> None:
    tokens = likely_tokens(text_bytes)
    assert 4 * tokens >= text_bytes > 4 * (tokens - 1)
    assert (tokens == 0) == (text_bytes == 0)


HUGE = "A" * 10**6
# Whoever speaks which format, a recording, a film or a file is one thing, however large it is.
FILES: dict[str, dict[str, Any]] = {
    "OpenAI's recording": {"type": "input_audio", "input_audio": {"data": HUGE, "format": "mp3"}},
    "OpenAI's file": {"type": "file", "file": {"file_data": HUGE, "filename": "a.pdf"}},
    "a response's file": {"type": "input_file", "file_data": HUGE, "filename": "a.pdf"},
    "a response's linked file": {"type": "input_file", "file_url": HUGE},
    "vLLM's film": {"type": "video_url", "video_url": {"url": HUGE}},
    "vLLM's recording": {"type": "audio_url", "audio_url": {"url": HUGE}},
    "Mistral's document": {"type": "document_url", "document_url": HUGE},
    "Mistral's recording": {"type": "input_audio", "input_audio": HUGE},
    "Google's file": {"fileData": {"fileUri": "https://a.example/film.mp4"}},
    "Google's bytes": {"inlineData": {"mimeType": "video/mp4", "data": HUGE}},
    "Google's in the other spelling": {"file_data": {"file_uri": HUGE}},
    "Anthropic's document": {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": HUGE},
    },
    "Anthropic's linked document": {"type": "document", "source": {"type": "url", "url": HUGE}},
    "Anthropic's kept document": {"type": "document", "source": {"type": "file", "file_id": "a"}},
}


@pytest.mark.parametrize("name", FILES)
def test_recordings_films_and_files_count_by_the_piece(name: str) -> None:
    part = FILES[name]
    for body in (
        {"messages": [{"role": "user", "content": [part, part]}]},
        {"input": [{"role": "user", "content": [part, part]}]},
    ):
        assert 72_000 <= input_bound(body) < 80_000


@pytest.mark.parametrize("kind", ["image", "video_url", "file", "base64", "url"])
def test_a_schema_that_has_such_a_name_for_a_type_hides_no_text(kind: str) -> None:
    schema = {"type": kind, "description": "word " * 100_000, kind: {"x": "word " * 100_000}}
    for name in ("tools", "functions", "response_format", "text", "output_config"):
        assert input_bound({name: [schema]}) >= 10**6


@pytest.mark.parametrize("name", ["fileData", "inlineData"])
def test_a_text_by_the_name_of_a_file_is_a_text(name: str) -> None:
    assert token_bound({name: "word " * 100_000}) >= 500_000


@pytest.mark.parametrize("kind", ["image", "file", "base64", "input_audio"])
def test_what_calls_itself_a_picture_or_a_file_hides_no_text(kind: str) -> None:
    text = "word " * 100_000
    for name in ("text", "content", "title", "anything"):
        assert token_bound([{"role": "user", "type": kind, name: text}]) >= len(text)
