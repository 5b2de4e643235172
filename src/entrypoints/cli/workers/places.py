import socket
import sys

from ..listening import BACKLOG, listening


class ListeningPlace:
    """A socket to accept from, which outlives whichever process does so: a connection that is made
    while one of them is replaced waits for the next.

    On Linux each worker has one of its own (SO_REUSEPORT), and the system spreads connections over
    them. Elsewhere it does not: macOS gives all of them to one socket. There all workers accept
    from the same one, which works as well, and shares less evenly.
    """

    def __init__(self, listener: socket.socket, *, is_own: bool) -> None:
        self.listener = listener
        self._is_own = is_own

    def pause(self) -> None:
        """While nobody is going to accept: the system gives new connections to the others."""
        if self._is_own:
            self.listener.shutdown(socket.SHUT_RDWR)

    def resume(self) -> None:
        if self._is_own:
            self.listener.listen(BACKLOG)


def listening_places(host: str, port: int, count: int) -> list[ListeningPlace]:
    """So many at one address; tells who is at fault, and exits, where that cannot be."""
    # Not shared, so that another LangRoute's address, which is, counts as taken.
    with listening(host, port) as alone:
        host, port = alone.getsockname()[:2]
    if sys.platform != "linux":
        shared = listening(host, port)
        return [ListeningPlace(shared, is_own=False) for _ in range(count)]
    return [ListeningPlace(listening(host, port, shared=True), is_own=True) for _ in range(count)]
