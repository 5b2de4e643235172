from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.malformed import Malformed
from langroute.adapters.wire.sse import Event, EventDecoder

LINES = st.sampled_from(
    [
        b"data: {}",
        b"data:x",
        b"data:  two spaces",
        b"data",
        b"data: ",
        b"event: error",
        b"event",
        b": a comment",
        b"id: 7",
        b"retry: 10",
        b"unknown: field",
        b"\xef\xbb\xbfdata: a mark in the middle",
        b"data: \xc3\xa9\xf0\x9f\x98\x80",
        b"",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.builds(
    lambda mark, lines: mark + b"".join(line + end for line, end in lines),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(LINES, ENDS), max_size=14),
)


def read_line_by_line(stream: bytes) -> list[Event]:
    """The standard's own words, slowly."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events: list[Event] = []
    data: list[bytes] = []
    name = b""
    for line in [*text.split(b"\n"), b""]:
        if not line:
            if b"\n".join(data):
                events.append(Event(b"\n".join(data), name))
            data, name = [], b""
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        if field == b"event":
            name = value
    return events


def read_in_pieces(stream: bytes, cuts: list[int]) -> list[Event]:
    decoder = EventDecoder()
    places = sorted({min(cut, len(stream)) for cut in cuts})
    starts, ends = [0, *places], [*places, len(stream)]
    pieces = [stream[start:end] for start, end in zip(starts, ends, strict=True)]
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


@given(STREAMS, st.lists(st.integers(0, 200)))
def test_any_split_of_a_stream_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    assert read_in_pieces(stream, cuts) == read_line_by_line(stream)


@given(STREAMS)
def test_a_stream_read_byte_by_byte_gives_the_same_events(stream: bytes) -> None:
    assert read_in_pieces(stream, list(range(len(stream)))) == read_line_by_line(stream)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_arbitrary_bytes_split_anyhow_give_the_same_events(stream: bytes, cuts: list[int]) -> None:
    assert read_in_pieces(stream, cuts) == read_line_by_line(stream)


def test_an_event_is_told_as_soon_as_its_blank_line_has_come() -> None:
    decoder = EventDecoder()
    assert decoder.feed(b"data: 1\r\n\r") == [Event(b"1")]
    assert decoder.feed(b"\ndata: 2\n") == []
    assert decoder.feed(b"\n") == [Event(b"2")]


def test_data_on_several_lines_is_one_event() -> None:
    assert EventDecoder().feed(b'event: e\ndata: {\ndata: "a": 1}\n\n') == [
        Event(b'{\n"a": 1}', b"e")
    ]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_an_event_that_is_too_large_is_refused_however_it_comes(piece: int) -> None:
    decoder = EventDecoder(max_event_bytes=100)
    stream = b"data: " + b"x" * 200 + b"\n\n"
    with pytest.raises(Malformed):
        deque(decoder.feed(stream[start : start + piece]) for start in range(0, len(stream), piece))


def test_a_large_event_in_many_pieces_takes_time_in_proportion_to_its_size() -> None:
    decoder = EventDecoder()
    for _ in range(12_000):
        assert decoder.feed(b"x" * 1024) == []
    # A quadratic decoder would copy 70 GB here, and run into the test's time limit.
    assert decoder.feed(b"\n\n") == []
