"""Golden cases through the operators: products by every engine, the matrix, its product, the adjoints."""

import numpy as np

import convmtx
from golden import MODES, each_case_of

BOUNDARIES = {"circular": "periodic"}
CONV = {1: convmtx.Conv1d, 2: convmtx.Conv2d, 3: convmtx.Conv3d}

# An FFT rounds, by an amount that follows the largest values and not the element.
FFT_ROUNDING = {np.float32: (1e-5, 1e-5), np.float64: (1e-12, 1e-12), np.complex128: (1e-12, 1e-12)}


def conv(h, shape, mode, **options):
    """The convolution of signals of this shape with `h`, in as many dimensions as `h` has."""
    sizes = shape[0] if h.ndim == 1 else tuple(shape)
    return CONV[h.ndim](h, sizes, mode, **options)


def boundary(case):
    """The boundary of a case in our words: a number is the constant beyond the ends."""
    word = case["boundary"]
    return case["value"] if word == "constant" else BOUNDARIES.get(word, word)


def finite(*arrays):
    return all(np.isfinite(a).all() for a in arrays)


def check_operator(case, what, build, x, want):
    """Every way from x to y: n-d and flat, with each engine, and by the matrix."""
    auto = build()
    assert auto.dimsd == want.shape, f"{case.id} {what}"
    assert auto.shape == (want.size, x.size)
    case.check(what, auto.apply(x), want)
    assert auto.apply(x).dtype == want.dtype, f"{case.id} {what}"
    constant = auto.constant_term()
    term = 0 if constant is None else np.asarray(constant).ravel()
    for engine in ("auto", "direct"):
        case.check(f"{what} matvec, {engine}", build(engine=engine).matvec(x.ravel()) + term, want.ravel())
    if finite(x, want):
        rounding = FFT_ROUNDING[want.dtype.type]
        case.check(f"{what}, fft", build(engine="fft").apply(x), want, at_least=rounding)
    case.check(f"{what} by the matrix", auto.to_scipy() @ x.ravel() + term, want.ravel())
    batch = np.stack([x.ravel(), np.zeros_like(x).ravel()], axis=1)
    case.check(f"{what} in a batch", auto.matmat(batch)[:, 0] + term, want.ravel())


def check_matrix(case, what, op, want):
    """The matrix entry by entry, and the columns and rows that the products give."""
    case.check_matrix(what, op.to_scipy(), want)
    dense = want.toarray()
    m, n = dense.shape
    if np.isfinite(dense).all():  # 0·inf in a dense product is not 0
        case.check(f"{what} columns", op.matmat(np.eye(n)), dense)
        case.check(f"{what} rows", op.rmatmat(np.eye(m)), dense.conj().T)
    case.check(f"{what} dense", op.todense(), dense)


def kernel(case):
    """`h`, or the outer product of `u` (down the columns) and `v` (along the rows)."""
    return case["h"] if "h" in case else np.multiply.outer(case["u"], case["v"])


@each_case_of("conv1d")
def test_conv1d(case):
    three_modes(case)


@each_case_of("conv2d")
def test_conv2d(case):
    three_modes(case)


@each_case_of("convn")
def test_convn(case):
    three_modes(case)


def three_modes(case):
    x, h = case["x"], kernel(case)
    for mode in MODES:
        build = lambda **options: conv(h, x.shape, mode, **options)  # noqa: B023, E731
        check_operator(case, mode, build, x, case.want(mode))


@each_case_of("matrix1d")
def test_matrix1d(case):
    for mode in MODES:
        check_matrix(case, mode, convmtx.Conv1d(case["h"], case["n"], mode), case.want(mode))


@each_case_of("matrix2d")
def test_matrix2d(case):
    for mode in MODES:
        for order in ("F", "C"):
            op = convmtx.Conv2d(case["h"], tuple(case["size"]), mode, order=order)
            check_matrix(case, f"{mode}_{order}", op, case.want(f"{mode}_{order}"))


