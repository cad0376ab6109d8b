"""SciPy's names against SciPy itself, ``==`` on small integers, shapes and dtypes included."""

import itertools
import warnings

import numpy as np
import pytest
from scipy import signal as scipy_signal

import convmtx as cm
import naive

MODES = ("full", "same", "valid")
SHAPES_2D = [((m, n), (k, l)) for m in (1, 2, 4) for n in (1, 3) for k in (1, 2, 5) for l in (1, 2, 3, 4)]
FLOATS = [np.float32, np.float64, np.complex64, np.complex128]
DTYPES = [*FLOATS, np.float16, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


def same_as(want, got, exact=True):
    """Shape, dtype and every element as SciPy's; to rounding where SciPy goes through an FFT."""
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if exact:
        assert (got == want).all()
    else:
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


def both(ours, theirs, *arguments, exact=True, **keywords):
    """Both functions on the same arguments: equal results, or an error from both."""
    try:
        want = theirs(*arguments, **keywords)
    except ValueError:
        with pytest.raises(ValueError):
            ours(*arguments, **keywords)
        return
    same_as(np.asarray(want), np.asarray(ours(*arguments, **keywords)), exact)


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
@pytest.mark.parametrize("mode", MODES)
def test_convolve_and_correlate_in_one_dimension(mode, method):
    for n, k in naive.SHAPES_1D:
        for dtype in (np.float64, np.complex128):
            a, b = naive.integers(n, 1, dtype=dtype), naive.integers(k, 2, dtype=dtype)
            both(cm.convolve, scipy_signal.convolve, a, b, mode, method, exact=method != "fft")
            both(cm.correlate, scipy_signal.correlate, a, b, mode, method, exact=method != "fft")


@pytest.mark.parametrize("mode", MODES)
def test_convolve_and_correlate_in_two_to_five_dimensions(mode):
    shapes = SHAPES_2D + [
        ((2, 3, 4), (2, 2, 2)),
        ((2, 3, 4), (3, 1, 2)),
        ((2, 2, 2), (3, 3, 3)),
        ((3, 2, 2, 3), (2, 2, 2, 2)),
        ((2, 2, 1, 2), (3, 2, 2, 2)),
        ((3, 1, 2, 3), (1, 1, 2, 1)),
        ((2, 2, 2, 2, 3), (2, 2, 2, 2, 2)),
    ]
    for a_shape, b_shape in shapes:
        a, b = naive.integers(a_shape, 3), naive.integers(b_shape, 4, dtype=np.complex128)
        both(cm.convolve, scipy_signal.convolve, a, b, mode, "direct")
        both(cm.correlate, scipy_signal.correlate, a, b, mode, "direct")


@pytest.mark.parametrize("mode", MODES)
def test_every_pair_of_dtypes(mode):
    for first, second in itertools.product(DTYPES, repeat=2):
        a, b = naive.integers(5, 5, 0, 4, dtype=first), naive.integers(3, 6, 0, 4, dtype=second)
        both(cm.convolve, scipy_signal.convolve, a, b, mode, "direct")
        both(cm.fftconvolve, scipy_signal.fftconvolve, a, b, mode, exact=False)
        if np.result_type(a, b) != np.float16:  # which SciPy's convolve2d refuses
            both(cm.convolve2d, scipy_signal.convolve2d, a[None], b[None], mode)


@pytest.mark.parametrize("mode", MODES)
def test_bool_is_a_logical_sum_as_numpys(mode):
    a, b = np.array([True, True, False, True]), np.array([True, True])
    same_as(scipy_signal.convolve(a, b, mode, "direct"), cm.convolve(a, b, mode))
    same_as(scipy_signal.convolve(a, b, mode, "direct"), cm.convolve(a, b, mode, "fft"))
    same_as(scipy_signal.convolve(a, b.astype(np.int8), mode, "direct"), cm.convolve(a, b.astype(np.int8), mode))


@pytest.mark.parametrize("mode", MODES)
def test_convention_is_numpys_or_matlabs_on_request(mode):
    for n, k in naive.SHAPES_1D:
        a, b = naive.integers(n, 7), naive.integers(k, 8)
        same_as(np.convolve(a, b, mode), cm.convolve(a, b, mode, convention="numpy"))
        same_as(naive.matlab(a, b, mode), cm.convolve(a, b, mode, convention="matlab"))


def test_scalars_are_multiplied():
    for a, b in [(3, 4), (3.5, 2), (2j, 3j), (np.float32(2), np.float32(4))]:
        for ours, theirs in [
            (cm.convolve, scipy_signal.convolve),
            (cm.correlate, scipy_signal.correlate),
            (cm.fftconvolve, scipy_signal.fftconvolve),
            (cm.oaconvolve, scipy_signal.oaconvolve),
        ]:
            want, got = np.asarray(theirs(a, b)), np.asarray(ours(a, b))
            assert got == want and got.dtype == want.dtype and got.shape == ()


# convolve2d ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "boundary, fillvalue",
    [("fill", 0), ("fill", 3), ("pad", -1), ("wrap", 0), ("circular", 0), ("symm", 0), ("symmetric", 0)],
)
@pytest.mark.parametrize("mode", MODES)
def test_convolve2d_and_correlate2d_with_every_boundary(mode, boundary, fillvalue):
    for (a_shape, b_shape), dtype in itertools.product(SHAPES_2D, (np.int64, np.float64)):
        a, b = naive.integers(a_shape, 9, dtype=dtype), naive.integers(b_shape, 10, dtype=dtype)
        both(cm.convolve2d, scipy_signal.convolve2d, a, b, mode, boundary, fillvalue)
        both(cm.correlate2d, scipy_signal.correlate2d, a, b, mode, boundary, fillvalue)


