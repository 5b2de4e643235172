from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from .units import Units


class ModelRequest(Protocol):
    """What the gateway decides on, whatever a model is asked for.

    `output_cap` is for each of the `choices`, and `rejected_output` the most that is sold as output
    beside them; a request that does not `writes` has an output that no cap can bound. `end_user`
    and `tag` are the caller's names for whom, and for what, it asks.
    `other_models` names a field by which a provider may have other models answer than `model`.
    `unbounded` names a field that brings more input, or cost, than can be told beforehand. `shrink`
    says whether the output may be made shorter than asked for; None leaves that to the route.
    `output_bound` is the most tokens that a request without a cap can come to at a model, and
    `likely_output` what it probably makes there, of which nothing need be seen in an answer; they
    are tokens of the `output_class`.
    `units_bound` is the most of what is not sold by the token, `likely_units` what it probably is.
    `service` is the one that is asked for, where that is not the ordinary one; `services.ANY` is
    whichever the provider takes.
    `input_bound_at` is the most tokens that its input can be at any of the models, `likely_input`
    what it probably comes to.
    """

    @property
    def model(self) -> str: ...

    @property
    def stream(self) -> bool: ...

    @property
    def end_user(self) -> str | None: ...

    @property
    def tag(self) -> str | None: ...

    @property
    def output_cap(self) -> int | None: ...

    @property
    def choices(self) -> int: ...

    @property
    def rejected_output(self) -> int: ...

    @property
    def writes(self) -> bool: ...

    @property
    def shrink(self) -> bool | None: ...

    @property
    def other_models(self) -> str | None: ...

    @property
    def unbounded(self) -> str | None: ...

    @property
    def service(self) -> str | None: ...

    def input_bound_at(self, models: Sequence[str], /) -> int: ...

    @property
    def likely_input(self) -> int: ...

    def output_bound(self, model: str, /) -> int: ...

    def likely_output(self, model: str, /) -> int: ...

    @property
    def output_class(self) -> str: ...

    @property
    def units_bound(self) -> Units: ...

    @property
    def likely_units(self) -> Units: ...


def end_user_in(body: Mapping[str, Any]) -> str | None:
    """OpenAI's field, in every format that has it."""
    user = body.get("user")
    return user if isinstance(user, str) and user else None
