"""Integers: exact up to the last bit of the result's dtype, and an error instead of the first wrong value."""

import itertools

import numpy as np
import pytest

import convmtx as cm
import naive

INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


def python_sum(x, h):
    """The full convolution in Python's integers."""
    return naive.full(x, h)


def check(x, h):
    """The exact result in SciPy's dtype if it fits, an error naming float64 otherwise; returns whether it did fit."""
    want = python_sum(x, h)
    dtype = np.result_type(x, h)
    bound = np.iinfo(dtype) if dtype.kind in "iu" else None
    low, high = (bound.min, bound.max) if bound else (-(2**53), 2**53)
    if low <= want.min() and want.max() <= high:
        y = cm.convolve(x, h)
        assert y.dtype == dtype
        assert [int(v) for v in y.ravel()] == [int(v) for v in want.ravel()]
        return True
    with pytest.raises(ValueError, match="float64"):
        cm.convolve(x, h)
    return False


def test_every_pair_of_integer_dtypes_over_its_whole_range():
    fitted = refused = 0
    rng = np.random.default_rng(1)
    for first, second in itertools.product(INTEGERS, repeat=2):
        for bits_x, bits_h in itertools.product((3, 7, 20, 31, 40, 63), (1, 7, 20, 32, 63)):
            operands = []
            for dtype, bits in ((first, bits_x), (second, bits_h)):
                info = np.iinfo(dtype)
                low, high = max(info.min, -(2**bits)), min(info.max, 2**bits)
                values = [int(v) for v in rng.integers(-(2**62), 2**62, 5)]
                operands.append(np.array([low + v % (high - low + 1) for v in values], dtype))
            if check(*operands):
                fitted += 1
            else:
                refused += 1
    assert fitted > 300 and refused > 300


@pytest.mark.parametrize("dtype", INTEGERS)
def test_extremes_fit_and_one_more_does_not(dtype):
    info = np.iinfo(dtype)
    for extreme in (int(info.min), int(info.max)):
        assert cm.convolve(np.array([extreme], dtype), np.array([1], dtype))[0] == extreme
        assert not check(np.array([extreme, extreme], dtype), np.array([1, 1], dtype)) or extreme == 0


def test_cancellation_of_huge_terms_is_exact():
    x, h = np.array([2**62 + 5, 2**62 + 5, 9], np.int64), np.array([1, -1, 0], np.int64)
    assert cm.convolve(x, h).tolist() == [2**62 + 5, 0, 9 - 2**62 - 5, -9, 0]
    # Every term is beyond int64, the sums 0 and (2**63 - 1)**2 - 2**63 (2**63 - 2) = 1 are not.
    x, h = np.array([[2**62 + 5, 2**62 + 5]], np.int64), np.array([[7, -7]], np.int64)
    assert cm.convolve2d(x, h, "valid").tolist() == [[0]]
    x, h = np.array([[2**63 - 1, 2**63 - 2]], np.int64), np.array([[-(2**63), 2**63 - 1]], np.int64)
    assert cm.convolve2d(x, h, "valid").tolist() == [[1]]
    assert not check(x[0], h[0])
    # The largest int64, as the difference of two terms of 2**125.
    x = np.array([[2**63 - 1, 2**63 - 1]], np.int64)
    h = np.array([[2**62, 1 - 2**62]], np.int64)
    assert cm.convolve2d(x, h, "valid").tolist() == [[2**63 - 1]]


def test_many_digits_in_two_dimensions_and_with_boundaries():
    x, h = naive.integers((4, 5), 2, -(2**40), 2**40, np.int64), naive.integers((3, 2), 3, -(2**19), 2**19, np.int64)
    assert (cm.convolve2d(x, h) == python_sum(x, h)).all()
    for boundary, pad in (("wrap", "wrap"), ("symm", "symmetric")):
        far = np.pad(x, 3, pad)
        want = python_sum(far, h)[3 + 1 : 3 + 1 + 4, 3 + 0 : 3 + 0 + 5]
        assert (cm.convolve2d(x, h, "same", boundary) == want).all()
    far = np.pad(x, 3, constant_values=2**39 + 1)
    want = python_sum(far, h)[3 + 1 : 3 + 1 + 4, 3 : 3 + 5]
    assert (cm.convolve2d(x, h, "same", "fill", 2**39 + 1) == want).all()


def test_four_dimensions_and_rows_beyond_2_53():
    x, h = (
        naive.integers((2, 2, 3, 2), 4, -(2**30), 2**30, np.int64),
        naive.integers((2, 2, 2, 2), 5, -(2**28), 2**28, np.int64),
    )
    assert (cm.convolve(x, h) == python_sum(x, h)).all()


def test_a_signal_of_a_million_values_through_digits():
    x = np.full(1_000_000, 2**31 - 1, np.int64)
    h = np.array([2**31 - 1, 1 - 2**31, 5], np.int64)
    y = cm.convolve(x, h)
    assert y[0] == (2**31 - 1) ** 2 and y[1] == 0 and (y[2:-2] == 5 * (2**31 - 1)).all()


def test_uint8_never_wraps():
    x, h = np.array([200, 200], np.uint8), np.array([200, 2], np.uint8)
    with pytest.raises(ValueError, match=r"3 of 3 values.*uint8.*40400.*float64"):
        cm.convolve(x, h)
    assert cm.convolve(x.astype(float), h.astype(float)).tolist() == [40000, 40400, 400]
    assert cm.conv(x, h).tolist() == [40000, 40400, 400]  # MATLAB's names return double


def test_int64_with_uint64_is_float64_and_exact():
    y = cm.convolve(np.array([2**40, -1], np.int64), np.array([2**12, 1], np.uint64))
    assert y.dtype == np.float64 and y.tolist() == [2**52, 2**40 - 2**12, -1]
    with pytest.raises(ValueError, match="float64"):
        cm.convolve(np.array([2**53 + 1], np.int64), np.array([1], np.uint64))


def test_an_integer_beside_floats_must_be_exact():
    with pytest.raises(ValueError, match=r"2\*\*53"):
        cm.convolve(np.array([2**53 + 1]), np.array([0.5]))
    assert cm.convolve(np.array([2**53]), np.array([0.5])).tolist() == [2**52]
    assert cm.convolve(np.array([3], np.int8), np.array([0.5], np.float32)).dtype == np.float32


def test_matlabs_names_refuse_what_float64_cannot_hold():
    assert cm.conv([2**52, 1], [2]).tolist() == [2**53, 2]
    with pytest.raises(ValueError, match="float64"):
        cm.conv([2**53 - 1, 1], [3])
    with pytest.raises(ValueError, match="float64"):
        cm.convolve_rows([[2**53 - 1]], [[3]])


def test_fft_of_integers_is_exact():
    x, h = naive.integers(5000, 6, -(2**15), 2**15, np.int32), naive.integers(3000, 7, -(2**15), 2**15, np.int32)
    y = cm.convolve(x.astype(np.int64), h.astype(np.int64), method="fft")
    want = np.convolve(x.astype(np.int64), h.astype(np.int64))
    assert (y == want).all()
