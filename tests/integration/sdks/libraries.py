"""The client libraries, each under its name in docs/compatibility.md."""

from collections.abc import Callable, Mapping

import pytest
from anthropic_client import AnthropicClient
from client import Client
from instructor_client import WithSchema, WithTools
from javascript_clients import AIChats, AICompatible, AIResponses, NodeChats, NodeResponses
from langchain_client import LangChain
from litellm_client import LiteLLM
from mistral_client import MistralClient
from openai_agents_client import AgentsOnChats, AgentsOnResponses
from openai_client import OpenAIChats, OpenAIResponses
from pydantic_ai_client import PydanticAI

LIBRARIES: Mapping[str, type[Client]] = {
    "OpenAI (Python)": OpenAIChats,
    "OpenAI (Python), responses": OpenAIResponses,
    "Mistral (Python)": MistralClient,
    "Anthropic (Python)": AnthropicClient,
    "LangChain": LangChain,
    "litellm": LiteLLM,
    "Pydantic AI": PydanticAI,
    "OpenAI Agents SDK, chat": AgentsOnChats,
    "OpenAI Agents SDK, responses": AgentsOnResponses,
    "instructor, TOOLS": WithTools,
    "instructor, JSON_SCHEMA": WithSchema,
    "OpenAI (JavaScript)": NodeChats,
    "OpenAI (JavaScript), responses": NodeResponses,
    "AI SDK, compatible": AICompatible,
    "AI SDK, chat": AIChats,
    "AI SDK, responses": AIResponses,
}


def those(wanted: Callable[[type[Client]], bool]) -> pytest.MarkDecorator:
    """The test is of each library of that kind: its argument `client` makes clients of it."""
    params = [
        pytest.param(name, marks=library.marks)
        for name, library in LIBRARIES.items()
        if wanted(library)
    ]
    return pytest.mark.parametrize("client", params, indirect=True)


def those_that(*can: str) -> pytest.MarkDecorator:
    return those(lambda library: all(hasattr(library, name) for name in can))
