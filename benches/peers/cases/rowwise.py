"""C. Row i of A with row i of B, full, in memory."""

import numpy as np
import scipy.fft
import scipy.signal as sg

from case import Case
from libraries import optional, with_mkl_fft
from loops import compiled

DTYPES = {"f32": np.float32, "f64": np.float64}
GRID = {
    "quick": [(64, 10_000, 257, "f64")],
    "default": [(64, 100_000, taps, "f64") for taps in (20, 257, 4096)]
    + [(64, 100_000, 257, "f32"), (4096, 10_000, 20, "f32"), (4096, 10_000, 257, "f64")],
    # What stays within 8 GiB with the temporaries of the peers.
    "full": [
        (m, n, taps, dtype)
        for dtype in DTYPES
        for m, n in ((64, 10_000), (64, 100_000), (4096, 10_000))
        for taps in (20, 257, 4096)
    ],
}
# Beyond so many multiplications a direct loop is no candidate.
DIRECT_LIMIT = 6e9


def cases(size, ours):
    rng = np.random.default_rng(3)
    for m, n, taps, dtype in GRID[size]:
        a, b = (rng.standard_normal((m, length)).astype(DTYPES[dtype]) for length in (n, taps))
        yield rows(a, b, dtype, ours)


def rows(a, b, dtype, ours):
    (m, n), taps = a.shape, b.shape[1]
    reference = lambda: sg.oaconvolve(a.astype(np.float64), b.astype(np.float64), axes=1)
    tolerance = 1e-11 if dtype == "f64" else 1e-4
    case = Case("C", "rowwise", dict(M=m, N=n, P=taps, dtype=dtype), reference, tolerance)
    overlap_add = lambda: sg.oaconvolve(a, b, axes=1)
    one_by_one = lambda convolve: lambda: np.vstack([convolve(x, y) for x, y in zip(a, b)])

    case.add("scipy oaconvolve(axes=1)", overlap_add)
    case.add("scipy oaconvolve + mkl_fft", with_mkl_fft(overlap_add))
    case.add("scipy fftconvolve(axes=1)", lambda: sg.fftconvolve(a, b, axes=1))
    case.add("loop of scipy oaconvolve", one_by_one(sg.oaconvolve), only=(1,))
    direct = a.size * taps < DIRECT_LIMIT
    if direct:
        case.add("loop of np.convolve", one_by_one(np.convolve), only=(1,))
    if torch := optional("torch"):
        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        length = scipy.fft.next_fast_len(n + taps - 1, real=True)
        rfft, irfft = torch.fft.rfft, torch.fft.irfft
        whole_rows = lambda: irfft(rfft(ta, length) * rfft(tb, length), length)[:, : n + taps - 1]
        case.add("torch.fft of whole rows", whole_rows)
        if a.size * taps < DIRECT_LIMIT / 2:
            conv1d = torch.nn.functional.conv1d
            grouped = lambda: conv1d(ta[None], tb.flip(1)[:, None], groups=m, padding=taps - 1)[0]
            case.add("torch conv1d groups=M", grouped)
    if compiled() and direct:

        def loop():
            c = np.empty((m, n + taps - 1), a.dtype)
            compiled()["rows"](a, b, c)
            return c

        case.add("numba loop", loop)
    case.add_ours(ours, "rowwise", a, b)
    return case
