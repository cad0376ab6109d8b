"""MATLAB's names against the definition, sizes from 1, kernels longer than signals, every shape word."""

import numpy as np
import pytest

import convmtx as cm
import naive

SHAPES = ("full", "same", "valid")
SIZES_2D = [(m, n, k, l) for m in (1, 2, 4) for n in (1, 3, 4) for k in (1, 2, 3, 5) for l in (1, 2, 4)]


def exact(got, want):
    """Equal in every element, and as many of them."""
    want = np.asarray(want)
    assert got.shape == want.shape
    assert (got == want).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("shape", SHAPES)
def test_conv_is_the_definition(shape, dtype):
    for n, k in naive.SHAPES_1D:
        u, v = naive.integers(n, 1, dtype=dtype), naive.integers(k, 2, dtype=dtype)
        y = cm.conv(u, v, shape)
        exact(y, naive.matlab(u, v, shape))
        assert y.dtype == dtype


def test_same_of_the_example_in_matlabs_documentation():
    exact(cm.conv([-1, 2, 3, -2, 0, 1, 2], [2, 4, -1, 1], "same"), [15, 5, -9, 7, 6, 7, -1])
    exact(cm.conv([-1, 2, 3, -2, 0, 1, 2], [2, 4, -1, 1]), [-2, 0, 15, 5, -9, 7, 6, 7, -1, 2])