def test_convolve2d_with_complex_numbers_beyond_the_edges():
    a, b = naive.integers((3, 4), 11, dtype=np.complex128), naive.integers((2, 3), 12)
    both(cm.convolve2d, scipy_signal.convolve2d, a, b, "full", "fill", 1 + 2j)
    both(cm.convolve2d, scipy_signal.convolve2d, b, a, "same", "fill", 1 + 2j)


def test_correlate2d_valid_conjugates_in2_whichever_is_larger():
    a, b = naive.integers((2, 2), 13, dtype=np.complex128), naive.integers((3, 4), 14, dtype=np.complex128)
    want = scipy_signal.correlate(a, b, "valid", "direct")
    same_as(want, cm.correlate2d(a, b, "valid"))
    same_as(scipy_signal.correlate2d(a, b, "valid").conj(), want)  # SciPy's two functions disagree here


# fftconvolve, oaconvolve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ours, theirs", [(cm.fftconvolve, scipy_signal.fftconvolve), (cm.oaconvolve, scipy_signal.oaconvolve)]
)
@pytest.mark.parametrize("mode", MODES)
def test_along_axes(ours, theirs, mode):
    cases = [
        ((3, 5), (3, 4), 1), ((3, 5), (3, 4), [-1]), ((5, 3), (2, 3), 0), ((3, 5), (1, 4), 1), ((1, 5), (3, 4), 1),
        ((2, 3, 5), (2, 1, 4), 2), ((2, 3, 5), (2, 2, 2), [1, 2]), ((2, 3, 5), (1, 2, 2), (2, 1)),
        ((4, 3, 5), (2, 3, 2), [0, 2]),
        ((2, 3, 4, 5), (2, 2, 1, 3), [1, 3]), ((2, 3, 4), (2, 2, 2), None), ((3, 1, 4), (2, 3, 2), [0, 2]),
        ((5,), (9,), 0),
        ((3, 1), (3, 1), 1), ((5, 1), (1, 7), None), ((1, 5), (1, 3), None),
    ]  # fmt: skip
    for a_shape, b_shape, axes in cases:
        if mode == "same" and any(n == 1 < k for n, k in zip(a_shape, b_shape)) and axes is not None:
            continue  # SciPy cuts broadcast axes to in1's length: the test below
        for dtype in FLOATS:
            a, b = naive.integers(a_shape, 15, dtype=dtype), naive.integers(b_shape, 16, dtype=dtype)
            both(ours, theirs, a, b, mode, axes, exact=False)


