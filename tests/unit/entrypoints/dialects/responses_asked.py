"""What the tests of the Responses front ask, and any JSON."""

from typing import Any

from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.entrypoints.http.dialects.responses.front import Responses

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def asked(**fields: Any) -> ChatRequest:
    return Responses().parse({"model": "some-model", "input": "Hi", **fields})


def messages(*items: Any) -> list[dict[str, Any]]:
    return list(asked(input=list(items)).body["messages"])
