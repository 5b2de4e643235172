import asyncio

from langroute.entrypoints.http.recording import Recording


async def read(recording: Recording) -> list[bytes]:
    return [piece async for piece in recording.read()]


async def test_passes_on_each_piece_and_keeps_them_all() -> None:
    recording = Recording(100)
    reading = asyncio.create_task(read(recording))
    for piece in (b"one", b"two"):
        await recording.write(piece)
        await asyncio.sleep(0)
    recording.end()
    async with asyncio.timeout(5):
        assert await reading == [b"one", b"two"]
    assert recording.whole() == b"onetwo"
    assert not recording.is_lost


async def test_who_writes_goes_on_without_a_reader() -> None:
    recording = Recording(100)
    await recording.aclose()
    async with asyncio.timeout(5):
        for _ in range(10):
            await recording.write(b"x" * 10)
            assert recording.is_wanted
        recording.end()
        assert await read(recording) == []
    assert recording.whole() == b"x" * 100
    await recording.write(b"x")
    assert recording.is_lost
    assert not recording.is_wanted


async def test_what_is_too_much_to_keep_is_still_passed_on_at_its_readers_pace() -> None:
    recording = Recording(10)

    async def write() -> int:
        for _ in range(20):
            await recording.write(b"x" * 7)
        recording.end()
        return 20

    writing = asyncio.create_task(write())
    done, _ = await asyncio.wait([writing], timeout=0.05)
    assert not done  # nobody reads
    async with asyncio.timeout(5):
        assert len(await read(recording)) == await writing
    assert recording.is_lost
    assert recording.is_wanted


async def test_who_waits_for_a_reader_hears_of_its_leaving() -> None:
    recording = Recording(10)
    writing = asyncio.create_task(recording.write(b"x" * 20))
    await asyncio.sleep(0)
    await recording.aclose()
    async with asyncio.timeout(5):
        await writing
    assert not recording.is_wanted
