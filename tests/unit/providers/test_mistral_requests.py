from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mistralai.client.models import (
    AssistantMessage,
    ChatCompletionRequest,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from pydantic import BaseModel

from langroute.adapters.providers.mistral.codec import MistralCodec
from langroute.adapters.providers.mistral.tool_ids import ToolIds
from langroute.adapters.wire.upstream import HttpUpstream
from upstreams.calls import call_to
from upstreams.mistral import MistralUpstream
from upstreams.mistral_rules import MESSAGE_FIELDS, REQUEST_FIELDS, order_fault, schema_faults

TEXTS = st.sampled_from(["", "a", "b c"])


def calls(ids: list[str]) -> list[dict[str, Any]]:
    return [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids
    ]


def tool_turn(ids: list[str]) -> list[dict[str, Any]]:
    """An assistant's calls, each answered."""
    answers = [{"role": "tool", "tool_call_id": i, "content": "1"} for i in ids]
    return [{"role": "assistant", "content": None, "tool_calls": calls(ids)}, *answers]


TURNS = st.one_of(
    st.builds(lambda text: [{"role": "user", "content": text, "name": "ann"}], TEXTS),
    st.builds(lambda text: [{"role": "assistant", "content": text, "refusal": None}], TEXTS),
    st.builds(lambda text: [{"role": "system", "content": text}], TEXTS),
    st.builds(lambda text: [{"role": "developer", "content": text}], TEXTS),
    st.builds(tool_turn, st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True)),
)
CONVERSATIONS = st.lists(TURNS, max_size=7).map(
    # Whatever OpenAI takes: somebody asks first.
    lambda turns: [{"role": "user", "content": "Hi"}, *(m for turn in turns for m in turn)]
)


@given(CONVERSATIONS)
def test_every_conversation_that_openai_takes_is_put_in_an_order_that_mistral_takes(
    messages: list[dict[str, Any]],
) -> None:
    call = call_to("https://acme.example/v1", messages=messages)
    body = MistralCodec().encode(call, stream=False).body
    assert schema_faults(body) == []
    assert order_fault(body["messages"]) is None


@given(CONVERSATIONS)
def test_no_words_are_lost_on_the_way(messages: list[dict[str, Any]]) -> None:
    call = call_to("https://acme.example/v1", messages=messages)
    sent = MistralCodec().encode(call, stream=False).body["messages"]
    said = sorted(m["content"] for m in messages if m["content"])
    kept = sorted(m["content"] for m in sent if m["content"] and m["content"] != "OK.")
    assert kept == said


@given(st.text(), st.text())
def test_a_tool_id_becomes_nine_letters_and_digits_and_comes_back(one: str, other: str) -> None:
    ids = ToolIds()
    sent = [ids.sent(one), ids.sent(other)]
    assert all(len(i) == 9 and i.isascii() and i.isalnum() for i in sent)
    assert [ids.own.get(i, i) for i in sent] == [one, other]
    assert ToolIds().sent(one) == sent[0], "the next request must send the same"
    assert (sent[0] == sent[1]) == (one == other)


async def test_a_request_full_of_openai_s_fields_is_taken(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    reply = await upstream.complete(
        call_to(
            mistral_upstream,
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": "Hi", "name": "ann"},
                *tool_turn(["call_1"]),
                {"role": "user", "content": "So?"},
            ],
            tools=[{"type": "function", "function": {"name": "f"}}],
            user="u",
            seed=1,
            store=False,
            service_tier="priority",
            max_completion_tokens=50,
        )
    )
    assert reply.dropped == ("messages.name", "user", "store", "service_tier")
    assert mistral_upstream.seen[0].output_cap == 50
    assert reply.usage is not None


def test_the_double_knows_the_fields_that_the_official_sdk_sends() -> None:
    assert frozenset(ChatCompletionRequest.model_fields) == REQUEST_FIELDS
    models: dict[str, type[BaseModel]] = {
        "system": SystemMessage,
        "user": UserMessage,
        "assistant": AssistantMessage,
        "tool": ToolMessage,
    }
    assert {role: frozenset(m.model_fields) for role, m in models.items()} == MESSAGE_FIELDS
