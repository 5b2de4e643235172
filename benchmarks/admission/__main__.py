"""`python -m benchmarks.admission`: what it costs to admit a call and to settle it, by who counts.

Machines differ and are shared; read what is beside each other.
"""

import argparse
import asyncio

import uvloop
from rich.console import Console

from .report import report

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admission", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls and keys")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(report(Console(), quick=parser.parse_args().quick))
