"""Keeps a process from speaking to other machines. Imports nothing that an environment may lack."""

import ipaddress
import sys

_LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


class _Watch:
    """An audit hook stays as long as the process does: this one does nothing unless it is on."""

    def __init__(self) -> None:
        self.is_on = False
        self.strangers: set[str] = set()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.is_on:
            return
        if event == "socket.getaddrinfo":
            self._see(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._see(arguments[1][0])

    def _see(self, host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name not in _LOCAL and not _is_loopback(name):
            self.strangers.add(name)
            raise PermissionError(f"{name} is not this machine")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


WATCH = _Watch()
sys.addaudithook(WATCH)
