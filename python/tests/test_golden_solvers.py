"""Golden cases of the solvers: each on the operator, and on its matrix."""

import numpy as np

import convmtx
from golden import each_case_of

CONV = {1: convmtx.Conv1d, 2: convmtx.Conv2d}

# What the tuples of SciPy's solvers hold.
RETURNED = {
    "lsqr": ("x", "istop", "itn", "r1norm", "r2norm", "anorm", "acond", "arnorm", "xnorm", "var"),
    "lsmr": ("x", "istop", "itn", "normr", "normar", "norma", "conda", "normx"),
    "cg": ("x", "info"),
}
LIMIT = {"lsqr": "iter_lim", "lsmr": "maxiter", "cg": "maxiter"}


def operators(case):
    """The convolution of a case as a user may hold it: our operator, and a matrix of scipy.sparse."""
    op = convmtx.Conv1d(case["h"], case["n"], case["shape"])
    return {"operator": op, "matrix": op.to_scipy()}


@each_case_of("solve_ls")
def test_least_squares(case):
    b = case["b"]
    for what, a in operators(case).items():
        precise = dict(atol=1e-14, btol=1e-14)
        solutions = {
            "cgls": convmtx.cgls(a, b, niter=1000, tol=1e-14)[0],
            "lsqr": convmtx.lsqr(a, b, **precise)[0],
            "lsmr": convmtx.lsmr(a, b, **precise, maxiter=1000)[0],
        }
        for solver, x in solutions.items():
            case.check(f"{solver} with the {what}", x, case.want("x"))
            residual = np.linalg.norm(a @ x - b)
            case.check(f"{solver} residual with the {what}", residual, case.want("residual_norm"))


@each_case_of("solve_tikhonov")
def test_tikhonov(case):
    b, lam, order, n = case["b"], case["lambda"], case["order"], case["n"]
    seminorm_of = convmtx.Identity(n) if order == 0 else convmtx.Difference(n, order)
    for what, a in operators(case).items():
        x = convmtx.tikhonov(a, b, lam, seminorm_of, maxiter=1000, tol=1e-14)
        case.check(f"x with the {what}", x, case.want("x"))
        case.check(f"residual with the {what}", np.linalg.norm(a @ x - b), case.want("residual_norm"))
        case.check(f"seminorm with the {what}", np.linalg.norm(seminorm_of @ x), case.want("seminorm"))
        if order == 0:  # damp multiplies ‖x‖ before it is squared
            damp = np.sqrt(lam)
            case.check("without L", convmtx.tikhonov(a, b, lam, maxiter=1000, tol=1e-14), case.want("x"))
            case.check("cgls damp", convmtx.cgls(a, b, damp=damp, niter=1000, tol=1e-14)[0], case.want("x"))
            case.check("lsqr damp", convmtx.lsqr(a, b, damp, atol=1e-14, btol=1e-14)[0], case.want("x"))


@each_case_of("solve_iterative")
def test_iterates(case):
    b, damp, steps = case["b"], case["damp"], case["steps"]
    for what, a in operators(case).items():
        iterates, history = [], {}
        convmtx.cgls(a, b, niter=steps, damp=damp, tol=0, callback=lambda p: iterates.append(p.x), history=history)
        case.check(f"cgls with the {what}", iterates, case.want("x"))
        case.check(f"residuals with the {what}", history["residual_norms"][1:], case.want("residual_norm"))
        for k in range(1, steps + 1):
            x = convmtx.lsqr(a, b, damp, iter_lim=k, atol=0, btol=0, conlim=0)[0]
            case.check(f"lsqr after {k} steps with the {what}", x, case.want("x")[k - 1])


@each_case_of("solve_scipy")
def test_every_step_of_scipy(case):
    """Each solver after 1, 2, … steps returns what SciPy's returns, field by field."""
    solver = case["solver"]
    for what, a in operators(case).items():
        for k in range(1, case["steps"] + 1):
            returned = dict(zip(RETURNED[solver], run(case, a, k)))
            case.check(f"x after {k} steps with the {what}", returned["x"], case.want("x")[k - 1])
            for name in set(returned) - {"x", "istop", "itn", "info", "var"}:
                if case.has_expected(name):
                    near = (1e-7, 0) if name in ("arnorm", "normar") else (0, 0)  # vanish among numbers of size 1
                    case.check(f"{name} after {k} steps", returned[name], case.want(name)[k - 1], at_least=near)
        if case.has_expected("var"):
            case.check("var", run(case, a, case["steps"], calc_var=True)[-1], case.want("var"))
        converged = dict(zip(RETURNED[solver], run(case, a, None)))
        # The tolerance of the run times a condition number.
        case.check("x_converged", converged["x"], case.want("x_converged"), at_least=(1e-4, 0))
        if solver == "cg":
            assert converged["info"] == 0
            continue
        assert converged["istop"] == case.want("istop"), case.id
        # Exact arithmetic would be done after n steps; how many more it takes is a matter of rounding.
        slack = 0 if case.want("itn") <= case["n"] else 2
        assert abs(converged["itn"] - case.want("itn")) <= slack, case.id


def run(case, a, steps, **more):
    """A run of the case's solver: so many steps without an end, or to the end (None)."""
    solver = case["solver"]
    options = {LIMIT[solver]: 1000 if steps is None else steps, **more}
    if solver == "cg":
        options["rtol"] = 1e-5 if steps is None else 0.0
        options["M"] = convmtx.Diagonal(case["m"]) if "m" in case else None
    else:
        options |= dict(damp=case["damp"], conlim=1e8 if steps is None else 0.0)
        options |= dict.fromkeys(("atol", "btol"), 1e-6 if steps is None else 0.0)
    return getattr(convmtx, solver)(a, case["b"], x0=case["x0"] if "x0" in case else None, **options)


@each_case_of("solve_toeplitz")
def test_toeplitz(case):
    c = (case["c"], case["r"]) if "r" in case else case["c"]
    case.check("solve_toeplitz", convmtx.solve_toeplitz(c, case["b"]), case.want("x"))
    # The right-hand side comes back.
    back = convmtx.matmul_toeplitz(c, case.want("x"))
    case.check("matmul_toeplitz", back, case["b"], at_least=(1e-9, 1e-9))


@each_case_of("richardson_lucy")
def test_richardson_lucy(case):
    image, psf = case["image"], case["psf"]
    shape = image.size if image.ndim == 1 else image.shape
    op = CONV[image.ndim](psf, shape, "same")
    start, steps = np.full(image.shape, case["x0"]), case["steps"]
    case.check("with the operator", convmtx.richardson_lucy(op, image, steps, x0=start), case.want("normalized"))
    flat = convmtx.richardson_lucy(op.to_scipy(), image.ravel(), steps, x0=start.ravel())
    case.check("with the matrix", flat, case.want("normalized").ravel())