@each_case_of("imfilter")
def test_imfilter(case):
    x, h, correlate = case["x"], case["h"], case["mode"] == "corr"
    for mode in ("same", "full"):
        build = lambda **options: conv(  # noqa: E731
            h, x.shape, mode, boundary=boundary(case), correlate=correlate, **options  # noqa: B023
        )
        check_operator(case, mode, build, x, case.want(mode))


@each_case_of("imfilter_matrix")
def test_imfilter_matrix(case):
    for mode in ("same", "full"):
        options = dict(boundary=boundary(case), correlate=case["mode"] == "corr", order="F")
        op = convmtx.Conv2d(case["h"], tuple(case["size"]), mode, **options)
        check_matrix(case, mode, op, case.want(mode))


@each_case_of("boundary1d")
def test_boundary1d(case):
    x, h = case["x"], case["h"]
    for mode in ("same", "full"):
        build = lambda **options: conv(h, x.shape, mode, boundary=boundary(case), **options)  # noqa: B023, E731
        check_operator(case, mode, build, x, case.want(mode))


@each_case_of("rowwise")
def test_rowwise(case):
    a, b = case["a"], case["b"]
    for mode in MODES:
        build = lambda **options: convmtx.RowwiseConv(b, a.shape, mode, **options)  # noqa: B023, E731
        check_operator(case, mode, build, a, case.want(mode))


def layer_options(case, *more):
    names = ("stride", "padding", "dilation", "groups", *more)
    return {name: tuple(v) if isinstance(v := case[name], list) else v for name in names}


@each_case_of("conv_layer")
def test_conv_layer(case):
    x, w, g = case["x"], case["w"], case["g"]
    op = convmtx.FilterBank.layer(w, x.shape[2:], **layer_options(case))
    assert op.dims == x.shape[1:] and op.dimsd == g.shape[1:]
    case.check("y", op.apply(x), case.want("y"))
    case.check("grad_x", op.apply_adjoint(g), case.want("grad_x"))
    case.check("grad_w", sum(op.adjoint_kernel(*member) for member in zip(x, g)), case.want("grad_w"))
    matrix = op.to_scipy()
    for i, (signal, weights) in enumerate(zip(x, g)):
        y, grad_x = case.want("y")[i], case.want("grad_x")[i]
        case.check(f"y of member {i} by the matrix", matrix @ signal.ravel(), y.ravel())
        case.check(f"grad_x of member {i} by the matrix", matrix.conj().T @ weights.ravel(), grad_x.ravel())


@each_case_of("conv_transpose")
def test_conv_transpose(case):
    x, w, y = case["x"], case["w"], case.want("y")
    op = convmtx.FilterBank.transposed_layer(w, x.shape[2:], **layer_options(case, "output_padding"))
    case.check("y", op.apply(x), y)
    # The same numbers as the adjoint of the layer with these weights, from signals of y's shape.
    layer = convmtx.FilterBank.layer(w, y.shape[2:], **layer_options(case))
    case.check("adjoint of the layer", layer.apply_adjoint(x), y)
    for member, want in zip(x, y):
        case.check("by the matrix", op.to_scipy() @ member.ravel(), want.ravel())
        case.check("by the layer's matrix", layer.to_scipy().conj().T @ member.ravel(), want.ravel())


