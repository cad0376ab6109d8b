"""E. The two gradients of a convolution layer: one channel in, F out, 5 × 5, cross-correlation, padding 2."""

import numpy as np
import scipy.signal as sg

from case import Case
from libraries import optional

DTYPES = {"f32": np.float32, "f64": np.float64}
TAPS, PAD = 5, 2


def cases(size, ours):
    rng = np.random.default_rng(6)
    count, side, kernels = (8, 64, 16) if size == "quick" else (64, 128, 16)
    for dtype in ("f32",) if size == "quick" else DTYPES:
        draw = lambda *shape: rng.standard_normal(shape).astype(DTYPES[dtype])
        x, g, w = draw(count, 1, side, side), draw(count, kernels, side, side), draw(kernels, 1, TAPS, TAPS)
        parameters = dict(images=f"{count}x{side}x{side}", kernels=f"{kernels}x{TAPS}x{TAPS}", dtype=dtype)
        yield by_input(x, g, w, parameters, size, ours)
        yield by_kernel(x, g, w, parameters, size, ours)


def tolerance(dtype):
    return 1e-11 if dtype == "f64" else 1e-4


def by_input(x, g, w, parameters, size, ours):
    kernels = w.transpose(1, 0, 2, 3)

    def summed(g, kernels):
        return sg.oaconvolve(g, kernels, mode="same", axes=(2, 3)).sum(1, keepdims=True)

    reference = lambda: summed(g.astype(np.float64), kernels.astype(np.float64))
    case = Case("E", "gradient by input", parameters, reference, tolerance(parameters["dtype"]))
    case.add("scipy oaconvolve(axes), sum", lambda: summed(g, kernels))
    if torch := optional("torch"):
        tx, tg, tw = (torch.from_numpy(v) for v in (x, g, w))
        leaf = tx.clone().requires_grad_(True)
        y = torch.nn.functional.conv2d(leaf, tw, padding=PAD)
        case.add("torch conv_transpose2d", lambda: torch.nn.functional.conv_transpose2d(tg, tw, padding=PAD))
        case.add("torch.nn.grad.conv2d_input", lambda: torch.nn.grad.conv2d_input(tx.shape, tw, tg, padding=PAD))
        case.add("torch autograd.grad", lambda: torch.autograd.grad(y, leaf, tg, retain_graph=True)[0])
    add_jax(case, x, g, w, 0, size)
    case.add_ours(ours, "backward_input", g, w)
    return case


def by_kernel(x, g, w, parameters, size, ours):
    n = x.shape[-1]

    def per_tap(x, g):
        padded = np.pad(x[:, 0], ((0, 0), (PAD, PAD), (PAD, PAD)))
        out = np.empty(w.shape, x.dtype)
        for i in range(TAPS):
            for j in range(TAPS):
                out[:, 0, i, j] = np.tensordot(g, padded[:, i : i + n, j : j + n], axes=([0, 2, 3], [0, 1, 2]))
        return out

    reference = lambda: per_tap(x.astype(np.float64), g.astype(np.float64))
    case = Case("E", "gradient by kernel", parameters, reference, 10 * tolerance(parameters["dtype"]))
    case.add("numpy tensordot per tap", lambda: per_tap(x, g))
    if torch := optional("torch"):
        tx, tg, tw = (torch.from_numpy(v) for v in (x, g, w))
        leaf = tw.clone().requires_grad_(True)
        y = torch.nn.functional.conv2d(tx, leaf, padding=PAD)
        case.add("torch.nn.grad.conv2d_weight", lambda: torch.nn.grad.conv2d_weight(tx, tw.shape, tg, padding=PAD))
        case.add("torch autograd.grad", lambda: torch.autograd.grad(y, leaf, tg, retain_graph=True)[0])
    add_jax(case, x, g, w, 1, size)
    case.add_ours(ours, "backward_kernel", x, g)
    return case


def add_jax(case, x, g, w, argument, size):
    """The gradient by argument 0 (input) or 1 (kernel); jax has no switch for its threads and takes all."""
    jax = optional("jax")
    if not jax or size != "full" or case.parameters["dtype"] != "f32":
        return
    conv = lambda *inputs: jax.lax.conv_general_dilated(*inputs, (1, 1), "SAME")
    jx, jg, jw = (jax.numpy.asarray(v) for v in (x, g, w))
    gradient = jax.jit(lambda cotangent: jax.vjp(conv, jx, jw)[1](cotangent)[argument])
    case.add("jax vjp, jit", lambda: gradient(jg).block_until_ready(), only=(2,))
