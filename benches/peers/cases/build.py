"""A. The sparse matrix of a convolution, as arrays of a CSR matrix with 32-bit indices."""

import numpy as np
import scipy.sparse as sp

from case import Case
from loops import compiled, conv_csr, crop, image_csr

GRID = {
    "quick": [(5, "same"), (31, "same")],
    "default": [(5, "full"), (5, "same"), (5, "valid"), (31, "same"), (101, "same")],
    "full": [(taps, shape) for taps in (5, 31, 101) for shape in ("full", "same", "valid")],
}
SIDES = {"quick": [128], "default": [512], "full": [512, 1024]}


def cases(size, ours):
    rng = np.random.default_rng(1)
    n = 100_000 if size == "quick" else 1_000_000
    for taps, shape in GRID[size]:
        yield one_dimension(rng.standard_normal(taps), n, shape, ours)
    for side in SIDES[size]:
        yield two_dimensions(rng.standard_normal((15, 15)), side, ours)


def one_dimension(k, n, shape, ours):
    taps, (m, o) = len(k), crop(n, len(k), shape)
    offsets = [o - t for t in range(taps)]
    by_numpy = lambda: conv_csr(k, n, shape)
    case = Case("A", "build1d", dict(n=n, K=taps, shape=shape), by_numpy, tolerance=0)

    def dia():
        return sp.dia_array((np.broadcast_to(k[:, None], (taps, n)), offsets), shape=(m, n)).tocsr()

    def triplets():
        j = np.arange(n, dtype=np.int32)
        rows = (j[:, None] + np.arange(-o, taps - o, dtype=np.int32)).ravel()
        columns, values = np.repeat(j, taps), np.tile(k, n)
        kept = (rows >= 0) & (rows < m)
        return sp.coo_array((values[kept], (rows[kept], columns[kept])), shape=(m, n)).tocsr()

    def numba():
        i = np.arange(m, dtype=np.int32)
        indptr = np.zeros(m + 1, np.int32)
        np.cumsum(np.minimum(i + o, n - 1) - np.maximum(i + (o - taps + 1), 0) + 1, out=indptr[1:])
        indices, data = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
        compiled()["build1d"](k, n, m, o, indptr, indices, data)
        return sp.csr_array((data, indices, indptr), shape=(m, n), copy=False)

    diagonals = list(k[:, None])
    case.add("numpy, arrays filled directly", by_numpy, only=(1,))
    by_diagonals = lambda: sp.diags_array(diagonals, offsets=offsets, shape=(m, n), format="csr")
    case.add("scipy diags_array", by_diagonals, only=(1,))
    case.add("scipy dia_array.tocsr", dia, only=(1,))
    if taps <= 31:
        case.add("scipy coo_array.tocsr", triplets, only=(1,))
    case.add("numba row loop", numba if compiled() else None)
    case.add_ours(ours, "build_conv1d", k, n, shape)
    return case


def two_dimensions(k, side, ours):
    taps, o = len(k), len(k) // 2

    def dia():
        data = np.empty((taps, taps, side, side))
        data[...] = k[:, :, None, None]
        offsets = []
        for t in range(taps):
            for s in range(taps):
                shift = o - s
                # Column j of the matrix is column j % side of the image: shifted ones must not reach the next row.
                data[t, s, :, slice(0, shift) if shift > 0 else slice(side + shift, side)] = 0
                offsets.append((o - t) * side + shift)
        return sp.dia_array((data.reshape(taps * taps, -1), offsets), shape=(side * side,) * 2).tocsr()

    def kronecker():
        terms = (
            sp.kron(sp.eye_array(side, k=o - t, format="csr"), conv_csr(k[t], side, "same"), format="csr")
            for t in range(taps)
        )
        total = next(terms)
        for term in terms:
            total = total + term
        return total

    case = Case("A", "build2d", dict(image=f"{side}x{side}", K="15x15", shape="same"), kronecker, tolerance=0)
    case.add("numba row loop", (lambda: image_csr(k, side, side)) if compiled() else None)
    case.add("scipy dia_array.tocsr", dia, only=(1,))
    if side <= 512:
        case.add("scipy kron sum", kronecker, only=(1,))
    case.add_ours(ours, "build_conv2d", k, (side, side), "same")
    return case
