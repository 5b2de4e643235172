"""https://ai.google.dev/api/generate-content#generationconfig"""

from collections.abc import Mapping
from typing import Any

from .families import is_strict, penalizes
from .schemas import json_schema
from .thinking import thinking_config

_SAMPLING = {"temperature": "temperature", "top_p": "topP"}
_PENALTIES = {"presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty"}
_RENAMED = {**_SAMPLING, **_PENALTIES}
# Google's own, which a caller may set beside OpenAI's.
OWN = frozenset(
    {"topK", "thinkingConfig", "mediaResolution", "speechConfig", "imageConfig"}
    | {"responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities"}
    | {"stopSequences", "enableEnhancedCivicAnswers", "audioTranscriptionConfig"}
)
TRANSLATED = frozenset(
    {*_RENAMED, "n", "seed", "stop", "logprobs", "top_logprobs", "response_format", "modalities"}
    | {"reasoning_effort", "audio", "max_tokens", "max_completion_tokens"}
)
_JSON = "application/json"
_MAX_SEED = 2**31


class Generation:
    """How to generate. `dropped` names what Google has no counterpart of."""

    def __init__(self, body: Mapping[str, Any], own: Mapping[str, Any], model: str) -> None:
        self.dropped: dict[str, None] = {}
        self._body = body
        self._model = model
        self._config = dict(own)

    def encode(self, output_cap: int | None) -> dict[str, Any]:
        self._sample()
        self._bound(output_cap)
        self._seed(self._body.get("seed"))
        stop = self._body.get("stop")
        self._set("stopSequences", [stop] if isinstance(stop, str) else stop)
        self._logprobs()
        self._format(self._body.get("response_format"))
        self._modalities()
        self._effort(self._body.get("reasoning_effort"))
        return self._config

    def _set(self, name: str, value: object) -> None:
        if value is not None:
            self._config[name] = value

    def _sample(self) -> None:
        """What a model ignores, or is about to refuse, is not sent; no penalty is none to lose."""
        for theirs, ours in _RENAMED.items():
            value = self._body.get(theirs)
            is_taken = (
                penalizes(self._model) if theirs in _PENALTIES else not is_strict(self._model)
            )
            if is_taken:
                self._set(ours, value)
            elif value is not None and (value or theirs in _SAMPLING):
                self.dropped[theirs] = None
        if is_strict(self._model) and self._config.pop("topK", None) is not None:
            self.dropped["top_k"] = None

    def _bound(self, output_cap: int | None) -> None:
        """The gateway has counted on no more choices, and no longer ones, than OpenAI's fields and
        its own cap allow: Google's own fields may not go around them."""
        given = [self._body.get(name) for name in ("max_tokens", "max_completion_tokens")]
        caps = [output_cap, *given, self._config.pop("maxOutputTokens", None)]
        self._set("maxOutputTokens", min((cap for cap in caps if type(cap) is int), default=None))
        if self._config.pop("candidateCount", None) is not None:
            self.dropped["generationConfig.candidateCount"] = None
        if (count := self._body.get("n") or 1) > 1:  # newer models refuse the field at all
            self._config["candidateCount"] = count

    def _seed(self, seed: int | None) -> None:
        """Google's has 32 bits, OpenAI's 64. The same one still gives the same."""
        if seed is not None:
            self._config["seed"] = seed if -_MAX_SEED <= seed < _MAX_SEED else seed % _MAX_SEED

    def _logprobs(self) -> None:
        if self._body.get("logprobs"):
            self._config["responseLogprobs"] = True
            if count := self._body.get("top_logprobs"):
                self._config["logprobs"] = count

    def _format(self, wanted: object) -> None:
        match wanted:
            case {"type": "json_object"}:
                self._config["responseMimeType"] = _JSON
            case {"type": "json_schema", **rest}:
                self._config["responseMimeType"] = _JSON
                told = rest.get("json_schema")
                schema = told.get("schema") if isinstance(told, dict) else None
                if isinstance(schema, dict):
                    self._config["responseJsonSchema"] = json_schema(schema)
            case {"type": str(kind)} if kind != "text":
                self.dropped["response_format"] = None

    def _modalities(self) -> None:
        wanted = self._body.get("modalities")
        wanted = wanted if isinstance(wanted, list) else []
        names = [name.upper() for name in wanted if isinstance(name, str)]
        self._set("responseModalities", names or None)
        audio = self._body.get("audio")
        if not isinstance(audio, dict):
            return
        voice = audio.get("voice")
        if "AUDIO" not in names or not isinstance(voice, str):
            self.dropped["audio"] = None
            return
        named = {"prebuiltVoiceConfig": {"voiceName": voice}}
        self._config.setdefault("speechConfig", {"voiceConfig": named})
        self.dropped |= {f"audio.{name}": None for name in audio if name != "voice"}

    def _effort(self, effort: object) -> None:
        """What a caller says in Google's own words is more exact."""
        if effort is None:
            return
        if "thinkingConfig" in self._config:
            self.dropped["reasoning_effort"] = None
            return
        config = thinking_config(effort, self._model)
        if config is None:
            self.dropped["reasoning_effort"] = None
        self._set("thinkingConfig", config)
