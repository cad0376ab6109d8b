"""Solvers: SciPy's results in SciPy's order, every kind of operator, callbacks, histories, Ctrl-C, refusals."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from scipy.sparse import linalg as scipys

import convmtx


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    A = convmtx.Conv1d(rng.normal(size=7), 40)
    return A, rng.normal(size=46), rng.normal(size=40)


LEAST_SQUARES = [
    {},
    {"damp": 0.5},
    {"damp": 0.5, "x0": True},
    {"x0": True},
    {"atol": 0, "btol": 0, "conlim": 0, "limit": 5},
    {"atol": 1e-12, "btol": 1e-12},
]


def settings(given, limit, x0):
    given = dict(given)
    if "limit" in given:
        given[limit] = given.pop("limit")
    if "x0" in given:
        given["x0"] = x0
    return given


# The iterates agree to rounding; the tests that end the iteration look at the same numbers.
CLOSE = {"rtol": 1e-6, "atol": 1e-12}


@pytest.mark.parametrize("given", LEAST_SQUARES)
def test_lsqr_returns_what_scipys_does(problem, given):
    A, b, x0 = problem
    given = settings(given, "iter_lim", x0)
    ours, theirs = convmtx.lsqr(A, b, **given), scipys.lsqr(A.to_scipy(), b, **given)
    assert len(ours) == len(theirs) == 10
    names = ["x", "istop", "itn", "r1norm", "r2norm", "anorm", "acond", "arnorm", "xnorm", "var"]
    for name, got, want in zip(names, ours, theirs):
        if name == "xnorm":
            want = np.linalg.norm(theirs[0])  # SciPy documents norm(x), and returns that of x - x0
        assert np.allclose(got, want, **CLOSE), name


def test_lsqr_estimates_variances_as_scipys_does(problem):
    A, b, _ = problem
    ours = convmtx.lsqr(A, b, damp=0.3, calc_var=True)[-1]
    theirs = scipys.lsqr(A.to_scipy(), b, damp=0.3, calc_var=True)[-1]
    assert np.allclose(ours, theirs, **CLOSE) and ours.all()


@pytest.mark.parametrize("given", LEAST_SQUARES)
def test_lsmr_returns_what_scipys_does(problem, given):
    A, b, x0 = problem
    given = settings(given, "maxiter", x0)
    ours, theirs = convmtx.lsmr(A, b, **given), scipys.lsmr(A.to_scipy(), b, **given)
    assert len(ours) == len(theirs) == 8
    for got, want in zip(ours, theirs):
        assert np.allclose(got, want, **CLOSE)


def test_cg_returns_what_scipys_does(problem):
    A, b, x0 = problem
    N = A.H @ A + 0.1 * convmtx.Identity(40)
    dense, rhs = N.todense(), A.H @ b
    for given in ({}, {"rtol": 1e-10}, {"x0": x0}, {"maxiter": 3}, {"M": np.diag(1 / np.diag(dense))}):
        ours, theirs = convmtx.cg(N, rhs, **given), scipys.cg(dense, rhs, **given)
        assert np.allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-8) and ours[1] == theirs[1], given
    iterates = []
    convmtx.cg(N, rhs, callback=iterates.append)
    assert len(iterates) > 3 and all(x.shape == (40,) for x in iterates)
    with pytest.warns(RuntimeWarning, match="positive definite"):
        assert convmtx.cg(-1.0 * N, rhs)[1] == -1


def test_cgls_returns_what_pylops_does(problem):
    pylops = pytest.importorskip("pylops")
    A, b, _ = problem
    theirs = pylops.optimization.basic.cgls(pylops.MatrixMult(A.todense()), b, np.zeros(40), niter=12, damp=0.3, tol=0)
    ours = convmtx.cgls(A, b, niter=12, damp=0.3, tol=0)
    assert len(ours) == len(theirs)
    assert np.allclose(ours[0], theirs[0], **CLOSE) and ours[1:3] == theirs[1:3]
    # PyLops documents its fourth value as the residual norm, and returns the squared norm of the gradient.
    assert np.allclose(ours[3], np.linalg.norm(b - A @ theirs[0])) and np.allclose(ours[4], theirs[4], **CLOSE)
    assert np.allclose(ours[5], theirs[5], **CLOSE)


@pytest.mark.parametrize("solve", [convmtx.lsqr, convmtx.lsmr, convmtx.cgls])
def test_every_kind_of_operator_gives_the_same(problem, solve):
    A, b, _ = problem
    expected = solve(A, b)[0]
    kinds = [
        A.to_scipy(),
        A.to_scipy("csc"),
        A.todense(),
        scipys.aslinearoperator(A.to_scipy()),
        scipys.aslinearoperator(A),
    ]
    for kind in kinds:
        assert np.allclose(solve(kind, b)[0], expected, **CLOSE), kind


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_every_dtype(problem, dtype):
    A, b, _ = problem
    A, b = A.astype(dtype), b.astype(dtype)
    expected = np.linalg.lstsq(A.todense().astype(np.complex128), b.astype(np.complex128))[0]
    tight = 1e-7 if dtype == np.complex128 else 1e-3
    for solve in (convmtx.lsqr, convmtx.lsmr):
        x = solve(A, b, atol=1e-14, btol=1e-14, conlim=0)[0]
        assert x.dtype == dtype and np.linalg.norm(x - expected) <= tight * np.linalg.norm(expected)


def test_tikhonov_is_the_normal_equations(problem):
    A, b, x0 = problem
    D = convmtx.Difference(40, 2)
    M, L = A.todense(), D.todense()
    expected = np.linalg.solve(M.T @ M + 0.7 * L.T @ L, M.T @ b)
    for start in (None, x0):
        assert np.allclose(convmtx.tikhonov(A, b, 0.7, D, start, maxiter=500, tol=1e-13), expected)
    plain = np.linalg.solve(M.T @ M + 0.7 * np.eye(40), M.T @ b)
    assert np.allclose(convmtx.tikhonov(A, b, 0.7, maxiter=500, tol=1e-13), plain)
    assert np.allclose(convmtx.lsqr(A, b, damp=0.7**0.5, atol=1e-13, btol=1e-13)[0], plain)


def test_images_in_images_out():
    rng = np.random.default_rng(1)
    for order in "CF":
        kernel = rng.random((3, 4))
        kernel[1, 2] += 20  # well conditioned
        A = convmtx.Conv2d(kernel, (8, 9), "same", boundary="symmetric", order=order)
        x = rng.random((8, 9))
        b = A @ x
        for found in (
            convmtx.lsqr(A, b, atol=1e-13, btol=1e-13, conlim=0, iter_lim=2000)[0],
            convmtx.tikhonov(A, b, 0.0, maxiter=2000, tol=1e-13),
            (A / b),
        ):
            assert found.shape == (8, 9) and np.allclose(A @ found, b, atol=1e-4)
        assert convmtx.richardson_lucy(A, b, 5).shape == (8, 9)


def test_richardson_lucy_is_its_formula():
    rng = np.random.default_rng(2)
    A = convmtx.Conv1d(rng.random(4), 20, "same")
    M, b, d = A.todense(), rng.random(20) + 0.5, 0.1
    x = np.full(20, 0.5)
    for _ in range(7):
        x = x * (M.T @ (b / (M @ x + d))) / M.sum(0)
    assert np.allclose(convmtx.richardson_lucy(A, b, 7, x0=np.full(20, 0.5), background=d), x)
    with pytest.raises(ValueError, match="negative|-0.5|expected"):
        convmtx.richardson_lucy(A, b - 1.0, 3)
    assert (convmtx.richardson_lucy(A, b - 1.0, 3, clip_data=True) >= 0).all()
    with pytest.raises(TypeError, match="complex"):
        convmtx.richardson_lucy(A.astype(np.complex128), b)


@pytest.mark.parametrize("operator", [lambda A: A, scipys.aslinearoperator], ids=["native", "foreign"])
def test_callbacks_see_iterates_and_may_stop(problem, operator):
    A, b, _ = problem
    seen, history = [], {}

    def stop_at_four(progress):
        seen.append(progress)
        if progress.iteration == 4:
            raise StopIteration

    x, istop, itn, *_ = convmtx.lsqr(operator(A), b, callback=stop_at_four, history=history)
    assert (istop, itn) == (7, 4) and [p.iteration for p in seen] == [1, 2, 3, 4]
    assert np.array_equal(seen[-1].x, x)
    assert np.allclose([np.linalg.norm(b - A @ p.x) for p in seen], history["residual_norms"][1:])
    assert history["iterations"] == 4 and len(history["objectives"]) == 5 and "observer" in history["message"]

    def fail(progress):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        convmtx.lsqr(operator(A), b, callback=fail)


def test_exceptions_of_foreign_operators_come_through(problem):
    _, b, _ = problem

    class Broken(Exception):
        pass

    def matvec(v):
        raise Broken("no product today")

    A = scipys.LinearOperator((46, 40), matvec=matvec, rmatvec=lambda v: np.ones(40), dtype=np.float64)
    with pytest.raises(Broken, match="today"):
        convmtx.lsqr(A, b)
    without = scipys.LinearOperator((46, 40), matvec=lambda v: np.ones(46), dtype=np.float64)
    with pytest.raises((TypeError, NotImplementedError)):
        convmtx.lsqr(without, b)


def test_progress_bar_counts(problem, capsys):
    pytest.importorskip("tqdm")
    A, b, _ = problem
    convmtx.cgls(A, b, niter=5, tol=0, progress=True)
    assert "5/5" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (lambda A, b: (A, b[:-1]), ValueError, r"b has shape \(45,\), expected \(46,\)"),
        (lambda A, b: (A, b, -1.0), ValueError, "damping"),
        (lambda A, b: (A, b, float("nan")), ValueError, "damping"),
        (lambda A, b: (A, np.full(46, np.nan)), ValueError, "finite"),
        (lambda A, b: (A, np.full(46, "x")), TypeError, "dtype"),
        (lambda A, b: ("A", b), TypeError, "no operator"),
    ],
)
def test_refusals(problem, arguments, error, text):
    A, b, _ = problem
    for solve in (convmtx.lsqr, convmtx.lsmr):
        with pytest.raises(error, match=text):
            solve(*arguments(A, b))


def test_a_limit_that_nobody_reaches_costs_nothing(problem):
    A, b, _ = problem
    assert convmtx.lsqr(A, b, iter_lim=10**14)[2] < 200
    with pytest.raises(TypeError, match="callback"):
        convmtx.cg(A.H @ A, A.H @ b, callback=3)


def test_ctrl_c_ends_a_long_solve_at_once():
    """In a process of its own: the signal comes in the middle of a product that takes a second or so."""
    script = """
        import os, signal, threading, time
        import numpy as np, convmtx
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits it as ignored
        A = convmtx.Conv2d(np.ones((61, 61)), (1200, 1200), engine="direct")
        b = np.ones(A.dimsd)
        sent = []
        def interrupt():
            time.sleep(1.0)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            convmtx.cgls(A, b, niter=10**6, tol=0)
        except KeyboardInterrupt:
            print(time.monotonic() - sent[0])
        assert np.array_equal(convmtx.Conv1d([1.0, 2.0], 3) @ np.ones(3), [1, 3, 3, 2])
    """

    def seconds():
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    assert any(seconds() < 0.2 for _ in range(3))  # the machine may be busy


def test_solves_in_several_threads_at_once(problem):
    A, b, _ = problem
    expected = convmtx.lsqr(A, b)[0]
    found = [None] * 4

    def solve(i):
        found[i] = convmtx.lsqr(A, b)[0]

    threads = [threading.Thread(target=solve, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(x, expected) for x in found)


def test_settings_are_numbers_and_named():
    a, b = convmtx.Conv1d([1.0, 2.0, 1.0], 6, "same"), np.ones(6)
    for name in ("damp", "atol", "conlim"):
        for value in ("3", None, [3], 1j):
            with pytest.raises(TypeError, match=f"^{name} is .*, expected a real number"):
                convmtx.lsqr(a, b, **{name: value})


def test_callback_and_history_are_checked_before_the_work():
    def product(v):
        raise AssertionError("the work began")

    a = convmtx.aslinearoperator(scipys.LinearOperator((6, 6), matvec=product, rmatvec=product, dtype=np.float64))
    for keywords in ({"callback": 3}, {"history": []}):
        with pytest.raises(TypeError, match=f"^{next(iter(keywords))} is"):
            convmtx.lsqr(a, np.ones(6), **keywords)


def test_a_penalty_for_pictures_of_another_shape_is_refused():
    a = convmtx.Conv2d(np.ones((1, 1)), (3, 4), "same")
    with pytest.raises(ValueError, match=r"L takes arrays of shape \(4, 3\), expected \(3, 4\)"):
        convmtx.tikhonov(a, np.ones((3, 4)), 1.0, convmtx.Gradient2d((4, 3)))
    assert convmtx.tikhonov(a, np.ones((3, 4)), 1.0, convmtx.Gradient2d((3, 4))).shape == (3, 4)


def test_a_constant_beyond_the_ends_is_taken_off_first():
    a = convmtx.Conv1d([1.0, 3.0, 1.0], 5, "same", boundary=10.0)
    x = np.arange(5.0)
    assert np.allclose(convmtx.lsqr(a, a.apply(x) - a.constant_term(), atol=1e-12, btol=1e-12)[0], x)
