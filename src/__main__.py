import gc


def main() -> None:
    """The command `langroute`, also as `python -m langroute`."""
    # What the imports make stays for good; looking through it for rubbish takes an eighth of a
    # start. The server turns the collector on again, commands are over before it would matter.
    gc.disable()
    from .entrypoints.cli.main import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
