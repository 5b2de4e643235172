"""Forms as they are written for providers, and read from callers: each against the other, and
against the standard library's reading of the same format."""

from email import message_from_bytes
from email.policy import HTTP
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langroute.adapters.wire.form import form
from langroute.domain.errors import InvalidRequest
from langroute.domain.operations import UploadedFile
from langroute.entrypoints.http.form import read_form

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.text("abcdefgh[]_-. ", min_size=1, max_size=10).map(str.strip).filter(bool)
FILES = st.builds(
    UploadedFile,
    name=PLAIN,
    filename=PLAIN,
    content_type=st.sampled_from(["image/png", "audio/wav; rate=8000"]),
    data=st.binary(max_size=60),
)
VALUES = TEXT | st.lists(TEXT, min_size=2, max_size=4)


def a_file(**fields: Any) -> UploadedFile:
    told = {"name": "file", "filename": "a.wav", "content_type": "audio/wav", "data": b"x"}
    return UploadedFile(**{**told, **fields})


def boundary_of(content_type: str) -> str:
    return content_type.partition("boundary=")[2]


def parts_of(content_type: str, body: bytes) -> list[tuple[str, str | None, str, bytes]]:
    """Name, filename, type and data, as the standard library reads them."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=HTTP)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            bytes(part.get_payload(decode=True)),
        )
        for part in message.iter_parts()
    ]


@given(st.dictionaries(PLAIN, VALUES), st.lists(FILES, max_size=3).map(tuple))
@example({}, ())
@example({"a[]": ["1", "2"], "b": "\r\n--x--\r\n"}, ())
def test_what_is_written_is_read_again(
    fields: dict[str, Any], files: tuple[UploadedFile, ...]
) -> None:
    content_type, body = form(fields, files)
    if fields or files:
        assert read_form(body, boundary_of(content_type)) == (fields, files)


def test_values_that_are_no_texts_are_told_as_json_and_none_is_not() -> None:
    fields: dict[str, Any] = {
        "n": 2,
        "flag": True,
        "none": None,
        "speed": 1.5,
        "many": ["a", 1, None],
        "o": {},
    }
    content_type, body = form(fields, ())
    assert read_form(body, boundary_of(content_type))[0] == {
        "n": "2",
        "flag": "true",
        "speed": "1.5",
        "many": ["a", "1"],
        "o": "{}",
    }


@pytest.mark.parametrize(
    "hostile", ['a"; x="', "a\r\nX-Evil: 1", "a\r\n\r\n", "a\\", "\0\x7f", "é☃"]
)
def test_names_cannot_leave_their_place(hostile: str) -> None:
    files = [a_file(name=hostile, filename=hostile)]
    content_type, body = form({hostile: "value", "last": "one"}, files)
    parts = parts_of(content_type, body)
    assert [(kind, data) for _, _, kind, data in parts] == [
        ("text/plain", b"value"),
        ("text/plain", b"one"),
        ("audio/wav", b"x"),
    ]
    for part in body.split(b"--" + boundary_of(content_type).encode())[1:-1]:
        head = part.partition(b"\r\n\r\n")[0]
        assert b"X-Evil: 1" not in head.splitlines()
        assert not any(byte < 32 for line in head.split(b"\r\n") for byte in line)
    fields, (file,) = read_form(body, boundary_of(content_type))
    assert len(fields) == 2
    assert fields["last"] == "one"
    assert file.data == b"x"


@given(st.text(), st.text(), st.text())
def test_no_name_and_no_type_breaks_the_form(name: str, filename: str, kind: str) -> None:
    file = a_file(name=name or "x", filename=filename, content_type=kind)
    content_type, body = form({"first": "1"}, [file])
    fields, (read,) = read_form(body, boundary_of(content_type))
    assert fields == {"first": "1"}
    assert read.data == b"x"


def test_what_cannot_be_written_is_the_callers_fault() -> None:
    for value in ("\ud800", object()):
        with pytest.raises(InvalidRequest) as caught:
            form({"prompt": value}, ())
        assert caught.value.param == "prompt"


def test_data_that_looks_like_a_boundary_is_data() -> None:
    data = b"\r\n--langroute\r\n--langroute--\r\n--\r\n"
    content_type, body = form({}, [a_file(data=data)])
    assert read_form(body, boundary_of(content_type))[1][0].data == data


def part(head: str, data: bytes = b"x") -> bytes:
    return f"--B\r\nContent-Disposition: {head}\r\n\r\n".encode() + data + b"\r\n"


END = b"--B--\r\n"
FIELD = part('form-data; name="a"')


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        FIELD,
        FIELD[:-4],
        b"--B\r\n\r\nx\r\n" + END,
        part("form-data") + END,
        part('form-data; name=""') + END,
        part('form-data; name="a"', b"\xff") + END,
        b"--B\r\nContent-Disposition: form-data; name=\xff\r\n\r\nx\r\n" + END,
        FIELD * 1001 + END,
    ],
    ids=["empty", "nonsense", "open", "cut", "bare", "no name", "unnamed", "latin", "head", "many"],
)
def test_a_form_that_is_not_whole_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_form(raw, "B")


@pytest.mark.parametrize("boundary", [None, "", "é"])
def test_a_form_needs_a_boundary(boundary: str | None) -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        read_form(FIELD + END, boundary)


def test_a_file_without_a_type_is_bytes_and_one_without_a_name_is_a_file() -> None:
    _, files = read_form(part('form-data; name="file"; filename=""') + END, "B")
    assert files == (a_file(filename="", content_type="application/octet-stream"),)


@given(st.lists(st.sampled_from([FIELD, END, b"--B", b"\r\n", b"\n", b"--", b"name=", b"\0x"])))
def test_whatever_is_sent_is_a_form_or_refused(pieces: list[bytes]) -> None:
    try:
        fields, files = read_form(b"".join(pieces), "B")
    except InvalidRequest:
        return
    assert set(fields) <= {"a"}
    assert files == ()


def test_data_that_begins_as_the_boundary_does_is_data() -> None:
    data = b'\r\n--BB\r\nContent-Disposition: form-data; name="evil"\r\n\r\nx'
    fields, files = read_form(part('form-data; name="a"', data) + END, "B")
    assert fields == {"a": data.decode()}
    assert files == ()


@pytest.mark.parametrize("kind", ["", "a/b\r\nX-Evil: 1", "a/b\r\n\r\nx", "audio/mpég"])
def test_a_type_that_cannot_be_told_is_bytes(kind: str) -> None:
    content_type, body = form({}, [a_file(content_type=kind)])
    assert b"Evil" not in body
    _, (file,) = read_form(body, boundary_of(content_type))
    assert file == a_file(content_type="application/octet-stream")
