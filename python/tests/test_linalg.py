"""SciPy's structured matrices against SciPy's."""

import numpy as np
import pytest
from scipy import linalg as scipy_linalg
from scipy import sparse

import convmtx as cm
import naive

MODES = ("full", "same", "valid")
DTYPES = [
    np.float32,
    np.float64,
    np.complex64,
    np.complex128,
    np.int8,
    np.uint16,
    np.int64,
    np.uint64,
    bool,
    np.float16,
]


def same_as(want, got):
    assert got.shape == want.shape and got.dtype == want.dtype
    assert (got == want).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_convolution_matrix_is_scipys_sparse(mode, dtype):
    for n, k in naive.SHAPES_1D:
        a = naive.integers(k, 1, dtype=dtype)
        A = cm.convolution_matrix(a, n, mode)
        want = scipy_linalg.convolution_matrix(a, n, mode)
        same_as(want.astype(np.float32) if dtype == np.float16 else want, A.toarray())
        assert A.format == "csr" and A.nnz == np.count_nonzero(A.toarray())
        if dtype != np.float16:  # which scipy.sparse does not know: the matrix is float32
            x = naive.integers(n, 2, dtype=dtype)
            assert (A @ x == np.convolve(a, x, mode)).all()


@pytest.mark.parametrize("mode", MODES)
def test_convolution_matrix_of_a_batch_is_an_array_of_more_dimensions(mode):
    for batch in [(2,), (2, 3), (1, 2, 2)]:
        for n, k in [(1, 1), (4, 3), (3, 5)]:
            a = naive.integers((*batch, k), 3)
            A = cm.convolution_matrix(a, n, mode)
            assert isinstance(A, sparse.coo_array)
            same_as(scipy_linalg.convolution_matrix(a, n, mode), A.toarray())


def test_convolution_matrix_in_other_formats():
    for format in ("csc", "coo", "dia"):
        A = cm.convolution_matrix([1.0, 2.0], 3, format=format)
        assert A.format == format
        same_as(scipy_linalg.convolution_matrix([1.0, 2.0], 3), A.toarray())
    assert cm.convolution_matrix([1, 2], 3, format="csc").format == "csc"
    same_as(
        scipy_linalg.convolution_matrix(np.array([2**63 - 1]), 2),
        cm.convolution_matrix(np.array([2**63 - 1]), 2).toarray(),
    )
    assert cm.convolution_matrix(2.0, 3).shape == (3, 3)


def test_toeplitz_and_circulant_are_scipys():
    for c_shape, r_shape in [
        ((1,), (1,)),
        ((3,), (4,)),
        ((5,), (2,)),
        ((2, 3), (2, 4)),
        ((2, 1, 3), (3, 2)),
        ((0,), (2,)),
    ]:
        for dtype in (np.int64, np.complex128):
            c, r = naive.integers(c_shape, 4, dtype=dtype), naive.integers(r_shape, 5, dtype=dtype)
            same_as(scipy_linalg.toeplitz(c, r), cm.toeplitz(c, r))
            if c.size:
                same_as(scipy_linalg.toeplitz(c), cm.toeplitz(c))
                same_as(scipy_linalg.circulant(c), cm.circulant(c))
    same_as(scipy_linalg.toeplitz(3, 4), cm.toeplitz(3, 4))


def test_matmul_toeplitz_is_the_dense_product():
    for m, n in [(1, 1), (2, 5), (5, 2), (6, 6)]:
        for x_shape in [(n,), (n, 1), (n, 4), (n, 0), (2, n, 3)]:
            for dtype in (np.float64, np.complex128, np.int32):
                c, r, x = (naive.integers(s, 6, dtype=dtype) for s in (m, n, x_shape))
                want = cm.toeplitz(c, r) @ x
                y = cm.matmul_toeplitz((c, r), x)
                assert y.shape == want.shape and (y == want).all()
                assert y.dtype == np.result_type(dtype, np.float64)
    c = naive.integers((3, 4), 7, dtype=np.complex128)
    want = np.einsum("bij,jk->bik", cm.toeplitz(c), np.eye(4))
    assert (cm.matmul_toeplitz(c, np.eye(4)) == want).all()


