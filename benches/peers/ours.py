"""convmtx as one of the peers: one function per case.

A function receives what every peer receives and returns a callable without arguments that does the timed work, or a
dict {variant: callable}. What a user does once (describing the operator) stands before the `return`, work that new
data repeat stands inside. Results are NumPy arrays or scipy.sparse matrices. What the package does not offer raises
NotImplementedError, which skips it. Variants named "out=" write into one array again and again, allocated and touched
before; all others include the memory of the result.
"""

import numpy as np

import convmtx

VERSION = getattr(convmtx, "__version__", "?")


def room(shape, dtype):
    """Memory for a result, touched: its pages are there."""
    return np.ones(shape, dtype)


def set_threads(n):
    """Sets the number of threads of every later call."""
    convmtx.set_num_threads(n)


# A. The matrix
def build_conv1d(k, n, shape):
    """The CSR matrix of the 1-D convolution; shape is full, same or valid."""
    return lambda: convmtx.Conv1d(k, n, shape).to_scipy()


def build_conv2d(k, hw, shape):
    """The CSR matrix of the 2-D convolution of a row-major image of size hw."""
    return lambda: convmtx.Conv2d(k, hw, shape).to_scipy()


# B. One kernel, many signals
def spmm(k, x, csr):
    """Y = K X, 'same', x of shape (n, S); csr is the scipy.sparse matrix of the same map."""
    op = convmtx.Conv1d(k, len(x), "same", dtype=x.dtype)
    matrix = convmtx.aslinearoperator(csr)
    y = room(x.shape, x.dtype)
    return {
        "": lambda: op.matmat(x),
        "out=": lambda: op.matmat(x, out=y),
        "csr": lambda: matrix.matmat(x),
        "csr out=": lambda: matrix.matmat(x, out=y),
    }


def general_spmm(a, x, which):
    """A X or Aᵀ X (`which` is "A X" or "At X"), a any scipy.sparse matrix, x a vector or of shape (n, S)."""
    matrix = convmtx.aslinearoperator(a)
    y = room((a.shape[0 if which == "A X" else 1], *x.shape[1:]), np.result_type(a.dtype, x))

    def into():
        op = matrix if which == "A X" else matrix.T
        return op.matvec(x, out=y) if x.ndim == 1 else op.matmat(x, out=y)

    return {"": lambda: (matrix if which == "A X" else matrix.T) @ x, "out=": into}


# C. Row i with row i
def rowwise(a, b):
    """C[i] = convolve(a[i], b[i], 'full')."""
    c = room((len(a), a.shape[1] + b.shape[1] - 1), a.dtype)
    return {"": lambda: convmtx.convolve_rows(a, b), "out=": lambda: convmtx.convolve_rows(a, b, out=c)}


def rowwise_outofcore(a_path, b_path, out_path):
    """The same from .npy to .npy."""
    raise NotImplementedError("convolutions from file to file are not in the package yet")


# D. Images
def conv2d(img, k):
    """'same' with zero boundary, dense kernel."""
    op = convmtx.Conv2d(k, img.shape, "same", dtype=img.dtype)
    y = room(img.shape, img.dtype)
    return {"": lambda: op.apply(img), "out=": lambda: op.apply(img, out=y)}


def conv2d_separable(img, kcol, krow):
    """'same' with outer(kcol, krow), zero boundary."""
    op = convmtx.Conv2d(np.outer(kcol, krow), img.shape, "same", dtype=img.dtype)
    y = room(img.shape, img.dtype)
    return {
        "": lambda: op.apply(img),
        "out=": lambda: op.apply(img, out=y),
        "conv2(u, v, X)": lambda: convmtx.conv2(kcol, krow, img, "same"),
    }


def conv2d_batch(imgs, k):
    """imgs of shape (count, H, W), one kernel for all, 'same', zero boundary."""
    op = convmtx.Conv2d(k, imgs.shape[1:], "same", dtype=imgs.dtype)
    y = room(imgs.shape, imgs.dtype)
    return {"": lambda: op.apply(imgs), "out=": lambda: op.apply(imgs, out=y)}


# E. Gradients of a layer
def backward_input(g, w):
    """g (B, F, H, W), w (F, 1, k, k), 'same' cross-correlation layer -> (B, 1, H, W)."""
    layer = convmtx.FilterBank.layer(w, g.shape[2:], padding=w.shape[-1] // 2)
    x = room((len(g), *layer.dims), g.dtype)
    return {"": lambda: layer.apply_adjoint(g), "out=": lambda: layer.apply_adjoint(g, out=x)}


def backward_kernel(x, g):
    """x (B, 1, H, W), g (B, F, H, W) -> (F, 1, 5, 5), summed over the batch."""
    # The gradient does not depend on the weights; ones hold their place.
    layer = convmtx.FilterBank.layer(np.ones((g.shape[1], 1, 5, 5), x.dtype), x.shape[2:], padding=2)
    w = room(layer.kernel.shape, x.dtype)
    return {"": lambda: layer.adjoint_kernel(x, g), "out=": lambda: layer.adjoint_kernel(x, g, out=w)}


# F. Solvers
def tikhonov1d(k, y, n, lam):
    """min |K x − y|² + lam |D x|², K 'full', D the (n − 2, n) second difference."""
    a, d = convmtx.Conv1d(k, n), convmtx.Difference(n, order=2)
    return lambda: convmtx.tikhonov(a, y, lam, d, maxiter=20000, tol=1e-8)


def deblur_cgls(psf, y, iters):
    """`iters` iterations of CGLS, and of LSQR, from 0; zero boundary, 'same'."""
    a, b = convmtx.Conv2d(psf, y.shape, "same"), y.ravel()

    def cgls():
        return after(iters, *convmtx.cgls(a, b, niter=iters, tol=0)[:3])

    def lsqr():
        x, _, steps = convmtx.lsqr(a, b, atol=0, btol=0, conlim=0, iter_lim=iters)[:3]
        return after(iters, x, None, steps)

    return {"cgls": cgls, "lsqr": lsqr}


def after(iters, x, _stop, steps):
    """x, if it took as many steps as asked for: a solver that stops early is not fast."""
    if steps != iters:
        raise RuntimeError(f"ran {steps} iterations, expected {iters}")
    return x


def tikhonov_periodic(psf, y, lam):
    """min |K x − y|² + lam |x|², K periodic, psf centred."""
    raise NotImplementedError("solutions by diagonalisation are not in the package yet")


def tikhonov_symmetric(psf, y, lam):
    """The same with half-sample symmetric boundary; psf is symmetric."""
    raise NotImplementedError("solutions by diagonalisation are not in the package yet")


def richardson_lucy(psf, y, iters):
    """`iters` steps from 0.5, zero boundary, without the division by Aᴴ1."""
    raise NotImplementedError("ours divides by Aᴴ1 and so has other iterates near the border")


def richardson_lucy_divided(psf, y, iters):
    """The same with the division by Aᴴ1."""
    a, start = convmtx.Conv2d(psf, y.shape, "same"), np.full(y.size, 0.5)
    return lambda: convmtx.richardson_lucy(a, y.ravel(), iters, x0=start)


def tv_pdhg(psf, y, lam, iters):
    """Primal-dual, min 0.5|K x − y|² + lam TV(x), x >= 0, zero boundary."""
    raise NotImplementedError("total variation is not in the package yet")


def fista_l1(psf, y, lam, iters):
    """`iters` FISTA steps, min 0.5|K x − y|² + lam |x|₁, zero boundary."""
    raise NotImplementedError("FISTA is not in the package yet")
