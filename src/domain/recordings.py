"""How long a recording can be that is uploaded, told by its bytes."""

# The lowest bit rates of MP3, of MPEG-1 and of its later halves: the tables in
# https://www.loc.gov/preservation/digital/formats/fdd/fdd000105.shtml
_MP3_BYTES_A_SECOND, _MP3_BYTES_A_SECOND_HALVED = 4_000, 1_000
_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBITS_HALVED = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
# Less than any codec for speech is known to take, at 1.3 kbit/s.
_LEAST_BYTES_A_SECOND = 160
_LIKELY_BYTES_A_SECOND = 16_000  # 128 kbit/s
# Nobody says that they listen to more: https://mistral.ai/news/voxtral-transcribe-2
_LONGEST_S = 3 * 3_600

# Of a WAV file, the ways of writing samples one by one: PCM, floats, A-law, µ-law, and "see below".
_WRITTEN_ONE_BY_ONE = (1, 3, 6, 7, 0xFFFE)
_FMT_FIELDS = 16


def most_seconds(data: bytes) -> int:
    """No fewer than a recording's; of one that is longer than anybody takes, those."""
    return min(_LONGEST_S, -(-len(data) // _least_bytes_a_second(data)))


def likely_seconds(data: bytes) -> int:
    """As a WAV file or an MP3 tells by its header, and what nobody can tell as at 128 kbit/s."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        told = _of_wav(data)
    else:
        told = _kbits_of_mp3(data[_id3_bytes(data) :][:4]) * 125
    return min(_LONGEST_S, -(-len(data) // (told or _LIKELY_BYTES_A_SECOND)))


def _least_bytes_a_second(data: bytes) -> int:
    """What a decoder goes by: a header that lies makes it hear what the header says."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _of_wav(data) or _LEAST_BYTES_A_SECOND
    return _of_mp3(data[_id3_bytes(data) :][:4]) or _LEAST_BYTES_A_SECOND


def _of_wav(data: bytes) -> int | None:
    """http://soundfile.sapp.org/doc/WaveFormat/"""
    at = data.find(b"fmt ", 12, 4_096)
    fields = data[at + 8 : at + 8 + _FMT_FIELDS] if at >= 0 else b""
    if len(fields) < _FMT_FIELDS:
        return None
    kind, a_second, align = (
        int.from_bytes(fields[begin:end], "little") for begin, end in ((0, 2), (4, 8), (12, 14))
    )
    return a_second * align if kind in _WRITTEN_ONE_BY_ONE else None


def _of_mp3(header: bytes) -> int | None:
    """http://www.mp3-tech.org/programmer/frame_header.html"""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:  # noqa: PLR2004
        return None  # no frame of layer III
    if not header[2] >> 4:  # any rate that the encoder liked
        return None
    is_whole = header[1] & 0x18 == 0x18  # noqa: PLR2004
    return _MP3_BYTES_A_SECOND if is_whole else _MP3_BYTES_A_SECOND_HALVED


def _kbits_of_mp3(header: bytes) -> int:
    """0 where it tells none."""
    if _of_mp3(header) is None:
        return 0
    rates = _KBITS if header[1] & 0x18 == 0x18 else _KBITS_HALVED  # noqa: PLR2004
    return rates[header[2] >> 4]


def _id3_bytes(data: bytes) -> int:
    """How long what a player shows is: https://id3.org/id3v2.4.0-structure"""
    if data[:3] != b"ID3" or len(data) < 10:  # noqa: PLR2004
        return 0
    size = 0
    for part in data[6:10]:
        size = size << 7 | part & 0x7F
    return 10 + size
