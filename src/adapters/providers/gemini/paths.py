from urllib.parse import quote

_PREFIX = "models/"


def model_path(model: str, method: str) -> str:
    """The model's name as one step of the path, whatever is in it."""
    return f"/{_PREFIX}{quote(bare_name(model), safe='', errors='replace')}:{method}"


def bare_name(model: str) -> str:
    """Google's lists of models name them with the prefix; its pages without."""
    return model.removeprefix(_PREFIX)
