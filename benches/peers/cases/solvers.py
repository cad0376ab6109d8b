"""F. Solvers: Tikhonov in one dimension to convergence; some steps of deblurring by CGLS and by Richardson–Lucy."""

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.ndimage as ndi
import scipy.sparse as sp
import scipy.sparse.linalg as spl

from case import Case
from libraries import optional
from loops import conv_csr, gauss, image_csr

LENGTHS = {"quick": [20_000], "default": [100_000], "full": [100_000, 1_000_000]}
IMAGES = {"quick": (128, 10), "default": (512, 50), "full": (512, 50)}  # side, iterations


def cases(size, ours):
    rng = np.random.default_rng(7)
    for n in LENGTHS[size]:
        yield tikhonov(n, 31, 1e-2, rng, ours)
    side, iterations = IMAGES[size]
    blurred = Blurred(side, rng)
    yield deblurring(blurred, iterations, ours)
    yield richardson_lucy(blurred, iterations, ours)


def tikhonov(n, taps, lam, rng, ours):
    """min |K x − y|² + lam |D x|², K 'full', D the second difference."""
    k = gauss(taps, 3.0)
    truth = np.cumsum(rng.standard_normal(n)) / 50 + np.sin(np.arange(n) / 200)
    y = np.convolve(truth, k) + 0.01 * rng.standard_normal(n + taps - 1)
    a = conv_csr(k, n, "full")
    ones = np.ones(n - 2)
    d = sp.diags_array([ones, -2 * ones, ones], offsets=[0, 1, 2], shape=(n - 2, n), format="csr")
    stacked, rhs = sp.vstack([a, np.sqrt(lam) * d], format="csr"), np.concatenate([y, np.zeros(n - 2)])

    def banded():
        """Cholesky of the normal equations, written down by someone who knows their bands."""
        bands = np.empty((taps, n))  # bands[taps − 1 − lag, j] is entry (j − lag, j)
        bands[:] = np.correlate(k, k, "full")[taps - 1 :][::-1, None]
        main, first, second = bands[taps - 1], bands[taps - 2], bands[taps - 3]
        main[2:-2] += 6 * lam
        main[[0, -1]] += lam
        main[[1, -2]] += 5 * lam
        first[2:-1] -= 4 * lam
        first[[1, -1]] -= 2 * lam
        second[2:] += lam
        right = np.correlate(y, k, "valid")
        return scipy.linalg.solveh_banded(bands, right, overwrite_ab=True, overwrite_b=True, check_finite=False)

    case = Case("F", "Tikhonov 1-D", dict(n=n, K=taps, lam=lam), banded, tolerance=1e-5)
    case.add("scipy solveh_banded, bands by hand", banded)
    normal = (a.T @ a + lam * (d.T @ d)).tocsr()
    case.add("scipy cg, normal matrix", lambda: spl.cg(normal, a.T @ y, rtol=1e-8, maxiter=20000)[0], only=(1,))
    precise = dict(atol=1e-8, btol=1e-8)
    case.add("scipy lsqr, csr", lambda: spl.lsqr(stacked, rhs, **precise, iter_lim=20000)[0], only=(1,))
    case.add("scipy lsmr, csr", lambda: spl.lsmr(stacked, rhs, **precise, maxiter=20000)[0], only=(1,))
    if n <= 100_000:
        case.add("scipy spsolve, normal matrix", lambda: spl.spsolve(normal.tocsc(), a.T @ y), only=(1,))
        if pylops := optional("pylops"):
            import pylops.signalprocessing as signal

            o = taps // 2
            full = signal.Convolve1D(n + taps - 1, h=k, offset=o, method="direct") @ pylops.Pad(n, (o, o))
            operator = pylops.VStack([full, np.sqrt(lam) * pylops.MatrixMult(d)])
            tolerance = 1e-16 * float(rhs @ rhs)
            cgls = pylops.optimization.basic.cgls
            case.add("pylops cgls", lambda: cgls(operator, rhs, niter=20000, tol=tolerance)[0], only=(1,))
    case.add_ours(ours, "tikhonov1d", k, y, n, lam)
    return case


