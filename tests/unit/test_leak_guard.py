"""Detection of leaks by the leak guard."""

import asyncio
import socket
import threading

import pytest

from tests.leak_guard import no_leaks


async def test_clean_body_passes() -> None:
    async with no_leaks():
        await asyncio.create_task(asyncio.sleep(0))


async def test_task_is_detected() -> None:
    with pytest.raises(AssertionError, match="a task was left behind"):
        async with no_leaks():
            task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()


async def test_timer_is_detected() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(AssertionError, match="a timer was left behind"):
        async with no_leaks():
            timer = loop.call_later(60, loop.stop)
    timer.cancel()


async def test_socket_is_detected() -> None:
    with pytest.raises(AssertionError, match="a socket was left behind"):
        async with no_leaks():
            left = socket.socket()
    left.close()


async def test_transport_is_detected() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    with pytest.raises(AssertionError, match="a socket was left behind"):
        async with no_leaks():
            _, writer = await asyncio.open_connection(host, port)
    writer.close()
    server.close()
    await server.wait_closed()


async def test_thread_is_detected() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    with pytest.raises(AssertionError, match="a thread was left behind"):
        async with no_leaks():
            thread.start()
    release.set()
    thread.join()


async def test_unhandled_exception_is_detected() -> None:
    async def fail() -> None:
        raise ValueError

    with pytest.raises(AssertionError, match="an exception was not seen"):
        async with no_leaks():
            asyncio.create_task(fail())  # noqa: RUF006 - its error must stay unhandled


async def test_finished_task_is_not_a_leak() -> None:
    async with no_leaks():
        task = asyncio.create_task(asyncio.sleep(0))
    assert task.done()
