"""The definition, never optimised: what every product is compared with."""

import itertools

import numpy as np


def extended(x, j, boundary):
    """Sample `j` of the one-dimensional signal `x` with what stands beyond its ends."""
    n = len(x)
    if 0 <= j < n:
        return x[j]
    if not isinstance(boundary, str):
        return boundary
    if boundary == "zero":
        return 0
    if boundary == "periodic":
        return x[j % n]
    if boundary == "symmetric":
        j %= 2 * n
        return x[j if j < n else 2 * n - 1 - j]
    if boundary == "replicate" or n == 1:
        return x[min(max(j, 0), n - 1)]
    if boundary == "reflect":
        j %= 2 * n - 2
        return x[j if j < n else 2 * n - 2 - j]
    if boundary == "antireflective":
        end = 0 if j < 0 else n - 1
        return 2 * x[end] - extended(x, 2 * end - j, boundary)
    raise ValueError(boundary)


def window(mode, convention, n, span):
    """`(offset, length)` of a mode for n samples and a kernel that spans so many, as in the program of that name."""
    full = n + span - 1
    if mode == "full":
        return 0, full
    if mode == "same":
        if convention == "matlab":
            return span // 2, n
        if convention == "scipy":
            return (span - 1) // 2, n
        return (min(n, span) - 1) // 2, max(n, span)
    if convention == "matlab":
        return span - 1, max(n - span + 1, 0)
    return min(n, span) - 1, abs(n - span) + 1


def convolve(x, k, offset, length, *, boundary="zero", stride=1, dilation=1):
    """``y[i] = Σ_t k[t] x̃[stride·i + offset − dilation·t]`` along one axis."""
    y = [
        sum(k[t] * extended(x, stride * i + offset - dilation * t, boundary) for t in range(len(k)))
        for i in range(length)
    ]
    return np.array(y, dtype=np.result_type(np.asarray(x), np.asarray(k)))


def convolve_nd(x, k, mode="full"):
    """The convolution with zeros beyond the ends, MATLAB's convention, in any number of dimensions."""
    windows = [window(mode, "matlab", n, taps) for n, taps in zip(x.shape, k.shape)]
    y = np.zeros([length for _, length in windows], np.result_type(x, k))
    for i in np.ndindex(*y.shape):
        for t in np.ndindex(*k.shape):
            j = [p + offset - q for p, (offset, _), q in zip(i, windows, t)]
            if all(0 <= p < n for p, n in zip(j, x.shape)):
                y[i] += k[t] * x[tuple(j)]
    return y


def geometries():
    """Every combination of settings along one axis, with sizes from the smallest."""
    sizes = [(1, 1), (1, 3), (2, 1), (3, 2), (4, 3), (5, 4), (3, 7), (6, 5)]
    boundaries = ["zero", "periodic", "symmetric", "reflect", "replicate", "antireflective", 3]
    windows = [(mode, "matlab") for mode in ("full", "same", "valid")]
    windows += [(mode, convention) for mode in ("same", "valid") for convention in ("scipy", "numpy")]
    steps = [(1, 1), (2, 1), (1, 2), (3, 2)]
    return itertools.product(sizes, windows, boundaries, steps)


def full(x, h):
    """``f[i] = Σ_j x[j] h[i − j]`` in any number of dimensions, in Python's integers where both hold integers."""
    x, h = np.asarray(x), np.asarray(h)
    if x.dtype.kind in "biu" and h.dtype.kind in "biu":
        x, h = (np.array([int(v) for v in a.ravel()], object).reshape(a.shape) for a in (x, h))
    y = np.zeros([n + k - 1 for n, k in zip(x.shape, h.shape)], np.result_type(x, h, np.float64))
    for t in np.ndindex(*h.shape):
        y[tuple(slice(i, i + n) for i, n in zip(t, x.shape))] += h[t] * x
    return y


def matlab(x, h, shape):
    """MATLAB's part of the full convolution."""
    windows = [window(shape, "matlab", n, k) for n, k in zip(np.shape(x), np.shape(h))]
    return full(x, h)[tuple(slice(offset, offset + length) for offset, length in windows)]


def integers(shape, seed=0, low=-9, high=10, dtype=np.float64):
    """Small integers in any dtype, complex ones with imaginary parts; the same ones for the same shape and seed."""
    rng = np.random.default_rng([seed, *np.atleast_1d(shape)])
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "u":
        low = 0
    values = rng.integers(low, high, shape)
    return (values + 1j * rng.integers(low, high, shape)).astype(dtype) if dtype.kind == "c" else values.astype(dtype)


#: Lengths of signals and kernels, kernels longer than signals among them.
SHAPES_1D = list(itertools.product(range(1, 7), range(1, 8)))
