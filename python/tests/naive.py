"""The definitions, written out, slow and never optimised: what the functions are compared with, by ``==``."""

import itertools

import numpy as np


def full(x, h):
    """``f[i] = Σ_j x[j] h[i - j]`` in any number of dimensions, summed in Python integers or whatever the elements are."""
    x, h = np.asarray(x), np.asarray(h)
    exact = object if x.dtype.kind in "biu" and h.dtype.kind in "biu" else np.result_type(x, h, np.float64)
    y = np.zeros([n + k - 1 for n, k in zip(x.shape, h.shape)], exact)
    for j in np.ndindex(*x.shape):
        for t in np.ndindex(*h.shape):
            y[tuple(np.add(j, t))] += (int if exact is object else y.dtype.type)(x[j]) * (
                int if exact is object else y.dtype.type
            )(h[t])
    return y


def matlab(x, h, shape):
    """MATLAB's part of the full convolution: same from k // 2 on, valid empty where the kernel is longer."""
    x, h = np.asarray(x), np.asarray(h)
    start = {"full": lambda k: 0, "same": lambda k: k // 2, "valid": lambda k: k - 1}[shape]
    length = {"full": lambda n, k: n + k - 1, "same": lambda n, k: n, "valid": lambda n, k: max(n - k + 1, 0)}[shape]
    cut = tuple(slice(start(k), start(k) + length(n, k)) for n, k in zip(x.shape, h.shape))
    return full(x, h)[cut]


def integers(shape, seed=0, low=-9, high=10, dtype=np.float64):
    """Small integers in any dtype, complex ones with imaginary parts."""
    rng = np.random.default_rng([seed, *np.atleast_1d(shape)])
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "u":
        low = 0
    values = rng.integers(low, high, shape)
    return (values + 1j * rng.integers(low, high, shape)).astype(dtype) if dtype.kind == "c" else values.astype(dtype)


SHAPES_1D = list(itertools.product(range(1, 7), range(1, 8)))
