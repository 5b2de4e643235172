import asyncio
from collections import deque
from collections.abc import AsyncGenerator


class Recording:
    """A streamed answer on its way to its reader, and what there was of it so far.

    Whoever writes it goes on when the reader has left, as long as what there is can be kept:
    `is_lost` says that it was too much. No more than that ever waits for the reader.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_read = True
        self._is_over = False
        self._moved = asyncio.Event()

    @property
    def is_lost(self) -> bool:
        return self._size > self._largest

    @property
    def is_wanted(self) -> bool:
        """Whether it is of any use to go on."""
        return self._is_read or not self.is_lost

    def whole(self) -> bytes:
        return b"".join(self._pieces)

    async def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self.is_lost:
            self._pieces.clear()
        else:
            self._pieces.append(piece)
        if self._is_read:
            self._waiting.append(piece)
            self._waiting_bytes += len(piece)
            self._move()
        while self._is_read and self._waiting_bytes > self._largest:
            await self._moves()

    def end(self) -> None:
        self._is_over = True
        self._move()

    async def read(self) -> AsyncGenerator[bytes, None]:
        while True:
            while self._waiting:
                piece = self._waiting.popleft()
                self._waiting_bytes -= len(piece)
                self._move()
                yield piece
            if self._is_over:
                return
            await self._moves()

    async def aclose(self) -> None:
        """The reader has left."""
        self._is_read = False
        self._waiting.clear()
        self._waiting_bytes = 0
        self._move()

    def _move(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _moves(self) -> None:
        await self._moved.wait()