def picture(side, rng):
    """Rectangles and waves in [0, 1]."""
    x = np.zeros((side, side))
    for _ in range(25):
        r, c, h, w = rng.integers(0, side, 4)
        x[r : r + h // 4 + 4, c : c + w // 4 + 4] += rng.random()
    yy, xx = np.mgrid[:side, :side] / side
    x += 0.5 * np.sin(9 * xx) * np.cos(7 * yy) + 0.5
    return (x - x.min()) / np.ptp(x)


class Blurred:
    """A picture, blurred with zeros around it, with noise; and the blur as the operators a user would write."""

    def __init__(self, side, rng):
        self.g = gauss(15, 2.5)
        self.psf, self.shape = np.outer(self.g, self.g), (side, side)
        self.parameters = dict(image=f"{side}x{side}", psf="15x15 gauss")
        self.y = ndi.convolve(picture(side, rng), self.psf, mode="constant")
        self.y += 0.01 * self.y.std() * rng.standard_normal(self.shape)

    def by_fft(self):
        return fft_operator(self.psf, self.shape)

    def by_opencv(self):
        """Names and operators; the psf is symmetric, so they are their own adjoints."""
        cv2 = optional("cv2")
        if not cv2:
            return {}
        zero = cv2.BORDER_CONSTANT
        dense = lambda v: cv2.filter2D(v.reshape(self.shape), -1, self.psf, borderType=zero).ravel()
        separable = lambda v: cv2.sepFilter2D(v.reshape(self.shape), -1, self.g, self.g, borderType=zero).ravel()
        products = {"cv2.filter2D": dense, "cv2.sepFilter2D (told separable)": separable}
        size = (self.y.size, self.y.size)
        return {name: spl.LinearOperator(size, matvec=f, rmatvec=f, dtype=float) for name, f in products.items()}


def deblurring(blurred, iterations, ours):
    """CGLS and LSQR from 0: the same iterates in exact arithmetic."""
    b, pixels = blurred.y.ravel(), blurred.y.size

    def complete(x, steps):
        if steps != iterations:  # a solver that stops early is no peer
            raise RuntimeError(f"ran {steps} iterations, expected {iterations}")
        return x

    def lsqr(a):
        def run():
            x, _, steps = spl.lsqr(a, b, iter_lim=iterations, atol=0, btol=0, conlim=0)[:3]
            return complete(x, steps)

        return run

    by_fft = lsqr(blurred.by_fft())
    case = Case("F", f"deblurring, {iterations} iterations", blurred.parameters, by_fft, tolerance=5e-2)
    matrix = image_csr(blurred.psf, *blurred.shape)
    if matrix is not None:
        case.add("scipy lsqr, csr", lsqr(matrix), only=(1,))
    case.add("scipy lsqr, FFT operator", by_fft)
    for name, operator in blurred.by_opencv().items():
        case.add(f"scipy lsqr, {name}", lsqr(operator))
    if pylops := optional("pylops"):
        import pylops.signalprocessing as signal

        op = signal.Convolve2D(blurred.shape, h=blurred.psf, offset=(7, 7), method="fft")
        basic, start = pylops.optimization.basic, np.zeros(pixels)
        endless = dict(atol=0, btol=0, conlim=1e30, calc_var=False)
        case.add("pylops cgls", lambda: complete(*basic.cgls(op, b, x0=start, niter=iterations, tol=0)[:3:2]))
        case.add("pylops lsqr", lambda: complete(*basic.lsqr(op, b, x0=start, niter=iterations, **endless)[:3:2]))
    if torch := optional("torch"):
        case.add("torch, CGLS by hand (told separable)", torch_cgls(torch, blurred.g, blurred.y, iterations))
    case.add_ours(ours, "deblur_cgls", blurred.psf, blurred.y, iterations)
    return case


def richardson_lucy(blurred, iterations, ours):
    """x ← x·Aᴴ(b/Ax)/Aᴴ1 from 0.5, which keeps the sum of the data. Packages leave the division by Aᴴ1 out."""
    y = np.maximum(blurred.y, 1e-4)

    def by_hand(a):
        def run():
            x, gain = np.full(y.size, 0.5), a.rmatvec(np.ones(y.size))
            for _ in range(iterations):
                x = x * a.rmatvec(y.ravel() / a.matvec(x)) / gain
            return x

        return run

    by_fft = by_hand(blurred.by_fft())
    case = Case("F", f"Richardson-Lucy, {iterations} iterations", blurred.parameters, by_fft, tolerance=1e-6)
    case.add("by hand, FFT operator", by_fft)
    for name, operator in blurred.by_opencv().items():
        case.add(f"by hand, {name}", by_hand(operator))
    case.add_ours(ours, "richardson_lucy_divided", blurred.psf, y, iterations)
    return case


def fft_operator(psf, shape):
    """'same' with zero boundary by padded FFTs, and its adjoint."""
    (h, w), taps = shape, len(psf)
    padded = [scipy.fft.next_fast_len(n + taps - 1, real=True) for n in shape]
    spectrum, o = scipy.fft.rfft2(psf, padded), taps // 2

    def filtered(v, by):
        return scipy.fft.irfft2(scipy.fft.rfft2(v.reshape(shape), padded) * by, padded)

    def forward(v):
        return filtered(v, spectrum)[o : o + h, o : o + w].ravel()

    def adjoint(v):  # starts at index −o, which has wrapped to the end
        return np.roll(filtered(v, np.conj(spectrum)), (o, o), (0, 1))[:h, :w].ravel()

    return spl.LinearOperator((h * w, h * w), matvec=forward, rmatvec=adjoint, dtype=float)


def torch_cgls(torch, g, y, iterations):
    conv2d, o = torch.nn.functional.conv2d, len(g) // 2
    tg, ty = torch.from_numpy(g), torch.from_numpy(y)[None, None]
    down, along = tg[None, None, :, None], tg[None, None, None]
    product = lambda v: conv2d(conv2d(v, down, padding=(o, 0)), along, padding=(0, o))

    def run():
        with torch.no_grad():
            x, r = torch.zeros_like(ty), ty.clone()
            s = product(r)
            p, gamma = s.clone(), (s * s).sum()
            for _ in range(iterations):
                q = product(p)
                alpha = gamma / (q * q).sum()
                x += alpha * p
                r -= alpha * q
                s = product(r)
                last, gamma = gamma, (s * s).sum()
                p = s + (gamma / last) * p
        return x.numpy().ravel()

    return run
