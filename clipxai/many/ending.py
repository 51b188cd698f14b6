"""How does a long run end early, and lose nothing that is ready?

Python hears Ctrl-C (SIGINT) as a KeyboardInterrupt, and what is ready is written on the way out.
SIGTERM, as schedulers and torchrun send it, is heard the same way here, and a second one, such as
the terminal's after torchrun's, does not break that off.

Signals reach the main thread alone, and a handler that somebody else has set stays.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 3.0  # seconds in which a second signal is the same wish once more
USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


@contextmanager
def ended_gently() -> Iterator[None]:
    """SIGINT and SIGTERM are a KeyboardInterrupt meanwhile, once within `GRACE`."""
    heard: list[float] = []

    def end(number: int, frame: object) -> None:
        now = time.monotonic()
        if not heard or now - heard[-1] > GRACE:
            heard.append(now)
            raise KeyboardInterrupt

    usual = {sign for sign, handler in USUAL.items() if signal.getsignal(sign) is handler}
    if threading.current_thread() is not threading.main_thread():
        usual = set()  # Python allows no handler there
    for sign in usual:
        signal.signal(sign, end)
    try:
        yield
    finally:
        for sign in usual:
            signal.signal(sign, USUAL[sign])


@contextmanager
def unbroken() -> Iterator[None]:
    """What is done here is done to its end; a signal that came meanwhile is heard then."""
    heard: list[int] = []
    handlers = {sign: signal.getsignal(sign) for sign in USUAL}
    if threading.current_thread() is not threading.main_thread():
        handlers = {}
    # None: a handler that was not set by Python cannot be set again
    handlers = {sign: handler for sign, handler in handlers.items() if handler is not None}
    for sign in handlers:
        signal.signal(sign, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        for sign, handler in handlers.items():
            signal.signal(sign, handler)
        if heard:
            signal.raise_signal(heard[0])