def test_orientation_follows_the_first_argument_and_full_the_longer_one():
    row, column = np.array([[1.0, 2, 3]]), np.array([[1.0], [2], [3], [4]])
    assert cm.conv(row, column).shape == (6, 1)  # Octave: conv([1 2 3], [1;2;3;4]) is 6x1
    assert cm.conv(column, row).shape == (6, 1)
    assert cm.conv(column[:3], np.ones((1, 4))).shape == (1, 6)
    assert cm.conv(column[:3], row).shape == (1, 5)  # as long: the second
    assert cm.conv(row, column, "same").shape == (1, 3)
    assert cm.conv(column, row, "same").shape == (4, 1)
    assert cm.conv(row, column, "valid").shape == (1, 0)
    assert cm.conv(column[:2], row, "valid").shape == (0, 1)
    assert cm.conv(row[0], row[0]).shape == (5,)
    assert cm.conv(3, row).shape == (1, 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_conv2_is_the_definition(shape):
    for m, n, k, l in SIZES_2D:
        A, B = naive.integers((m, n), 3), naive.integers((k, l), 4)
        exact(cm.conv2(A, B, shape), naive.matlab(A, B, shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_conv2_of_two_vectors_is_conv2_of_their_product(shape, dtype):
    for m, n, k, l in SIZES_2D:
        A, u, v = (naive.integers(s, 5, dtype=dtype) for s in ((m, n), k, l))
        want = naive.matlab(A, np.outer(u, v), shape)
        exact(cm.conv2(u, v, A, shape), want)
        exact(cm.conv2(u[:, None], v[None, :], A, shape=shape), want)


@pytest.mark.parametrize("shape", SHAPES)
def test_convn_is_the_definition_in_one_to_five_dimensions(shape):
    for a, b in [
        ((4,), (6,)),
        ((2, 3, 4), (2, 2, 2)),
        ((3, 1, 2), (1, 3, 2)),
        ((2, 3, 2, 3), (2, 2, 1, 2)),
        ((2, 2, 2, 2), (3, 2, 2, 3)),
        ((2, 1, 2, 3, 2), (2, 2, 2, 2, 2)),
    ]:
        A, B = naive.integers(a, 6), naive.integers(b, 7)
        exact(cm.convn(A, B, shape), naive.matlab(A, B, shape))


def test_convn_filters_every_channel_of_an_image():
    A, B = naive.integers((4, 5, 3), 8), naive.integers((3, 2), 9)
    for c in range(3):
        exact(cm.convn(A, B, "same")[:, :, c], cm.conv2(A[:, :, c], B, "same"))


def test_filter2_is_correlation():
    for m, n, k, l in SIZES_2D:
        X, h = naive.integers((m, n), 10), naive.integers((k, l), 11)
        for shape in SHAPES:
            exact(cm.filter2(h, X, shape), naive.matlab(X, h[::-1, ::-1], shape))
        exact(cm.filter2(h, X), naive.matlab(X, h[::-1, ::-1], "same"))


# Matrices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_conv_mtx_1d_times_x_is_conv(shape):
    for n, k in naive.SHAPES_1D:
        h, x = naive.integers(k, 12), naive.integers(n, 13)
        for word in (shape, SHAPES.index(shape) + 1):
            A = cm.conv_mtx_1d(h, n, word)
            assert A.format == "csr" and A.has_canonical_format
            exact(A @ x, naive.matlab(x, h, shape))


def test_convmtx_of_a_row_is_the_plain_transpose():
    for n, k in naive.SHAPES_1D:
        h = naive.integers(k, 14, dtype=np.complex128)
        column = cm.convmtx(h[:, None], n)
        exact(cm.convmtx(h, n).toarray(), column.toarray())
        exact(column.toarray(), cm.conv_mtx_1d(h, n).toarray())
        if k > 1:
            row = cm.convmtx(h[None, :], n)
            assert row.shape == (n, n + k - 1) and row.has_canonical_format
            exact(row.toarray(), column.toarray().T)
    exact(cm.convmtx(5, 3).toarray(), 5 * np.eye(3))


def test_the_binomial_example_has_the_published_counts():
    h = np.array([1, 4, 6, 4, 1]) / 16
    found = [cm.conv_mtx_1d(h, 50, shape) for shape in SHAPES]
    assert [A.shape for A in found] == [(54, 50), (50, 50), (46, 50)]
    assert [A.nnz for A in found] == [250, 244, 230]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["F", "C"])
def test_conv_mtx_2d_times_a_vector_is_conv2(shape, order):
    for m, n, k, l in SIZES_2D:
        H, X = naive.integers((k, l), 15), naive.integers((m, n), 16)
        want = naive.matlab(X, H, shape)
        A = cm.conv_mtx_2d(H, m, n, shape, order=order)
        exact((A @ X.ravel(order=order)).reshape(want.shape, order=order), want)


def test_convmtx2_takes_both_forms_of_the_size():
    H = naive.integers((2, 3), 17)
    exact(cm.convmtx2(H, 4, 5).toarray(), cm.conv_mtx_2d(H, 4, 5).toarray())
    exact(cm.convmtx2(H, (4, 5)).toarray(), cm.convmtx2(H, [4, 5]).toarray())
    assert cm.convmtx2(H, 4, 5, format="csc").format == "csc"


def test_zero_taps_are_not_stored():
    assert cm.convmtx([1, 0, 2], 4).nnz == 8


# imfilter -----------------------------------------------------------------------------------------------------------

PAD = {"symmetric": "symmetric", "replicate": "edge", "circular": "wrap", "reflect": "reflect"}


def padded_filter(A, h, operation, shape, boundary):
    """imfilter by padding far and cutting: of "corr", tap (k - 1) // 2 stands on the pixel."""
    kernel = h[::-1, ::-1] if operation == "corr" else h
    far = [(k, k) for k in h.shape]
    if boundary in PAD:
        extended = np.pad(A, far, PAD[boundary])
    else:
        extended = np.pad(A, far, constant_values=0 if boundary == "zero" else boundary)
    y = naive.full(extended, kernel)
    first = [k + (0 if shape == "full" else k // 2) for k in h.shape]
    length = [n + (k - 1 if shape == "full" else 0) for n, k in zip(A.shape, h.shape)]
    return y[tuple(slice(f, f + m) for f, m in zip(first, length))]


@pytest.mark.parametrize("boundary", ["zero", "symmetric", "replicate", "circular", "reflect", 2.5, 7])
@pytest.mark.parametrize("operation", ["corr", "conv"])
@pytest.mark.parametrize("shape", ["same", "full"])
def test_imfilter_pads_and_filters(operation, shape, boundary):
    for a, k in [((3, 4), (3, 3)), ((3, 4), (2, 4)), ((1, 3), (4, 5)), ((4, 1), (1, 2))]:
        A, h = naive.integers(a, 18), naive.integers(k, 19)
        want = padded_filter(A, h, operation, shape, boundary)
        exact(cm.imfilter(A, h, operation, shape, boundary), want)
        exact(cm.imfilter(A, h, boundary, shape, operation), want)
        exact(cm.imfilter(A.astype(np.int8), h.astype(np.int8), boundary, operation, shape), want)
        if boundary in ("zero", "symmetric", "replicate", "circular"):
            words = {"zero": "zeros"}.get(boundary, boundary)
            matrix = cm.image_filter_mtx(h, *a, operation, words, shape=shape)
            exact((matrix @ A.ravel(order="F")).reshape(want.shape, order="F"), want)
            number = {"zero": 1, "symmetric": 2, "replicate": 3, "circular": 4}[boundary]
            again = cm.image_filter_mtx(h, *a, {"conv": 1, "corr": 2}[operation], number, shape=shape, order="C")
            exact((again @ A.ravel()).reshape(want.shape), want)


def test_imfilter_defaults_are_correlation_same_and_zeros():
    A, h = naive.integers((4, 5), 20), naive.integers((3, 2), 21)
    exact(cm.imfilter(A, h), cm.imfilter(A, h, 0, "same", "corr"))
    exact(cm.imfilter(A, h), cm.filter2(h, A))
    exact(cm.imfilter(A, np.rot90(h, 2)), cm.conv2(A, h, "same"))


def test_imfilter_filters_every_channel():
    A, h = naive.integers((4, 5, 3), 22), naive.integers((3, 3), 23)
    for c in range(3):
        exact(cm.imfilter(A, h, "symmetric")[:, :, c], cm.imfilter(A[:, :, c], h, "symmetric"))


def test_imfilter_full_extends_with_the_boundary_also_for_even_kernels():
    A = [[1, 10, 100, 1000]]
    exact(cm.imfilter(A, [[1, 2, 3]], "corr", "full", "symmetric"), [[15, 33, 321, 3210, 5100, 3300]])
    exact(cm.imfilter(A, [[1, 2, 3, 4]], "corr", "full", 0), [[4, 43, 432, 4321, 3210, 2100, 1000]])


# deconv -------------------------------------------------------------------------------------------------------------


def test_deconv_divides_what_conv_multiplied():
    for n, k in naive.SHAPES_1D:
        h, q = naive.integers(k, 24), naive.integers(n, 25)
        h[0] = 2
        r = np.zeros(n + k - 1)
        r[n:] = naive.integers(k - 1, 26) if k > 1 else []
        found_q, found_r = cm.deconv(cm.conv(h, q) + r, h)
        exact(found_q, q)
        exact(found_r, r)


def test_deconv_of_a_shorter_polynomial():
    q, r = cm.deconv([1, 2], [1, 2, 3])
    exact(q, [0])
    exact(r, [1, 2])
    q, r = cm.deconv([[1], [2], [1]], [1, 1])
    assert q.shape == (2, 1) and r.shape == (3, 1)


def test_deconv_refuses_a_leading_zero():
    with pytest.raises(ValueError, match="0"):
        cm.deconv([1, 2, 3], [0, 1])


# Refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: cm.conv([], [1]), ValueError, "u is empty"),
        (lambda: cm.conv([1], []), ValueError, "v is empty"),
        (lambda: cm.conv([[1, 2], [3, 4]], [1]), ValueError, "expected a vector"),
        (lambda: cm.conv([1], [1], "SAME"), ValueError, "'full', 'same', 'valid'"),
        (lambda: cm.conv2([1, 2], [[1]]), ValueError, "expected 2"),
        (lambda: cm.conv2(np.zeros((0, 3)), np.ones((2, 2))), ValueError, "A is empty"),
        (lambda: cm.conv2([[1]], [[1]], "middle"), ValueError, "'full', 'same', 'valid'"),
        (lambda: cm.conv2([1], [1], [[1]], "full", 3), TypeError, "conv2 takes"),
        (lambda: cm.convn([1, 2], [[1]]), ValueError, "dimensions"),
        (lambda: cm.convmtx([], 3), ValueError, "h is empty"),
        (lambda: cm.convmtx([[1, 2], [3, 4]], 3), ValueError, "expected a vector"),
        (lambda: cm.convmtx([1], 0), ValueError, "n is 0"),
        (lambda: cm.convmtx([1], -1), ValueError, "n is -1"),
        (lambda: cm.convmtx([1], 2.5), TypeError, "2.5"),
        (lambda: cm.convmtx([1], [2, 3]), TypeError, "n is"),
        (lambda: cm.convmtx([1, 2], 2**62), (MemoryError, ValueError), "bytes|large|overflow"),
        (lambda: cm.convmtx2([[1]], 3), ValueError, "image size"),
        (lambda: cm.conv_mtx_1d([1], 3, 4), ValueError, "1, 2, 3"),
        (lambda: cm.conv_mtx_1d([1], 3, True), ValueError, "True"),
        (lambda: cm.imfilter([[1]], [[1]], "wrap"), ValueError, "'circular'"),
        (lambda: cm.imfilter([[1]], [[1]], "same", "full"), ValueError, "two options"),
        (lambda: cm.image_filter_mtx([[1]], 2, 2, "conv", "wrap"), ValueError, "'circular'"),
        (lambda: cm.image_filter_mtx([[1]], 2, 2, 1, 1, shape="valid"), ValueError, "'same' or 'full'"),
        (lambda: cm.conv(np.array([1], object), [1]), TypeError, "object"),
        (lambda: cm.conv(np.ones(2, np.longdouble), [1]), TypeError, "narrowed"),
        (lambda: cm.conv(["a"], [1]), TypeError, "<U1"),
    ],
)
def test_refusals_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_non_finite_values_stay_local():
    y = cm.conv(np.array([1.0, np.nan, 3, 4, 5]), [1.0, 1.0])
    assert np.isnan(y).tolist() == [False, True, True, False, False, False]
    exact(cm.conv([1e308, 1e308], [10.0, 1.0]), [np.inf, np.inf, 1e308])
    exact(cm.conv([5e-324], [1.0]), [5e-324])
