"""B. Y = K X with 'same', one signal per column, row-major; Y = A X and Aᵀ X with a random banded matrix."""

import numpy as np
import scipy.ndimage as ndi
import scipy.signal as sg
import scipy.sparse as sp

from case import Case
from loops import compiled, conv_csr
from libraries import optional

DTYPES = {"f32": np.float32, "f64": np.float64}
GRID = {
    "quick": [(31, 16, "f64")],
    "default": [(taps, count, "f64") for taps in (5, 31, 101) for count in (1, 64)]
    + [(31, 64, "f32"), (31, 256, "f64")],
    "full": [(taps, count, d) for d in DTYPES for taps in (5, 31, 101) for count in (1, 16, 64, 256)],
}


GENERAL = {  # signals, dtype
    "quick": [(16, "f64")],
    "default": [(count, d) for d in DTYPES for count in (1, 4, 16, 64, 256)],
    "full": [(count, d) for d in DTYPES for count in (1, 2, 4, 8, 16, 64, 256)],
}


def cases(size, ours):
    rng = np.random.default_rng(2)
    n = 20_000 if size == "quick" else 100_000
    for taps, signals, dtype in GRID[size]:
        k = rng.standard_normal(taps).astype(DTYPES[dtype])
        x = rng.standard_normal((n, signals)).astype(DTYPES[dtype])
        yield product(k, x, dtype, ours)
    for signals, dtype in GENERAL[size]:
        a = random_band(rng, n).astype(DTYPES[dtype])
        x = np.squeeze(rng.standard_normal((n, signals)).astype(DTYPES[dtype]))
        yield general(a, x, "A X", dtype, ours)
        yield general(a, x, "At X", dtype, ours)


def random_band(rng, n, entries=20, width=64):
    """A matrix with so many entries in every row, at random places in a window around the diagonal."""
    offsets = np.sort(np.argsort(rng.random((n, width)), axis=1)[:, :entries], axis=1)
    columns = np.arange(n)[:, None] + offsets - width // 2
    inside = (columns >= 0) & (columns < n)
    indptr = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
    return sp.csr_array((rng.standard_normal(inside.sum()), columns[inside], indptr), shape=(n, n))


def general(a, x, which, dtype, ours):
    """Nothing is known of the matrix; the transpose is that of the same object."""
    matrix = a if which == "A X" else a.T
    reference = lambda: matrix.astype(np.float64) @ x.astype(np.float64)
    signals = 1 if x.ndim == 1 else x.shape[1]
    parameters = dict(n=len(x), nnz=a.nnz, S=signals, dtype=dtype)
    case = Case("B", f"random band {which}", parameters, reference, 1e-12 if dtype == "f64" else 1e-5)
    case.add("scipy csr @ dense", lambda: matrix @ x, only=(1,))
    add_mkl(case, matrix if which == "A X" else matrix.tocsr(), x, "" if which == "A X" else ", transposed before")
    if which == "A X" and (torch := optional("torch")):
        parts = (torch.from_numpy(part) for part in (a.indptr, a.indices, a.data))
        sparse, tx = torch.sparse_csr_tensor(*parts, size=a.shape), torch.from_numpy(x)
        case.add("torch sparse_csr @ dense", lambda: sparse @ tx)
    case.add_ours(ours, "general_spmm", a, x, which)
    return case


def product(k, x, dtype, ours):
    (n, signals), taps = x.shape, len(k)
    a = conv_csr(k, n, "same", x.dtype)
    reference = lambda: a.astype(np.float64) @ x.astype(np.float64)
    tolerance = 1e-12 if dtype == "f64" else 1e-5
    case = Case("B", "spmm", dict(n=n, K=taps, S=signals, dtype=dtype), reference, tolerance)
    lying = np.ascontiguousarray(x.T)  # one signal per row, as torch and a loop over signals want it
    turned = np.transpose

    case.add("scipy csr @ dense", lambda: a @ x, only=(1,))
    add_mkl(case, a, x)
    add_torch(case, a, k, x, lying)
    if compiled():
        loops, given = compiled(), np.ones_like(x)

        def csr_loop(y):
            loops["csr_product"](a.indptr, a.indices, a.data, x, y)
            return y

        def columns(y):
            loops["columns"](k, x, y)
            return y

        case.add("numba csr loop", lambda: csr_loop(np.empty_like(x)))
        case.add("numba csr loop, out=", lambda: csr_loop(given))
        case.add("numba conv loop", lambda: columns(np.empty_like(x)))
        case.add("numba conv loop, out=", lambda: columns(given))
    if cv2 := optional("cv2"):
        flipped, one = k[::-1].copy(), np.ones(1, x.dtype)
        zero = cv2.BORDER_CONSTANT
        case.add("cv2.sepFilter2D", lambda: cv2.sepFilter2D(x, -1, one, flipped, borderType=zero).reshape(x.shape))
        room = np.ones_like(x)  # a column comes back as a vector, in this memory
        into_room = lambda: cv2.sepFilter2D(x, -1, one, flipped, room, borderType=zero).reshape(x.shape)
        case.add("cv2.sepFilter2D dst=", into_room)
    case.add("scipy ndimage.convolve1d", lambda: ndi.convolve1d(x, k, axis=0, mode="constant"), only=(1,))
    case.add("scipy oaconvolve", lambda: sg.oaconvolve(x, k[:, None], mode="same", axes=0))
    case.add("np.convolve loop", lambda: np.stack([np.convolve(r, k, "same") for r in lying]), only=(1,), view=turned)
    case.add_ours(ours, "spmm", k, x, a)
    return case


def add_mkl(case, a, x, how=""):
    if mkl := optional("sparse_dot_mkl"):
        matrix, out = sp.csr_matrix(a), np.zeros_like(x)
        case.add("sparse_dot_mkl" + how, lambda: mkl.dot_product_mkl(matrix, x))
        case.add("sparse_dot_mkl out=" + how, lambda: mkl.dot_product_mkl(matrix, x, out=out, out_scalar=0.0))


def add_torch(case, a, k, x, lying):
    torch = optional("torch")
    if not torch:
        return
    parts = (torch.from_numpy(part) for part in (a.indptr, a.indices, a.data))
    matrix = torch.sparse_csr_tensor(*parts, size=a.shape)
    tx, signals = torch.from_numpy(x), torch.from_numpy(lying)
    flipped = torch.from_numpy(k[::-1].copy())
    case.add("torch sparse_csr @ dense", lambda: matrix @ tx)
    if x.size * len(k) < 5e8:
        conv1d = torch.nn.functional.conv1d
        case.add("torch conv1d", lambda: conv1d(signals[:, None], flipped[None, None], padding=len(k) // 2)[:, 0],
                 view=lambda y: y.T)
