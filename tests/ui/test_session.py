"""What the server keeps: bounded, apart by token, and stoppable."""

from __future__ import annotations

import threading

import numpy as np

from tests.compare.columns import encoded
from workbench.ui.session import Sessions, new_token
from workbench.ui.snapshot import Snapshot


def _snapshot(name, rows=1):
    return Snapshot(texts=(name,), columns=(encoded(name, np.ones((rows, 256))),))


def test_a_token_shows_its_own_and_an_unknown_one_nothing():
    sessions = Sessions()
    sessions.keep("a", _snapshot("first"))
    sessions.keep("b", _snapshot("second"))
    assert sessions.shown("a").texts == ("first",)
    assert sessions.shown("b").texts == ("second",)
    assert sessions.shown("c") == Snapshot() == sessions.shown("")


def test_the_oldest_goes_first_in_number_and_in_bytes():
    few = Sessions(max_sessions=2)
    for name in ("a", "b", "c"):
        few.keep(name, _snapshot(name))
    assert few.shown("a") == Snapshot()
    assert few.shown("c").texts == ("c",)

    small = Sessions(max_bytes=150 * 1024)
    for name in ("a", "b"):
        small.keep(name, _snapshot(name, rows=100))
    assert small.shown("a") == Snapshot()
    # The newest stays even where it alone is beyond the bound.
    small.keep("c", _snapshot("c", rows=1000))
    assert small.shown("c").texts == ("c",)


def test_a_wish_to_stop_reaches_its_own_run_and_not_the_next():
    sessions = Sessions()
    first, other = sessions.start("a"), sessions.start("b")
    sessions.stop("a")
    assert first() and not other()
    second = sessions.start("a")
    assert first() and not second()
    sessions.stop("never seen")


def test_forgetting_stops_and_lets_go():
    sessions = Sessions()
    stopped = sessions.start("a")
    sessions.keep("a", _snapshot("a"))
    sessions.forget("a")
    sessions.forget("a")
    assert stopped()
    assert sessions.shown("a") == Snapshot()


def test_tokens_are_long_and_differ():
    assert len({new_token() for _ in range(1000)}) == 1000
    assert len(new_token()) == 32


def test_many_threads_at_once_keep_their_own():
    sessions = Sessions()
    wrong = []

    def visit(name):
        for _ in range(50):
            sessions.keep(name, _snapshot(name))
            if sessions.shown(name).texts != (name,):
                wrong.append(name)

    threads = [threading.Thread(target=visit, args=(f"v{place}",)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
