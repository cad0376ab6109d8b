"""SciPy's solvers take our operators as they are, and do what they do with the CSR matrix."""

import numpy as np
import pytest

import convmtx
import operators

spl = pytest.importorskip("scipy.sparse.linalg")

BINOMIAL = np.array([1.0, 4, 6, 4, 1]) / 16


def problems():
    rng = np.random.default_rng(3)
    complex_taps = rng.standard_normal(4) + 1j * rng.standard_normal(4)
    return {
        "signal": convmtx.Conv1d(BINOMIAL, 60),
        "complex signal": convmtx.Conv1d(complex_taps, 40),
        "image": convmtx.Conv2d(np.outer(BINOMIAL, BINOMIAL), (12, 13), "same", boundary="symmetric"),
        "rows": convmtx.RowwiseConv(rng.standard_normal((4, 3)), (4, 15)),
        "stack": convmtx.VStack([convmtx.Conv1d(BINOMIAL, 30, "same"), 0.3 * convmtx.Difference(30)]),
    }


each_problem = pytest.mark.parametrize("op", problems().values(), ids=problems().keys())


def right_hand_side(op):
    rng = np.random.default_rng(4)
    b = rng.standard_normal(op.shape[0])
    return b + 1j * rng.standard_normal(op.shape[0]) if np.iscomplexobj(np.empty(0, op.dtype)) else b


def assert_close(got, want, tolerance=1e-8):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape and got.dtype == want.dtype
    assert np.linalg.norm(got - want) <= tolerance * max(np.linalg.norm(want), 1e-300)


@each_problem
@pytest.mark.parametrize("damp", [0.0, 0.1])
def test_lsqr(op, damp):
    b, a = right_hand_side(op), op.to_scipy()
    ours, theirs = (spl.lsqr(m, b, damp=damp, iter_lim=30) for m in (op, a))
    assert_close(ours[0], theirs[0])
    assert ours[1:3] == theirs[1:3]  # reason to stop, iterations
    assert_close(ours[3:9], theirs[3:9])  # norms and condition


@each_problem
def test_lsmr(op):
    b, a = right_hand_side(op), op.to_scipy()
    ours, theirs = (spl.lsmr(m, b, damp=0.05, maxiter=30) for m in (op, a))
    assert_close(ours[0], theirs[0])
    assert ours[1:3] == theirs[1:3]


@each_problem
def test_cg_on_the_normal_equations(op):
    b, a = right_hand_side(op), op.to_scipy()
    shift = 0.1
    ours = op.H @ op + shift * convmtx.Identity(op.shape[1])
    theirs = a.conj().T @ a + shift * np.eye(op.shape[1])
    solutions = [spl.cg(m, a.conj().T @ b, rtol=1e-12) for m in (ours, theirs)]
    assert [info for _, info in solutions] == [0, 0]
    assert_close(solutions[0][0], solutions[1][0], 1e-10)


@each_problem
def test_svds(op):
    a, start = op.to_scipy(), np.ones(min(op.shape))
    (u, s, vh), (_, singular, _) = (spl.svds(m, k=4, v0=start) for m in (op, a))
    assert_close(s, singular, 1e-10)
    assert_close((u * s) @ vh @ vh.conj().T, a @ vh.conj().T, 1e-10)


@each_problem
def test_eigsh(op):
    a, start = op.to_scipy(), np.ones(op.shape[1])
    values = [spl.eigsh(m, k=3, v0=start, return_eigenvectors=False) for m in (op.H @ op, a.conj().T @ a)]
    assert_close(values[0], values[1], 1e-10)


@pytest.mark.parametrize("name", operators.names())
def test_as_scipy_operator(name):
    """`aslinearoperator` finds shape, type and all four products; SciPy's algebra builds on them."""
    op = operators.named(name)
    wrapped, a = spl.aslinearoperator(op), op.todense()
    m, n = op.shape
    assert (wrapped.shape, wrapped.dtype) == (op.shape, op.dtype)
    rng = np.random.default_rng(5)
    x, y = rng.integers(-9, 10, (n, 2)).astype(float), rng.integers(-9, 10, (m, 2)).astype(float)
    rounding = 20 * np.finfo(op.dtype).eps

    def close(got, want, size):
        return np.abs(got - want).max(initial=0) <= rounding * size

    # No sum of these products has larger terms, so these bounds hold for every order of summation.
    once = 9 * np.abs(a).sum()
    twice = once * np.abs(a).sum()
    assert close(wrapped.matvec(x[:, 0]), a @ x[:, 0], once)
    assert close(wrapped.matvec(x[:, :1]), a @ x[:, :1], once)
    assert close(wrapped.rmatvec(y[:, 0]), a.conj().T @ y[:, 0], once)
    assert close(wrapped.matmat(x), a @ x, once)
    assert close(wrapped.rmatmat(y), a.conj().T @ y, once)
    assert close(wrapped.H @ y, a.conj().T @ y, once)
    assert close((2 * wrapped) @ x, 2 * (a @ x), 2 * once)
    assert close((wrapped.H @ wrapped) @ x, a.conj().T @ (a @ x), twice)


@pytest.mark.parametrize("name", operators.names())
def test_matrix_is_the_operator(name):
    op = operators.named(name)
    m, n = op.shape
    matrix = op.to_scipy("csr")
    assert matrix.shape == op.shape and matrix.dtype == op.dtype
    dense = matrix.toarray()
    rounding = (1e-12 if op.dtype in (np.float64, np.complex128) else 1e-5) * np.abs(dense).max()
    assert np.allclose(op.matmat(np.eye(n)), dense, rtol=0, atol=rounding)
    assert np.allclose(op.rmatmat(np.eye(m)), dense.conj().T, rtol=0, atol=rounding)
    for form in ("csc", "coo"):
        assert op.to_scipy(form).format == form
