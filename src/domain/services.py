"""At which service a provider is asked to answer, and did: what is dearer for coming sooner, or
cheaper for coming later.

https://platform.openai.com/docs/guides/priority-processing and
https://platform.openai.com/docs/guides/flex-processing; Anthropic's is a speed:
https://platform.claude.com/docs/en/build-with-claude/fast-mode
"""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
# What has no other price than the one without a name. `on_demand` is Groq's word for it.
_ORDINARY = frozenset(
    {*("auto", "default", "standard", "standard_only", "on_demand"), *("global", "not_available")}
)
# The last is where Anthropic answers, which has its price, too:
# https://platform.claude.com/docs/en/manage-claude/data-residency
_FIELDS = ("speed", "service_tier", "inference_geo")
ANY = "auto"
"""Asked for: whichever the provider's project is set to. No answer is given at it."""


def service_named(told: object) -> str | None:
    """None for the ordinary one, and for what is no name at all."""
    if not isinstance(told, str) or told in _ORDINARY or not _NAME.fullmatch(told):
        return None
    return told


def service_in(*objects: Mapping[str, Any]) -> str | None:
    """The first that is named, of requests, answers or usages."""
    for one in objects:
        for name in _FIELDS:
            if name in one and (service := service_named(one[name])) is not None:
                return service
    return None


def service_asked(body: Mapping[str, Any]) -> str | None:
    """Of a request in a format of OpenAI's: to Anthropic, "auto" means capacity that was paid for
    beforehand."""
    return service_in(body) or (ANY if body.get("service_tier") == ANY else None)
