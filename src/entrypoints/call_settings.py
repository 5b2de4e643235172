from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

from ..domain.timeouts import Timeouts
from .setting_types import Positive, Seconds


class CallSettings(BaseSettings):
    """How large a call may be, and how long it may take."""

    default_output_cap: Annotated[
        Positive,
        Field(
            description="The output, in tokens, that is reserved for a call with no cap of its own "
            "and whose route has none; sent to the provider where a limit of tokens or money "
            "counts the call."
        ),
    ] = 4096
    max_body_bytes: Annotated[
        int, Field(ge=1024, description="The largest request body that is read.")
    ] = 32 * 1024 * 1024
    connect_timeout_s: Annotated[Seconds, Field(description="To connect to a provider.")] = 5.0
    first_byte_timeout_s: Annotated[
        Seconds, Field(description="Until a provider begins to answer.")
    ] = 120.0
    idle_timeout_s: Annotated[
        Seconds,
        Field(description="Between two pieces of an answer, from a provider or to a caller."),
    ] = 60.0
    total_timeout_s: Annotated[
        Seconds, Field(description="For a call in all, with every attempt.")
    ] = 600.0
    max_connections: Annotated[
        Positive, Field(description="The most connections to providers at a time.")
    ] = 1000

    @property
    def timeouts(self) -> Timeouts:
        return Timeouts(
            connect_s=self.connect_timeout_s,
            first_byte_s=self.first_byte_timeout_s,
            idle_s=self.idle_timeout_s,
            total_s=self.total_timeout_s,
        )

    @property
    def longest_call_s(self) -> float:
        """With its lease, and with what a lease is lengthened by."""
        return self.total_timeout_s + self.idle_timeout_s + 120.0
