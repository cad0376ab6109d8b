"""Threads of Python run products at the same time; a process that forks after a product goes on."""

import multiprocessing
import sys
import threading
import time

import numpy as np
import pytest

import convmtx

N = 200_000


def operator():
    return convmtx.Conv1d(np.arange(1.0, 102.0), N, "same")


@pytest.fixture
def two_threads():
    before = convmtx.get_num_threads()
    convmtx.set_num_threads(2)
    yield
    convmtx.set_num_threads(before)


def test_number_of_threads_is_kept(two_threads):
    assert convmtx.get_num_threads() == 2
    convmtx.set_num_threads(1)
    assert convmtx.get_num_threads() == 1
    convmtx.set_num_threads(0)  # the default: one per core
    assert convmtx.get_num_threads() >= 1
    with pytest.raises(ValueError, match="number of threads"):
        convmtx.set_num_threads(-1)


def test_number_of_threads_changes_no_bit(two_threads):
    op, rng = operator(), np.random.default_rng(0)
    x = rng.standard_normal(N)
    batch = rng.standard_normal((5000, 7))
    small = convmtx.Conv1d(rng.standard_normal(31), 5000, boundary="symmetric")
    results = []
    for threads in (1, 2, 5):
        convmtx.set_num_threads(threads)
        results.append((op.matvec(x), op.rmatvec(x), small.matmat(batch), small.to_scipy().data))
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other))


def test_concurrent_products_of_one_operator_agree(two_threads):
    op = operator()
    inputs = [np.random.default_rng(seed).integers(-9, 9, N).astype(float) for seed in range(4)]
    expected = [(op.matvec(x), op.rmatvec(x)) for x in inputs]
    failures = []

    def work(i):
        try:
            for _ in range(5):
                assert np.array_equal(op.matvec(inputs[i]), expected[i][0])
                assert np.array_equal(op.rmatvec(inputs[i]), expected[i][1])
        except BaseException as error:  # a thread has nobody to raise to
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    assert not failures


def test_the_interpreter_goes_on_during_a_product():
    """A product of some 100 ms holds the interpreter's lock at its ends only: another thread keeps counting."""
    op = convmtx.Conv1d(np.ones(2000), 500_000, "same", engine="direct")
    signals, alone = 1, 0.0
    while alone < 0.1:  # on any machine
        signals *= 2
        x = np.ones((500_000, signals))
        start = time.perf_counter()
        op.matmat(x)
        alone = time.perf_counter() - start
    ticks, stop = [], threading.Event()

    def count():
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(1e-3)

    counter = threading.Thread(target=count)
    counter.start()
    start = time.perf_counter()
    op.matmat(x)
    end = time.perf_counter()
    stop.set()
    counter.join()
    # The middle half: what the lock's hand-over at both ends does not reach.
    quarter = (end - start) / 4
    within = [t for t in ticks if start + quarter < t < end - quarter]
    assert end - start > 0.02, "the product is too short to tell"
    assert len(within) >= 3, f"{len(within)} ticks in the middle {2e3 * quarter:.0f} ms of a product"


def child(queue):
    op = operator()
    queue.put((op.matvec(np.ones(N)), op.rmatmat(np.ones((N, 3))).sum()))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Python 3.12: this is a fork with threads
@pytest.mark.parametrize("threads", [1, 2])
def test_fork_after_a_threaded_product(threads):
    before = convmtx.get_num_threads()
    try:
        convmtx.set_num_threads(threads)
        op = operator()
        expected = op.matvec(np.ones(N)), op.rmatmat(np.ones((N, 3))).sum()
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=child, args=(queue,))
        process.start()
        try:
            y, total = queue.get(timeout=60)
        finally:
            process.kill()
            process.join()
        assert np.array_equal(y, expected[0]) and total == expected[1]
        assert np.array_equal(op.matvec(np.ones(N)), expected[0])
    finally:
        convmtx.set_num_threads(before)
