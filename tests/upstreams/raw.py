import asyncio
from collections.abc import Sequence

from .loopback import LoopbackServer


class RawServer(LoopbackServer):
    """Sends bytes that need not be HTTP. Each connection takes the next script: one item for each
    request, then it is closed; the last script serves all further ones."""

    def __init__(self, *scripts: Sequence[bytes]) -> None:
        super().__init__()
        self.requests: list[int] = []
        self.heads: list[bytes] = []
        self._scripts = scripts

    def told(self, *scripts: Sequence[bytes]) -> None:
        self._scripts = scripts
        self.requests.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append(0)
        try:
            for answer in self._scripts[min(number, len(self._scripts) - 1)]:
                await self._read_request(reader)
                self.requests[number] += 1
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away
        finally:
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                await reader.readexactly(int(value))
