from ..settings import Settings, environment_name
from .output import JsonFlag, show


def list_settings(as_json: JsonFlag = False) -> None:
    """Every setting: its name in the environment, its default, what it is for."""
    show(settings_rows(), ("name", "default", "meaning"), as_json=as_json)


def settings_rows() -> list[dict[str, str]]:
    return [
        {
            "name": environment_name(name),
            "default": _shown(field.default),
            "meaning": field.description or "",
        }
        for name, field in Settings.model_fields.items()
    ]


def _shown(default: object) -> str:
    if default is None or default == []:
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:g}" if isinstance(default, float) else str(default)
