"""PyLops' names: equal to PyLops where PyLops is right, and exact adjoints where it is not."""

import gc
import itertools
import weakref

import numpy as np
import pytest

import convmtx as cm
import naive

KERNELS = [1, 2, 3, 4, 5]


def window(x, h, axes, offset, output):
    """full[offset : offset + output] of the definition, along axes."""
    for axis in range(x.ndim):
        if axis not in axes:
            h = np.expand_dims(h, axis)
    far = np.pad(naive.full(x, h), [(0, x.shape[a] + h.shape[a]) if a in axes else (0, 0) for a in range(x.ndim)])
    cut = [slice(None)] * x.ndim
    for axis, o, m in zip(axes, offset, output):
        cut[axis] = slice(o, o + m)
    return far[tuple(cut)]


def adjoint_is_exact(op, seed=1):
    """⟨A x, y⟩ = ⟨x, Aᴴ y⟩ with ``==`` on integers, through every way into the operator."""
    x, y = naive.integers(op.dims, seed, dtype=op.dtype), naive.integers(op.dimsd, seed + 1, dtype=op.dtype)
    assert np.vdot(op @ x, y) == np.vdot(x, op.H @ y)
    A = op.todense()
    assert (A @ x.ravel() == op.matvec(x.ravel())).all()
    assert (A.conj().T @ y.ravel() == op.rmatvec(y.ravel())).all()
    assert (op.to_scipy().toarray() == A).all()
    assert (op.matmat(np.stack([x.ravel()] * 2, 1))[:, 1] == op.matvec(x.ravel())).all()
    assert op.dottest()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32])
@pytest.mark.parametrize("method", [None, "fft", "direct"])
def test_convolve1d_of_a_signal(method, dtype):
    for n, k in itertools.product(range(1, 7), KERNELS):
        for offset in range(min(n, k)):
            h, x = naive.integers(k, 3, dtype=dtype), naive.integers(n, 4, dtype=dtype)
            op = cm.Convolve1D(n, h, offset, method=method, dtype=dtype)
            assert op.dims == (n,) and op.dimsd == (max(n, k),) and op.dtype == dtype
            assert (op @ x == window(x, h, [0], [offset], [max(n, k)])).all()
            adjoint_is_exact(op)


@pytest.mark.parametrize("dims", [(4, 5), (3, 2, 4), (2, 3, 2, 4), (1, 4, 1), (2, 1, 3, 2, 2)])
def test_convolve1d_along_every_axis(dims):
    x = naive.integers(dims, 5, dtype=np.complex128)
    for axis in range(-len(dims), len(dims)):
        for k in (1, 2, 3):
            h = naive.integers(k, 6, dtype=np.complex128)
            op = cm.Convolve1D(dims, h, 0, axis)
            a, n = axis % len(dims), dims[axis]
            assert (op @ x == window(x, h, [a], [0], [max(n, k)])).all()
            adjoint_is_exact(op)


def test_convolve1d_with_taps_for_every_row():
    dims = (3, 2, 5)
    x = naive.integers(dims, 7)
    for h_shape, axis in [
        ((3, 2, 4), 2),
        ((1, 2, 4), -1),
        ((3, 1, 1), 1),
        ((3, 2, 5), 1),
        ((2, 2, 5), 0),
        ((1, 1, 3), 2),
        ((3, 2, 6), 2),
    ]:
        h = naive.integers(h_shape, 8)
        op = cm.Convolve1D(dims, h, 0, axis)
        a = axis % 3
        y = np.moveaxis(op @ x, a, -1)
        rows, taps = np.moveaxis(x, a, -1), np.moveaxis(h, a, -1)
        for at in np.ndindex(*rows.shape[:-1]):
            kernel = taps[tuple(i if s > 1 else 0 for i, s in zip(at, taps.shape))]
            m = max(rows.shape[-1], kernel.size)
            assert (y[at] == np.convolve(rows[at], kernel)[:m]).all() if m > 1 else True
        adjoint_is_exact(op)


def test_convolve2d_and_nd_along_every_pair_of_axes():
    for dims in [(4, 5), (2, 4, 3), (3, 2, 2, 4), (2, 2, 3, 1, 3)]:
        x = naive.integers(dims, 9)
        for axes in itertools.combinations(range(len(dims)), 2):
            for k, offset in [((2, 3), (0, 0)), ((3, 2), (1, 1)), ((1, 4), (0, 3)), ((5, 2), (2, 0))]:
                h = naive.integers(k, 10)
                want = window(x, h, axes, offset, [dims[a] for a in axes])
                negative = tuple(a - len(dims) for a in axes)
                op = cm.Convolve2D(dims, h, offset, negative) if dims != (4, 5) or axes == (0, 1) else None
                assert (op @ x == want).all() and op.dimsd == dims
                if len(dims) > 2:
                    assert (cm.ConvolveND(dims, h, offset, axes) @ x == want).all()
                    assert (cm.ConvolveND(dims, h.T, offset[::-1], axes[::-1]) @ x == want).all()
                adjoint_is_exact(op)


