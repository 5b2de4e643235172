import socket

import typer

from .output import tell_error

BACKLOG = 1024


def listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Tells who is at fault, and exits, where that cannot be. A `shared` address can be listened
    on once more, by whoever asks for it to be shared, too."""
    try:
        return socket.create_server(
            (host, port), family=family_of(host), backlog=BACKLOG, reuse_port=shared
        )
    except OSError as error:
        tell_error(f"cannot listen on {host}:{port}: {error.strerror}")
        raise typer.Exit(1) from error


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
