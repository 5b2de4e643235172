import asyncio
import os
from pathlib import Path


async def ran(
    *command: str | Path, cwd: Path, within_s: float = 100, **environment: str
) -> tuple[int, bytes, str]:
    """A program's exit code, and what it wrote, on standard output and as errors."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    return process.returncode or 0, out, err.decode()