def test_convolvend_along_three_and_four_axes():
    for dims, axes in [
        ((3, 4, 2), (0, 1, 2)),
        ((2, 3, 4, 2), (0, 1, 3)),
        ((2, 3, 2, 3), (0, 1, 2, 3)),
        ((2, 2, 3, 2), (1, 2, 3)),
    ]:
        h = naive.integers([2, 3, 2, 2][: len(axes)], 11, dtype=np.complex128)
        x, offset = naive.integers(dims, 12), [1, 0, 1, 0][: len(axes)]
        op = cm.ConvolveND(dims, h, offset, axes)
        assert (op @ x == window(x, h, axes, offset, [dims[a] for a in axes])).all()
        adjoint_is_exact(op)
    assert (cm.ConvolveND((3, 4), np.ones((2, 2)), axes=None) @ np.ones((3, 4))).shape == (3, 4)


def test_operators_are_ours():
    op = cm.Convolve1D((3, 4), np.array([1.0, 2.0]), axis=0)
    both = op.H @ op + 0.5 * cm.Identity(12)
    assert both.shape == (12, 12)
    import pickle

    again = pickle.loads(pickle.dumps(op))
    x = naive.integers((3, 4), 13)
    assert (again @ x == op @ x).all()
    assert (op.astype(np.float32) @ x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: cm.Convolve1D(5, np.ones(3), 3), "`offset` is 3"),
        (lambda: cm.Convolve1D(3, np.ones(5), 3), "`offset` is 3"),
        (lambda: cm.Convolve1D(5, np.ones(3), method="fastest"), "'overlapadd'"),
        (lambda: cm.Convolve1D((2, 5), np.ones(3), axis=2), "axis 2"),
        (lambda: cm.Convolve1D((2, 5), np.ones((3, 3)), axis=1), "h has shape"),
        (lambda: cm.Convolve1D((2, 5, 2), np.ones((3, 3))), "h has shape"),
        (lambda: cm.Convolve1D(0, np.ones(3)), "dims"),
        (lambda: cm.Convolve2D((4, 4), np.ones(3)), "2-dimensional"),
        (lambda: cm.ConvolveND((4, 4, 4), np.ones((3, 3)), axes=(0, 0)), "axes"),
        (lambda: cm.ConvolveND((4, 4, 4), np.ones((3, 3)), offset=(0, 0, 0)), "offset"),
    ],
)
def test_refusals_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# Beside PyLops -------------------------------------------------------------------------------------------------------


@pytest.fixture
def pylops_signal():
    return pytest.importorskip(
        "pylops.signalprocessing", reason="PyLops is not installed: the comparison with it did not run"
    )


def test_convolve1d_equals_pylops(pylops_signal):
    for n, k in itertools.product(range(1, 7), KERNELS):
        for offset in range(min(n, k)):
            h, x = naive.integers(k, 14), naive.integers(n, 15)
            theirs = pylops_signal.Convolve1D(n, h, offset)
            ours = cm.Convolve1D(n, h, offset)
            assert ours.shape == theirs.shape and ours.dims == tuple(theirs.dims)
            np.testing.assert_allclose(ours @ x, theirs @ x, atol=1e-11)
            if k <= n:
                y = naive.integers(ours.dimsd, 16)
                np.testing.assert_allclose(ours.H @ y, theirs.H @ y, atol=1e-11)
    x = naive.integers((3, 4, 5), 17)
    for axis in (0, 1, 2, -1):
        for h in (naive.integers(3, 18), naive.integers((3, 4, 3) if axis in (2, -1) else (3, 4, 5), 19)):
            theirs, ours = pylops_signal.Convolve1D((3, 4, 5), h, 1, axis), cm.Convolve1D((3, 4, 5), h, 1, axis)
            np.testing.assert_allclose(ours @ x, (theirs @ x.ravel()).reshape(3, 4, 5), atol=1e-11)


def test_convolve2d_and_nd_equal_pylops(pylops_signal):
    x = naive.integers((3, 4, 5), 20)
    for axes, k, offset in [
        ((0, 1), (2, 3), (1, 0)),
        ((1, 2), (3, 3), (1, 1)),
        ((0, 2), (5, 2), (2, 1)),
        ((-2, -1), (4, 6), (0, 0)),
    ]:
        h = naive.integers(k, 21)
        for name in ("Convolve2D", "ConvolveND"):
            theirs = getattr(pylops_signal, name)((3, 4, 5), h, offset, axes)
            ours = getattr(cm, name)((3, 4, 5), h, offset, axes)
            np.testing.assert_allclose(ours @ x, theirs @ x, atol=1e-11)
            np.testing.assert_allclose(ours.H @ x, theirs.H @ x, atol=1e-11)
    h = naive.integers((2, 2, 3), 22)
    theirs, ours = pylops_signal.ConvolveND((3, 4, 5), h, (1, 0, 1), None), cm.ConvolveND((3, 4, 5), h, (1, 0, 1), None)
    np.testing.assert_allclose(ours @ x, theirs @ x, atol=1e-11)


def test_ours_as_pylops_operators(pylops_signal):
    from pylops.utils import dottest

    op = cm.Convolve1D((4, 5), np.array([1 + 2j, 3 - 1j]), 1, 0).to_pylops()
    assert dottest(op, *op.shape, complexflag=3)


def test_an_operator_of_functions_dies_with_its_last_name():
    operator = cm.ConvolveND((2, 3, 2, 5, 2), np.ones((2, 2, 2)), axes=(0, 2, 4))
    alive = weakref.ref(operator)
    del operator
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("name", ["offset", "axis"])
@pytest.mark.parametrize("value", [None, "1", 0.5, float("nan"), [0]])
def test_offset_and_axis_are_whole_numbers(name, value):
    with pytest.raises(TypeError, match=f"{name} is .*, expected a whole number"):
        cm.Convolve1D(5, np.ones(2), **{name: value})
