"""D. Images: 'same' with zero boundary; a dense kernel, a separable one, a batch."""

import numpy as np
import scipy.ndimage as ndi
import scipy.signal as sg

from case import Case
from libraries import optional, with_mkl_fft
from loops import gauss, image_csr

DTYPES = {"f32": np.float32, "f64": np.float64}
TOLERANCES = {"f32": 1e-4, "f64": 1e-11}
GRID = {
    "quick": [(7, "f32")],
    "default": [(3, "f32"), (7, "f32"), (15, "f32"), (31, "f32"), (15, "f64")],
    "full": [(taps, d) for d in DTYPES for taps in (3, 7, 15, 31, 63)],
}


def cases(size, ours):
    rng = np.random.default_rng(5)
    side = 512 if size == "quick" else 2048
    for taps, dtype in GRID[size]:
        image = rng.standard_normal((side, side)).astype(DTYPES[dtype])
        yield dense(image, rng.standard_normal((taps, taps)).astype(DTYPES[dtype]), dtype, ours)
        yield separable(image, gauss(taps, taps / 6).astype(DTYPES[dtype]), dtype, ours)
    count, side = (8, 128) if size == "quick" else (64, 256)
    for dtype in ("f32",) if size == "quick" else DTYPES:
        images = rng.standard_normal((count, side, side)).astype(DTYPES[dtype])
        yield batch(images, rng.standard_normal((15, 15)).astype(DTYPES[dtype]), dtype, size, ours)


def exactly(image, k, axes):
    """The reference: in double precision, whatever the peers use."""
    return lambda: sg.oaconvolve(image.astype(np.float64), k.astype(np.float64), mode="same", axes=axes)


def dense(image, k, dtype, ours):
    taps, shape = len(k), "x".join(map(str, image.shape))
    case = Case("D", "dense", dict(image=shape, K=taps, dtype=dtype), exactly(image, k, (0, 1)), TOLERANCES[dtype])
    overlap_add = lambda: sg.oaconvolve(image, k, mode="same")
    case.add("scipy oaconvolve", overlap_add)
    case.add("scipy oaconvolve + mkl_fft", with_mkl_fft(overlap_add))
    case.add("scipy fftconvolve", lambda: sg.fftconvolve(image, k, mode="same"))
    if taps <= 15:
        case.add("scipy ndimage.convolve", lambda: ndi.convolve(image, k, mode="constant"), only=(1,))
    if cv2 := optional("cv2"):
        flipped = k[::-1, ::-1].copy()
        zero, given = cv2.BORDER_CONSTANT, np.ones_like(image)
        case.add("cv2.filter2D", lambda: cv2.filter2D(image, -1, flipped, borderType=zero))
        case.add("cv2.filter2D dst=", lambda: cv2.filter2D(image, -1, flipped, given, borderType=zero))
    torch = optional("torch")
    if torch and taps <= (31 if dtype == "f32" else 7):  # beyond: minutes, and gigabytes of im2col
        t, tk = torch.from_numpy(image)[None, None], torch.from_numpy(k[::-1, ::-1].copy())[None, None]
        case.add("torch conv2d", lambda: torch.nn.functional.conv2d(t, tk, padding=taps // 2)[0, 0])
    case.add_ours(ours, "conv2d", image, k)
    return case


def separable(image, g, dtype, ours):
    taps, shape = len(g), "x".join(map(str, image.shape))
    k = np.outer(g, g)
    case = Case("D", "separable", dict(image=shape, K=taps, dtype=dtype), exactly(image, k, (0, 1)), TOLERANCES[dtype])
    line = lambda x, axis: ndi.convolve1d(x, g, axis, mode="constant")
    case.add("scipy ndimage.convolve1d twice", lambda: line(line(image, 0), 1), only=(1,))
    if cv2 := optional("cv2"):
        zero, given, size = cv2.BORDER_CONSTANT, np.ones_like(image), (taps, taps)
        case.add("cv2.sepFilter2D", lambda: cv2.sepFilter2D(image, -1, g, g, borderType=zero))
        case.add("cv2.sepFilter2D dst=", lambda: cv2.sepFilter2D(image, -1, g, g, given, borderType=zero))
        case.add("cv2.GaussianBlur", lambda: cv2.GaussianBlur(image, size, taps / 6, borderType=zero))
        case.add("cv2.GaussianBlur dst=", lambda: cv2.GaussianBlur(image, size, taps / 6, given, borderType=zero))
    if torch := optional("torch"):
        conv2d, o = torch.nn.functional.conv2d, taps // 2
        t, tg = torch.from_numpy(image)[None, None], torch.from_numpy(g)
        down, along = tg[None, None, :, None], tg[None, None, None]
        case.add("torch conv2d twice", lambda: conv2d(conv2d(t, down, padding=(o, 0)), along, padding=(0, o))[0, 0])
    case.add("scipy oaconvolve", lambda: sg.oaconvolve(image, k, mode="same"))
    case.add_ours(ours, "conv2d_separable", image, g, g)
    return case


def batch(images, k, dtype, size, ours):
    count, h, w = images.shape
    taps, shape = len(k), "x".join(map(str, images.shape))
    reference = exactly(images, k[None], (1, 2))
    case = Case("D", "batch", dict(images=shape, K=taps, dtype=dtype), reference, TOLERANCES[dtype])
    case.add("scipy fftconvolve(axes)", lambda: sg.fftconvolve(images, k[None], mode="same", axes=(1, 2)))
    case.add("scipy oaconvolve(axes)", lambda: sg.oaconvolve(images, k[None], mode="same", axes=(1, 2)))
    if cv2 := optional("cv2"):
        flipped, zero = k[::-1, ::-1].copy(), cv2.BORDER_CONSTANT
        case.add("cv2.filter2D loop", lambda: np.stack([cv2.filter2D(i, -1, flipped, borderType=zero) for i in images]))
        given = np.ones_like(images)

        def into_given():
            for i, y in zip(images, given):
                cv2.filter2D(i, -1, flipped, y, borderType=zero)
            return given

        case.add("cv2.filter2D loop, dst=", into_given)
    torch = optional("torch")
    if torch and dtype == "f32":
        t, tk = torch.from_numpy(images)[:, None], torch.from_numpy(k[::-1, ::-1].copy())[None, None]
        case.add("torch conv2d", lambda: torch.nn.functional.conv2d(t, tk, padding=taps // 2)[:, 0])
    matrix = image_csr(k, h, w) if size != "quick" else None
    mkl = optional("sparse_dot_mkl")
    if matrix is not None and mkl:
        import scipy.sparse as sp

        old_style, columns = sp.csr_matrix(matrix), np.ascontiguousarray(images.reshape(count, -1).T)
        back = lambda y: np.asarray(y).T.reshape(images.shape)
        case.add("sparse_dot_mkl, stacked images", lambda: mkl.dot_product_mkl(old_style, columns), view=back)
    case.add_ours(ours, "conv2d_batch", images, k)
    return case
