import pytest

from langroute.adapters.postgres.address import to_asyncpg


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+asyncpg://u@h/d?ssl=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql+psycopg://u@h/d", "postgresql://u@h/d"),
        (
            "postgresql://u@h/d?sslmode=verify-full&channel_binding=require&connect_timeout=10",
            "postgresql://u@h/d?sslmode=verify-full",
        ),
        ("postgresql://u@a:1,b:2/d", "postgresql://u@a:1,b:2/d"),
        ("postgresql://u:p%40ss@h/d", "postgresql://u:p%40ss@h/d"),
        ("postgresql://postgres:@/d?host=/a/b%20c", "postgresql://postgres:@/d?host=%2Fa%2Fb+c"),
    ],
)
def test_the_usual_spellings_are_understood(written: str, understood: str) -> None:
    assert to_asyncpg(written) == understood


@pytest.mark.parametrize("written", ["mysql://h/d", "h/d", "", "sqlite:///x"])
def test_other_databases_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        to_asyncpg(written)
