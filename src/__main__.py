"""`python -m langroute` is the command `langroute`."""

from .entrypoints.cli.main import main

main()
