import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.recordings import likely_seconds, most_seconds

LONGEST_S = 3 * 3_600


def wav(seconds: int, rate: int = 8_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(bytes(seconds * rate * channels * width))
    return file.getvalue()


@given(
    st.integers(0, 20),
    st.sampled_from([8_000, 16_000]),
    st.integers(1, 2),
    st.sampled_from([1, 2, 4]),
)
def test_a_wav_is_as_long_as_its_header_says(
    seconds: int, rate: int, channels: int, width: int
) -> None:
    assert seconds <= most_seconds(wav(seconds, rate, channels, width)) <= seconds + 1


@given(st.integers(1, 20), st.sampled_from([1, 8_000, 44_100]), st.integers(1, 2))
def test_a_wav_is_probably_as_long_as_its_header_says(
    seconds: int, rate: int, channels: int
) -> None:
    assert seconds <= likely_seconds(wav(seconds, rate, channels)) <= seconds + 44


@pytest.mark.parametrize(
    ("header", "kbits"),
    [
        (b"\xff\xfb\x90\x00", 128),
        (b"\xff\xfb\x10\x00", 32),
        (b"\xff\xf3\x10\x00", 8),
        (b"\xff\xfb\x00\x00", 128),  # any rate that the encoder liked
        (b"OggS", 128),
    ],
)
def test_an_mp3_is_probably_as_long_as_its_bit_rate_says(header: bytes, kbits: int) -> None:
    assert likely_seconds(header + bytes(kbits * 125 * 10 - len(header))) == 10
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x04more"
    assert likely_seconds(tag + header + bytes(kbits * 125 * 10 - len(header))) == 11


def test_a_header_that_makes_it_slow_makes_it_long() -> None:
    assert most_seconds(wav(100, rate=1)) >= 100


@pytest.mark.parametrize(
    ("header", "bytes_a_second"),
    [
        (b"\xff\xfb\x90\x00", 4_000),  # MPEG-1, 128 kbit/s
        (b"\xff\xf3\x40\x00", 1_000),  # MPEG-2
        (b"\xff\xe3\x40\x00", 1_000),  # MPEG-2.5
        (b"\xff\xfb\x00\x00", 160),  # of a free rate
        (b"\xff\xf1\x50\x80", 160),  # AAC
        (b"OggS", 160),
    ],
)
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x01\x05" + bytes(133)])
def test_an_mp3_is_no_longer_than_its_lowest_bit_rate_makes_it(
    header: bytes, bytes_a_second: int, tag: bytes
) -> None:
    data = tag + header + bytes(800_000)
    assert most_seconds(data) == -(-len(data) // bytes_a_second)


@given(st.binary(max_size=200), st.sampled_from([b"", b"RIFF0000WAVEfmt ", b"ID3", b"\xff\xfb"]))
def test_whatever_it_is_it_is_no_shorter_than_it_probably_is(data: bytes, begin: bytes) -> None:
    recording = begin + data
    assert likely_seconds(recording) <= most_seconds(recording) <= LONGEST_S


def test_nobody_listens_for_longer() -> None:
    assert most_seconds(bytes(10**7)) == LONGEST_S
