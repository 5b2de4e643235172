"""https://ai.google.dev/api/generate-content#LogprobsResult"""

from typing import Any


def logprobs(result: object) -> dict[str, Any] | None:
    """As OpenAI has them. Other candidates for a token stand at its place in another list."""
    if not isinstance(result, dict):
        return None
    tops = result.get("topCandidates")
    tops = tops if isinstance(tops, list) else []
    content = []
    for place, chosen in enumerate(_candidates(result.get("chosenCandidates"))):
        top = tops[place] if place < len(tops) else None
        others = _candidates(top.get("candidates")) if isinstance(top, dict) else []
        content.append({**chosen, "top_logprobs": others})
    return {"content": content, "refusal": None} if content else None


def _candidates(told: object) -> list[dict[str, Any]]:
    if not isinstance(told, list):
        return []
    return [_candidate(one) for one in told if isinstance(one, dict)]


def _candidate(one: dict[str, Any]) -> dict[str, Any]:
    """A probability of one is told by leaving it out, as zeros are in this format."""
    token, logprob = one.get("token"), one.get("logProbability")
    token = token if isinstance(token, str) else ""
    return {
        "token": token,
        "logprob": logprob if isinstance(logprob, int | float) else 0.0,
        "bytes": list(token.encode("utf-8", "surrogatepass")),
    }
