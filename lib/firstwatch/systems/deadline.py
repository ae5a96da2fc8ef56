"""
The one deadline rule: every remote call ends within its seconds, whatever the client library believes.

Client time-outs count from the last byte, so a server that drips one byte a second holds them for ever. Here the call
runs in a thread of its own and the caller stops waiting. The thread is left to its socket's time-out; as a daemon it
never keeps the program alive.
"""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from firstwatch.errors import Unavailable

T = TypeVar("T")


def bounded(seconds: float, doing: str, call: Callable[[], T]) -> T:
    """
    Return what *call* returns, or raise what it raises, within *seconds*.

    Raises:
        Unavailable: It took longer. *doing* opens the message: `GET deployments of prometheus`.
    """
    answer: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    threading.Thread(target=_run, args=(call, answer), daemon=True, name="remote call").start()
    try:
        value, error = answer.get(timeout=seconds)
    except queue.Empty:
        raise Unavailable(f"{doing}: no answer within {seconds:g} s; try again, or look at the system itself") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # None is a value of T when there is no error


def _run(call: Callable[[], T], answer: "queue.SimpleQueue[tuple[T | None, BaseException | None]]") -> None:
    try:
        answer.put((call(), None))
    except BaseException as error:  # noqa: BLE001  # it is raised again in the caller's thread
        answer.put((None, error))
