"""PyLops takes our operators as they are (`aslinearoperator`) and as its own (`to_pylops`)."""

import warnings

import numpy as np
import pytest

import convmtx
import operators

try:
    import pylops
    from pylops.optimization.basic import cgls
    from pylops.utils import dottest
except ImportError:
    # Loud: a run without PyLops proves nothing about it.
    warnings.warn("PyLops is not installed: its tests are skipped", stacklevel=1)
    pytest.skip("PyLops is not installed", allow_module_level=True)


@pytest.mark.parametrize("name", operators.names())
def test_dottest(name):
    op = operators.named(name)
    (m, n), rounding = op.shape, 1e-4 if op.dtype in (np.float32, np.complex64) else 1e-10
    complex_flag = 3 if np.issubdtype(op.dtype, np.complexfloating) else 0
    for wrapped in (pylops.aslinearoperator(op), op.to_pylops()):
        assert isinstance(wrapped, pylops.LinearOperator)
        assert wrapped.shape == op.shape and wrapped.dtype == op.dtype
        assert dottest(wrapped, m, n, rtol=rounding, complexflag=complex_flag, raiseerror=True)


@pytest.mark.parametrize("name", operators.names())
def test_products_and_shapes(name):
    op = operators.named(name)
    wrapped, a = op.to_pylops(), op.todense()
    assert tuple(wrapped.dims) == tuple(op.dims) and tuple(wrapped.dimsd) == tuple(op.dimsd)
    x = np.arange(1.0, op.shape[1] + 1).astype(op.dtype)
    y = np.arange(1.0, op.shape[0] + 1).astype(op.dtype)
    single = op.dtype in (np.float32, np.complex64)
    rounding = dict(rtol=0, atol=(1e-5 if single else 1e-12) * np.abs(a).sum() * max(op.shape))
    # PyLops returns arrays of shape `dims` for vectors where that shape is not told apart from a vector's.
    assert np.allclose((wrapped @ x).ravel(), a @ x, **rounding)
    assert np.allclose((wrapped.H @ y).ravel(), a.conj().T @ y, **rounding)
    # n-d in, n-d out
    assert np.allclose(wrapped @ x.reshape(op.dims), (a @ x).reshape(op.dimsd), **rounding)


def test_cgls_of_pylops():
    kernel = np.array([1.0, 4, 6, 4, 1]) / 16
    op = convmtx.Conv1d(kernel, 60)
    b = op @ np.sin(np.arange(60) * 0.3)
    x0 = np.zeros(60)
    expected = cgls(pylops.MatrixMult(op.to_scipy()), b, x0=x0, niter=25, tol=0)[0]
    for wrapped in (op.to_pylops(), pylops.aslinearoperator(op)):
        assert np.allclose(cgls(wrapped, b, x0=x0, niter=25, tol=0)[0], expected, rtol=0, atol=1e-10)


def test_in_the_algebra_of_pylops():
    """Stacked with PyLops' own operators, an image stays an image."""
    psf = np.outer([1.0, 2, 1], [1, 2, 1]) / 16
    op = convmtx.Conv2d(psf, (10, 12), "same", boundary="symmetric").to_pylops()
    image = np.random.default_rng(0).standard_normal((10, 12))
    stack = pylops.VStack([op, 0.1 * pylops.Laplacian((10, 12))])
    y = stack @ image.ravel()
    assert np.allclose(y[:120], op @ image.ravel())
    assert dottest(stack, *stack.shape, raiseerror=True)


def test_equal_to_the_convolution_of_pylops():
    """Convolve2D with the centre as its offset is our window from there."""
    psf, shape = np.arange(1.0, 16.0).reshape(3, 5), (9, 11)
    theirs = pylops.signalprocessing.Convolve2D(shape, h=psf, offset=(1, 2), method="direct")
    ours = convmtx.Conv2d(psf, shape, offset=(1, 2), output=shape)
    image = np.random.default_rng(1).integers(-9, 10, shape).astype(float)
    assert np.allclose(ours @ image, theirs @ image, rtol=0, atol=1e-9)
    assert np.allclose(ours.H @ image, theirs.H @ image, rtol=0, atol=1e-9)
