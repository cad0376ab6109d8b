"""Golden cases of the solvers: each on the operator, and on its matrix."""

import numpy as np

import convmtx
from golden import each_case_of

CONV = {1: convmtx.Conv1d, 2: convmtx.Conv2d}


def operators(case):
    """The convolution of a case as a user may hold it: our operator, and a matrix of scipy.sparse."""
    op = convmtx.Conv1d(case["h"], case["n"], case["shape"])
    return {"operator": op, "matrix": op.to_scipy()}


@each_case_of("solve_ls")
def test_least_squares(case):
    b = case["b"]
    for what, a in operators(case).items():
        solutions = {
            "cgls": convmtx.cgls(a, b, tol=1e-14)[0],
            "lsqr": convmtx.lsqr(a, b, atol=1e-14, btol=1e-14)[0],
            "lsmr": convmtx.lsmr(a, b, atol=1e-14, btol=1e-14, maxiter=1000)[0],
        }
        for solver, x in solutions.items():
            case.check(f"{solver} with the {what}", x, case.want("x"))
            residual = np.linalg.norm(a @ x - b)
            case.check(f"{solver} residual with the {what}", residual, case.want("residual_norm"))


@each_case_of("solve_tikhonov")
def test_tikhonov(case):
    b, lam, order, n = case["b"], case["lambda"], case["order"], case["n"]
    seminorm_of = convmtx.Identity(n) if order == 0 else convmtx.Difference(n, order=order)
    for what, a in operators(case).items():
        x = convmtx.tikhonov(a, b, lam, seminorm_of, tol=1e-14)[0]
        case.check(f"x with the {what}", x, case.want("x"))
        case.check(f"residual with the {what}", np.linalg.norm(a @ x - b), case.want("residual_norm"))
        case.check(f"seminorm with the {what}", np.linalg.norm(seminorm_of @ x), case.want("seminorm"))
        if order == 0:  # damp multiplies ‖x‖ before it is squared
            damp = np.sqrt(lam)
            case.check("cgls damp", convmtx.cgls(a, b, damp=damp, tol=1e-14)[0], case.want("x"))
            case.check("lsqr damp", convmtx.lsqr(a, b, damp, atol=1e-14, btol=1e-14)[0], case.want("x"))


@each_case_of("solve_iterative")
def test_iterates(case):
    b, damp, steps = case["b"], case["damp"], case["steps"]
    endless = dict(atol=0, btol=0, conlim=0)
    for what, a in operators(case).items():
        for k in (1, steps // 2, steps):
            want = case.want("x")[k - 1]
            cgls = convmtx.cgls(a, b, damp=damp, niter=k, tol=0)[0]
            lsqr = convmtx.lsqr(a, b, damp, iter_lim=k, **endless)[0]
            case.check(f"cgls after {k} steps with the {what}", cgls, want)
            case.check(f"lsqr after {k} steps with the {what}", lsqr, want)


@each_case_of("richardson_lucy")
def test_richardson_lucy(case):
    image, psf = case["image"], case["psf"]
    shape = image.size if image.ndim == 1 else image.shape
    op = CONV[image.ndim](psf, shape, "same")
    start = np.full(image.size, case["x0"])
    for what, a in (("operator", op), ("matrix", op.to_scipy())):
        x = convmtx.richardson_lucy(a, image.ravel(), case["steps"], x0=start)[0]
        case.check(f"with the {what}", x, case.want("normalized").ravel())