def test_solve_toeplitz_solves():
    rng = np.random.default_rng(8)
    for n in (1, 2, 7, 50):
        for dtype in (np.float64, np.complex128):
            c, r = (rng.standard_normal(n).astype(dtype) for _ in range(2))
            if dtype == np.complex128:
                c, r = c + 1j * rng.standard_normal(n), r + 1j * rng.standard_normal(n)
            c[0] = r[0] = 10 * n
            for b in (rng.standard_normal(n), rng.standard_normal((n, 3)), rng.standard_normal((2, n, 3))):
                x = cm.solve_toeplitz((c, r), b)
                np.testing.assert_allclose(
                    cm.toeplitz(c, r) @ x if b.ndim < 3 else np.matmul(cm.toeplitz(c, r), x), b, atol=1e-12
                )
                np.testing.assert_allclose(x, scipy_linalg.solve_toeplitz((c, r), b), rtol=1e-10)
            np.testing.assert_allclose(cm.solve_toeplitz(c, b[0]), scipy_linalg.solve_toeplitz(c, b[0]), rtol=1e-10)


def test_solve_circulant_is_scipys():
    rng = np.random.default_rng(9)
    for c_shape, b_shape, axes in [
        ((4,), (4,), {}), ((4,), (4, 3), {}), ((4,), (4, 3, 2), {}), ((2, 1, 4), (3, 4), {"baxis": 1}),
        ((2, 1, 4), (3, 4), {"baxis": 1, "outaxis": -1}), ((2, 4, 1), (4, 3), {"caxis": 1}),
        ((4,), (0, 4), {"baxis": 1}),
    ]:  # fmt: skip
        for kind in (np.float64, np.complex128, np.float32):
            c, b = rng.standard_normal(c_shape).astype(kind), rng.standard_normal(b_shape).astype(kind)
            want, x = scipy_linalg.solve_circulant(c, b, **axes), cm.solve_circulant(c, b, **axes)
            assert x.shape == want.shape and x.dtype == want.dtype
            np.testing.assert_allclose(x, want, rtol=1e-4 if kind == np.float32 else 1e-10)
    np.testing.assert_allclose(
        cm.solve_circulant([1, 1, 0, 0], [1, 2, 3, 4], "lstsq"),
        scipy_linalg.solve_circulant([1, 1, 0, 0], [1, 2, 3, 4], "lstsq"),
    )


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: cm.convolution_matrix([], 3), ValueError, r"len\(a\)"),
        (lambda: cm.convolution_matrix([1], 0), ValueError, "n must be a positive integer"),
        (lambda: cm.convolution_matrix([1], 2.5), TypeError, "2.5"),
        (lambda: cm.convolution_matrix([1], 2, "middle"), ValueError, "mode.*must be one of"),
        (lambda: cm.matmul_toeplitz(([1, 2], [1, 2]), [1, 2, 3]), ValueError, "Incompatible dimensions"),
        (lambda: cm.matmul_toeplitz([1, np.nan], [1, 2], True), ValueError, "infs or NaNs"),
        (lambda: cm.solve_toeplitz(([1, 2], [1, 2, 3]), [1, 2, 3]), ValueError, "Incompatible dimensions"),
        (lambda: cm.solve_toeplitz([1, np.inf], [1, 2]), ValueError, "infs or NaNs"),
        (lambda: cm.solve_toeplitz([0.0, 1.0], [1.0, 2.0]), np.linalg.LinAlgError, "leading minor of order 1"),
        (lambda: cm.solve_circulant([1, 1, 0, 0], [1, 2, 3, 4]), np.linalg.LinAlgError, "near singular"),
        (lambda: cm.solve_circulant([1, 2], [1, 2, 3]), ValueError, "incompatible"),
        (lambda: cm.solve_circulant([1, 2], [1, 2], baxis=1), ValueError, "'baxis' entry is out of bounds"),
        (lambda: cm.solve_circulant([1, 2], [1, 2], "ignore"), ValueError, "'lstsq'"),
    ],
)
def test_refusals_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("dtype", [">i2", ">i8", ">f4", ">f8", ">c16"])
def test_convolution_matrix_takes_the_other_byte_order(dtype):
    a = np.array([1, 2, 3], dtype)
    for kernel in (a, np.stack([a, a])):
        matrix = cm.convolution_matrix(kernel, 4)
        assert matrix.dtype == a.dtype.newbyteorder("=")
        assert np.array_equal(matrix.toarray(), cm.convolution_matrix(kernel.astype(matrix.dtype), 4).toarray())


def test_solvers_refuse_integers_that_float64_would_round():
    for solve in (cm.solve_toeplitz, cm.matmul_toeplitz, cm.solve_circulant):
        with pytest.raises(ValueError, match="9007199254740993, expected at most 2"):
            solve([3, 1, 0], np.array([2**53 + 1, 0, 0]))
        with pytest.raises(ValueError, match="9007199254740993, expected at most 2"):
            solve(np.array([2**53 + 1, 0, 0]), [3, 1, 0])


def test_a_number_is_no_vector():
    for solve in (cm.solve_toeplitz, cm.matmul_toeplitz):
        with pytest.raises(ValueError, match="a single number"):
            solve([3.0, 1.0], 1.0)
