"""What a start imports, it pays for: no command waits for what only servers need."""

import sys
from pathlib import Path

from processes import ran

ONLY_OF_SERVERS = ("quart", "hypercorn", "h2", "alembic", "redis", "genai_prices")


async def test_commands_import_nothing_that_only_serving_needs(tmp_path: Path) -> None:
    told = "import sys, langroute.entrypoints.cli.main; print(*sys.modules)"
    code, out, errors = await ran(sys.executable, "-c", told, cwd=tmp_path)
    assert (code, errors) == (0, "")
    assert set(out.decode().split()).isdisjoint(ONLY_OF_SERVERS)
