"""`python -m benchmarks.admission`: what it costs to admit a call and to settle it, by who counts.

Machines differ and are shared; read what is beside each other.
"""

import argparse

from .report import run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admission", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls and keys")
    run(quick=parser.parse_args().quick)
