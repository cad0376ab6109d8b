"""What the peers share: loops compiled by numba, the best plain NumPy for a matrix, test data."""

import numpy as np
import scipy.sparse as sp

from libraries import optional

_compiled = {}


def crop(n, taps, shape):
    """Length m and offset o of y[i] = Σ_t k[t]·x[i + o − t]."""
    return {"full": (n + taps - 1, 0), "same": (n, taps // 2), "valid": (n - taps + 1, taps - 1)}[shape]


def conv_csr(k, n, shape, dtype=np.float64):
    """The 1-D matrix by filling the three arrays of a CSR matrix, as well as NumPy can."""
    taps = len(k)
    m, o = crop(n, taps, shape)
    i = np.arange(m, dtype=np.int32)
    first, last = np.maximum(i + (o - taps + 1), 0), np.minimum(i + o, n - 1)
    indptr = np.zeros(m + 1, np.int32)
    np.cumsum(last - first + 1, out=indptr[1:])
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], dtype)
    inner = slice(max(0, taps - 1 - o), min(m, n - o))  # rows with every tap
    a, b = indptr[inner.start], indptr[inner.stop]
    columns = (i[inner] + (o - taps + 1))[:, None]
    np.add(columns, np.arange(taps, dtype=np.int32), out=indices[a:b].reshape(-1, taps))
    data[a:b].reshape(-1, taps)[...] = k[::-1]
    for row in (*range(inner.start), *range(inner.stop, m)):
        at = slice(indptr[row], indptr[row + 1])
        indices[at] = np.arange(first[row], last[row] + 1)
        data[at] = k[row + o - indices[at]]
    return sp.csr_array((data, indices, indptr), shape=(m, n), copy=False)


def image_indptr(h, w, taps):
    """Row pointers of the 'same' matrix of an h × w image with taps × taps kernel."""
    def reach(n):
        i = np.arange(n)
        o = taps // 2
        return np.minimum(i + o, n - 1) - np.maximum(i + o - taps + 1, 0) + 1

    indptr = np.zeros(h * w + 1, np.int32)
    np.cumsum(np.multiply.outer(reach(h), reach(w)).ravel(), out=indptr[1:])
    return indptr


def gauss(taps, sigma):
    """A normalised Gaussian."""
    x = np.arange(taps) - taps // 2
    g = np.exp(-0.5 * (x / sigma) ** 2)
    return g / g.sum()


def compiled():
    """The loops a user of numba would write, compiled for both types; empty where numba is missing."""
    nb = optional("numba")
    if _compiled or not nb:
        return _compiled
    jit = nb.njit(parallel=True, fastmath=True, nogil=True)

    @jit
    def build1d(k, n, m, o, indptr, indices, data):
        taps = len(k)
        for i in nb.prange(m):
            p = indptr[i]
            for j in range(max(0, i + o - taps + 1), min(n - 1, i + o) + 1):
                indices[p] = j
                data[p] = k[i + o - j]
                p += 1

    @jit
    def build2d(k, h, w, indptr, indices, data):
        kh, kw = k.shape
        oh, ow = kh // 2, kw // 2
        for r in nb.prange(h):
            for c in range(w):
                p = indptr[r * w + c]
                for i in range(max(0, r + oh - kh + 1), min(h - 1, r + oh) + 1):
                    for j in range(max(0, c + ow - kw + 1), min(w - 1, c + ow) + 1):
                        indices[p] = i * w + j
                        data[p] = k[r + oh - i, c + ow - j]
                        p += 1

    @jit
    def csr_product(indptr, indices, data, x, y):
        m, signals = y.shape
        for i in nb.prange(m):
            y[i, :] = 0
            for p in range(indptr[i], indptr[i + 1]):
                a, j = data[p], indices[p]
                for s in range(signals):
                    y[i, s] += a * x[j, s]

    @jit
    def columns(k, x, y):  # 'same', without a matrix
        n, signals = x.shape
        taps = len(k)
        o = taps // 2
        for i in nb.prange(n):
            y[i, :] = 0
            for j in range(max(0, i + o - taps + 1), min(n - 1, i + o) + 1):
                a = k[i + o - j]
                for s in range(signals):
                    y[i, s] += a * x[j, s]

    @jit
    def rows(a, b, c):
        count, n = a.shape
        block = 2048
        for i in nb.prange(count):
            c[i, :] = 0
            for start in range(0, n, block):
                for p in range(b.shape[1]):
                    tap = b[i, p]
                    for j in range(start, min(n, start + block)):
                        c[i, j + p] += tap * a[i, j]

    pointers, index = np.array([0, 1], np.int32), np.zeros(1, np.int32)
    for dtype in (np.float32, np.float64):
        one, square = np.ones(1, dtype), np.ones((1, 1), dtype)
        build1d(one, 1, 1, 0, pointers, index, one.copy())
        build2d(square, 1, 1, pointers, index, one.copy())
        csr_product(pointers, index, one, square, square.copy())
        columns(one, square, square.copy())
        rows(square, square, square.copy())
    _compiled.update(build1d=build1d, build2d=build2d, csr_product=csr_product, columns=columns, rows=rows)
    return _compiled


def image_csr(k, h, w):
    """The 'same' matrix of a 2-D convolution by the compiled loop; None where numba is missing."""
    if not compiled():
        return None
    indptr = image_indptr(h, w, len(k))
    indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], k.dtype)
    compiled()["build2d"](k, h, w, indptr, indices, data)
    return sp.csr_array((data, indices, indptr), shape=(h * w, h * w), copy=False)