def test_same_keeps_the_length_of_broadcast_axes():
    a, b = naive.integers((1, 5), 17), naive.integers((3, 3), 18)
    y = cm.fftconvolve(a, b, "same", axes=1)
    assert y.shape == (3, 5)
    for row, kernel in zip(y, b):
        np.testing.assert_allclose(row, np.convolve(a[0], kernel, "same"), atol=1e-12)


def test_integers_are_convolved_exactly_by_fftconvolve():
    a, b = naive.integers(200, 19, -(2**20), 2**20, np.int64), naive.integers(150, 20, -(2**20), 2**20, np.int64)
    y = cm.fftconvolve(a, b)
    assert y.dtype == np.float64
    assert (y == naive.full(a, b).astype(float)).all()


def test_empty_operands():
    for ours in (cm.fftconvolve, cm.oaconvolve):
        assert ours([], [1.0]).shape == (0,)
        assert ours([1.0], []).shape == (0,)
    for ours in (cm.convolve, cm.correlate):
        with pytest.raises(ValueError, match="in1 is empty"):
            ours([], [1.0])
        with pytest.raises(ValueError, match="in2 is empty"):
            ours([1.0], [])
    with pytest.raises(ValueError, match="in1 is empty"):
        cm.convolve2d(np.zeros((0, 3)), np.ones((2, 2)))


# Data that are not finite -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_value_that_is_not_finite_stays_where_it_is(value):
    a, b = np.ones(2000), np.ones(300)
    a[100] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        results = [cm.convolve(a, b), cm.convolve(a, b, method="fft"), cm.fftconvolve(a, b), cm.oaconvolve(a, b)]
    for y in results:
        assert np.flatnonzero(~np.isfinite(y)).tolist() == list(range(100, 400))


def test_asking_for_an_fft_of_nan_warns():
    with pytest.warns(RuntimeWarning, match="direct method"):
        cm.convolve([1.0, np.nan], [1.0, 2.0], method="fft")


# choose_conv_method and refusals -------------------------------------------------------------------------------------


def test_choose_conv_method_names_what_auto_takes():
    assert cm.choose_conv_method(np.ones(8), np.ones(6)) == "direct"
    assert cm.choose_conv_method(np.ones(8, bool), np.ones(6, bool)) == "direct"
    assert cm.choose_conv_method(np.array([2**51]), np.array([2**51])) == "direct"
    assert cm.choose_conv_method(np.full(20000, np.nan), np.ones(20000)) == "direct"
    method, times = cm.choose_conv_method(np.ones(8), np.ones(6), measure=True)
    assert method in times and set(times) == {"direct", "fft"}


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: cm.convolve([1], [1], "middle"), ValueError, "'valid', 'same', or 'full'"),
        (lambda: cm.convolve([1], [1], 0), ValueError, "'valid', 'same', or 'full'"),
        (lambda: cm.convolve([1], [1], "full", "slow"), ValueError, "'auto', 'direct', 'fft'"),
        (lambda: cm.convolve([1], [[1]]), ValueError, "same dimensionality"),
        (lambda: cm.convolve(np.ones((2, 3)), np.ones((3, 2)), "valid"), ValueError, "For 'valid' mode"),
        (lambda: cm.convolve([1], [1], convention="octave"), ValueError, "'matlab', 'scipy', 'numpy'"),
        (lambda: cm.convolve(np.array([1, 2], object), [1]), TypeError, "object"),
        (lambda: cm.convolve(np.ones(2, np.longdouble), [1]), TypeError, "narrowed"),
        (lambda: cm.convolve2d([1], [1]), ValueError, "2-D arrays"),
        (lambda: cm.convolve2d([[1]], [[1]], "full", "mirror"), ValueError, "'wrap'"),
        (lambda: cm.convolve2d([[1]], [[1]], fillvalue=0.5), ValueError, "could not cast"),
        (lambda: cm.convolve2d([[1.0]], [[1.0]], fillvalue=1j), ValueError, "could not cast"),
        (lambda: cm.convolve2d([[1]], [[1]], fillvalue=[1, 2]), ValueError, "must be scalar"),
        (lambda: cm.fftconvolve(np.ones((2, 3)), np.ones((3, 3)), axes=1), ValueError, "incompatible shapes"),
        (lambda: cm.fftconvolve([1, 2], [1, 2], axes=1), ValueError, "exceeds dimensionality"),
        (lambda: cm.fftconvolve([1, 2], [1, 2], axes=[0, 0]), ValueError, "unique"),
        (lambda: cm.fftconvolve([1, 2], [1, 2], axes=[]), ValueError, "cannot be empty"),
        (lambda: cm.fftconvolve([1, 2], [1, 2], axes=0.5), ValueError, "integers"),
    ],
)
def test_refusals_say_what_was_expected(call, error, words):
    with pytest.raises(error, match=words):
        call()


# Rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_are_the_loop_over_rows(mode, dtype):
    for rows, n, k in [(4, 10, 20), (1, 1, 1), (3, 5, 1), (2, 5, 5), (5, 2, 7), (0, 3, 2)]:
        A, B = naive.integers((rows, n), 21, dtype=dtype), naive.integers((rows, k), 22, dtype=dtype)
        C = cm.convolve_rows(A, B, mode)
        assert C.dtype == dtype and C.flags.c_contiguous and len(C) == rows
        for a, b, c in zip(A, B, C):
            assert (c == naive.matlab(a, b, mode)).all()
        for shared in (cm.convolve_rows(A, B[:1], mode), cm.convolve_rows(A, B[0], mode)) if rows else ():
            assert (shared == [naive.matlab(a, B[0], mode) for a in A]).all()
        if rows:
            assert (cm.convolve_rows(A[0], B, mode) == [naive.matlab(A[0], b, mode) for b in B]).all()


def test_rows_with_leading_axes_conventions_boundaries_and_correlation():
    A, B = naive.integers((2, 3, 5), 23), naive.integers((2, 3, 4), 24)
    for i, j in np.ndindex(2, 3):
        a, b = A[i, j], B[i, j]
        assert (
            cm.convolve_rows(A, B, "same", convention="scipy")[i, j] == scipy_signal.convolve(a, b, "same", "direct")
        ).all()
        assert (cm.convolve_rows(A, B, "same", convention="numpy")[i, j] == np.convolve(a, b, "same")).all()
        assert (cm.convolve_rows(A, B, "valid", correlate=True)[i, j] == np.correlate(a, b, "valid")).all()
        periodic = naive.full(np.pad(a, 4, "wrap"), b)[4 + 2 : 4 + 2 + 5]
        assert (cm.convolve_rows(A, B, "same", boundary="periodic")[i, j] == periodic).all()
        constant = naive.full(np.pad(a, 4, constant_values=3), b)[4 + 2 : 4 + 2 + 5]
        assert (cm.convolve_rows(A, B, "same", boundary=3)[i, j] == constant).all()


def test_integer_rows_beside_a_number_that_is_none():
    assert cm.convolve_rows([[1, 2]], [[1, 1]], "same", boundary=0.5).tolist() == [[3, 2.5]]
    assert cm.convolve_rows([[1, 2]], [[1, 1]], "same", boundary=3).tolist() == [[3, 5]]


def test_rows_of_different_number_are_refused():
    with pytest.raises(ValueError, match="numbers of rows"):
        cm.convolve_rows(np.ones((3, 4)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="at least one value"):
        cm.convolve_rows(np.ones((3, 0)), np.ones((3, 4)))


def test_a_fill_value_is_a_number_and_any_number():
    image, kernel = np.ones((1, 1)), np.ones((1, 2))
    for dtype in (np.int64, np.float64):
        for bad in (None, "3", np.array(["a"])):
            with pytest.raises(ValueError, match="could not cast `fillvalue`"):
                cm.convolve2d(image.astype(dtype), kernel.astype(dtype), fillvalue=bad)
        want = scipy_signal.convolve2d(image.astype(dtype), kernel.astype(dtype), fillvalue=True)
        assert np.array_equal(cm.convolve2d(image.astype(dtype), kernel.astype(dtype), fillvalue=True), want)
