"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from typing import NamedTuple

from .malformed import Malformed

MAX_EVENT_BYTES = 16 * 2**20

_BOM = b"\xef\xbb\xbf"
_PLAIN = b"data: "


class Event(NamedTuple):
    """Never without data: the standard has events without any ignored."""

    data: bytes
    name: bytes = b""


class EventDecoder:
    """Turns the bytes of a stream into events, however the network has cut them.

    Raises Malformed where one event is larger than allowed.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._unfinished = bytearray()
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self._after_cr or b"\r" in data:
            data = self._with_plain_line_ends(data)
        if self._at_start:
            data = self._without_bom(data)
        unfinished = self._unfinished
        if unfinished:
            searched = len(unfinished) - 1
            unfinished += data
            end = unfinished.rfind(b"\n\n", searched)
            whole = bytes(unfinished[: max(0, end)])
            del unfinished[: end + 2 if end >= 0 else 0]
        else:
            end = data.rfind(b"\n\n")
            whole = data[: max(0, end)]
            unfinished += data[end + 2 if end >= 0 else 0 :]
        if len(unfinished) > self._max_event_bytes:
            raise Malformed("an event is too large")
        return self._events(whole) if whole else []

    def flush(self) -> list[Event]:
        """What the stream ended with. The standard has an event without its blank line thrown
        away, but some servers end that way; one that was cut off is no valid JSON either."""
        whole = bytes(self._unfinished)
        self._unfinished.clear()
        return self._events(whole) if whole else []

    def _with_plain_line_ends(self, data: bytes) -> bytes:
        if not data:
            return data
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
            if not data:
                return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_bom(self, data: bytes) -> bytes:
        """Nothing as long as what has come may still grow into a byte order mark."""
        data = bytes(self._unfinished) + data
        self._unfinished.clear()
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._unfinished += data
            return b""
        self._at_start = False
        return data.removeprefix(_BOM)

    def _events(self, whole: bytes) -> list[Event]:
        events = []
        for block in whole.split(b"\n\n"):
            if len(block) > self._max_event_bytes:
                raise Malformed("an event is too large")
            if block.startswith(_PLAIN) and b"\n" not in block:
                if len(block) > len(_PLAIN):
                    events.append(Event(block[len(_PLAIN) :]))
            elif (event := _parsed(block)) is not None:
                events.append(event)
        return events


def _parsed(block: bytes) -> Event | None:
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    joined = b"\n".join(data)
    return Event(joined, name) if joined else None