@each_case_of("adjoint")
def test_adjoint(case):
    x, h, y = case["x"], case["h"], case["y"]
    signal, kernel = case.want("adjoint_signal"), case.want("adjoint_kernel")
    build = lambda **options: conv(h, x.shape, case["shape"], **options)  # noqa: E731
    check_operator(case, "ax", build, x, case.want("ax"))
    op = build()
    for engine in ("auto", "direct"):
        at_engine = build(engine=engine)
        case.check(f"adjoint_signal, {engine}", at_engine.apply_adjoint(y), signal)
        case.check(f"adjoint_signal by .H, {engine}", at_engine.H @ y.ravel(), signal.ravel())
    rounding = FFT_ROUNDING[signal.dtype.type]
    case.check("adjoint_signal, fft", build(engine="fft").apply_adjoint(y), signal, at_least=rounding)
    case.check("adjoint_signal by the matrix", op.to_scipy().conj().T @ y.ravel(), signal.ravel())
    case.check("transpose is not conjugated", op.T @ y.conj().ravel(), signal.conj().ravel())
    by_kernel = op.kernel_operator(x)
    case.check("adjoint_kernel", op.adjoint_kernel(x, y), kernel)
    case.check("adjoint_kernel by its operator", by_kernel.apply_adjoint(y), kernel)
    case.check("adjoint_kernel by its matrix", by_kernel.to_scipy().conj().T @ y.ravel(), kernel.ravel())
    case.check("ax by the kernel operator", by_kernel.apply(h), case.want("ax"))
    # ⟨Ax, y⟩ = ⟨x, Aᴴy⟩ = ⟨h, Hᴴy⟩
    inner = case.want("inner_product")
    for what, a, b in (("outputs", op.apply(x), y), ("signals", x, signal), ("kernels", h, kernel)):
        case.check(f"inner product of {what}", np.vdot(a, b), inner)


@each_case_of("conventions")
def test_conventions(case):
    x, h = case["x"], case["h"]
    for mode in MODES:
        for convention in ("scipy", "numpy"):
            build = lambda **options: conv(h, x.shape, mode, convention=convention, **options)  # noqa: B023, E731
            check_operator(case, f"{convention}_{mode}", build, x, case.want(f"{convention}_{mode}"))
        what = f"numpy_matrix_{mode}"
        check_matrix(case, what, conv(h, x.shape, mode, convention="numpy"), case.want(what))


@each_case_of("seeds")
def test_seeds(case):
    """The numbers of the three founding questions."""
    globals()[f"seed_{case.name}"](case)


def seed_001_scatter(case):
    vals, w0 = case["vals"], case["w0"]
    for what, mode in (("stack", "full"), ("cropped", "same")):
        build = lambda **options: convmtx.FilterBank(w0, vals.shape, mode, **options)  # noqa: B023, E731
        check_operator(case, what, build, vals, case.want(what))


def seed_001_kernel_gradient(case):
    # The gradient does not depend on the kernel that is there; ones hold its place.
    op = convmtx.Conv2d(np.ones((3, 3)), (5, 5), "same", correlate=True)
    for a, want in zip(case["a"], case.want("grad")):
        case.check("grad", op.adjoint_kernel(a, case["vals"]), want)


def seed_000_rowwise(case):
    a, b = case["a"], case["b"]
    for what in ("c", "c_torch"):
        build = lambda **options: convmtx.RowwiseConv(b, a.shape, **options)  # noqa: E731
        check_operator(case, what, build, a, case.want(what))


def seed_002_binomial50(case):
    for mode in MODES:
        check_matrix(case, mode, convmtx.Conv1d(case["h"], case["n"], mode), case.want(mode))


@each_case_of("errors")
def test_errors(case):
    """What must be refused, and what must come out empty."""
    if case["call"] == "rowwise":
        case.refuses("operator", lambda: convmtx.RowwiseConv(case["b"], case["a"].shape, case["shape"]))
        return
    n = case["n"] if "n" in case else case["x"].size
    build = lambda: convmtx.Conv1d(case["h"], n, case["shape"])  # noqa: E731
    if case["call"] == "solve_ls":
        op = build()
        case.refuses("rmatvec", lambda: op.rmatvec(case["b"]))
        case.refuses("rmatmat", lambda: op.rmatmat(case["b"][:, None]))
        case.refuses("apply_adjoint", lambda: op.apply_adjoint(case["b"]))
        return
    if case.want("error"):
        case.refuses("operator", build)
        return
    op = build()
    case.check("shape", op.shape, case.want("shape"))
    case.check("shape of the matrix", op.to_scipy().shape, case.want("shape"))
    case.check("product", op @ np.ones(n), np.empty(0))
