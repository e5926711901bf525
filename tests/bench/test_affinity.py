"""The calling thread has a processor of its own while peers are timed."""

import os
import threading

import pytest

from onnx_acts.bench.affinity import workers_apart

if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
    pytest.skip("this machine cannot keep threads apart", allow_module_level=True)


def test_workers_are_kept_apart_and_freed_again() -> None:
    """A running worker leaves this thread's processor, and may use it again afterwards."""
    before = os.sched_getaffinity(0)
    done = threading.Event()
    worker = threading.Thread(target=done.wait)
    worker.start()
    try:
        identity = worker.native_id
        assert identity is not None
        with workers_apart():
            own, other = os.sched_getaffinity(0), os.sched_getaffinity(identity)
        assert len(own) == 1
        assert other == before - own
        assert os.sched_getaffinity(0) == os.sched_getaffinity(identity) == before
    finally:
        done.set()
        worker.join()


def test_threads_are_freed_after_an_error() -> None:
    """A measurement that fails gives the processors back."""
    before = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), workers_apart():
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before
