"""Writes of one iteration of the event loop go out together, but a stream is not gathered."""

import asyncio

from backend.http.server import MAX_COALESCED_BYTES, _CoalescingTransport


class Recorder(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def test_small_writes_go_out_together() -> None:
    recorder = Recorder()
    transport = _CoalescingTransport(recorder, asyncio.get_running_loop())

    transport.write(b"headers")
    transport.write(b"x" * (MAX_COALESCED_BYTES - len(b"headers")))
    before = list(recorder.written)
    await asyncio.sleep(0)

    assert before == []
    assert recorder.written == [b"headers" + b"x" * (MAX_COALESCED_BYTES - len(b"headers"))]


async def test_what_is_over_the_bound_does_not_wait_for_the_loop() -> None:
    """Else a stream that never suspends would be gathered in memory, however slowly its client reads."""
    recorder = Recorder()
    transport = _CoalescingTransport(recorder, asyncio.get_running_loop())

    transport.write(b"headers")
    transport.write(b"x" * MAX_COALESCED_BYTES)
    transport.write(b"rest")
    before = list(recorder.written)
    await asyncio.sleep(0)

    assert before == [b"headers" + b"x" * MAX_COALESCED_BYTES]
    assert recorder.written[1:] == [b"rest"]
