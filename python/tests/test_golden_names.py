"""Golden cases through the functions that carry other programs' names, with those programs' arguments."""

import numpy as np

import convmtx
from golden import MODES, each_case_of

# conv_mtx_1d and conv_mtx_2d take MATLAB's words or the numbers of the founding question.
SHAPE_NUMBERS = {"full": 1, "same": 2, "valid": 3}


def column(x):
    """MATLAB's X(:)."""
    return np.asarray(x).ravel(order="F")


@each_case_of("conv1d")
def test_conv(case):
    x, h = case["x"], case["h"]
    for shape in MODES:
        case.check(f"conv {shape}", convmtx.conv(x, h, shape), case.want(shape))
    case.check("conv", convmtx.conv(x, h), case.want("full"))
    case.check("convolve", convmtx.convolve(x, h), case.want("full"))
    rows = convmtx.convolve_rows(np.stack([x, -x]), h[None], "same")
    case.check("convolve_rows", rows[0], case.want("same"))
    case.check("convolve_rows", -rows[1], case.want("same"))


@each_case_of("conv2d")
def test_conv2(case):
    x = case["x"]
    for shape in MODES:
        if "h" in case:
            case.check(f"conv2 {shape}", convmtx.conv2(x, case["h"], shape), case.want(shape))
        else:
            u, v = case["u"], case["v"]
            case.check(f"conv2(u, v, X) {shape}", convmtx.conv2(u, v, x, shape), case.want(shape))
            h = np.multiply.outer(u, v)
            case.check(f"conv2 of the product {shape}", convmtx.conv2(x, h, shape), case.want(shape))


@each_case_of("convn")
def test_convn(case):
    for shape in MODES:
        case.check(f"convn {shape}", convmtx.convn(case["x"], case["h"], shape), case.want(shape))


@each_case_of("convmtx")
def test_convmtx(case):
    h, n, want = case["h"], case["n"], case.want("matrix")
    if case["orientation"] == "row":
        case.check_matrix("convmtx of a row", convmtx.convmtx(h[None], n), want)
        case.check_matrix("transpose of the operator", convmtx.Conv1d(h, n).T.to_scipy(), want)
        return
    case.check_matrix("convmtx", convmtx.convmtx(h, n), want)
    case.check_matrix("convmtx of a column", convmtx.convmtx(h[:, None], n), want)
    case.check_matrix("conv_mtx_1d", convmtx.conv_mtx_1d(h, n, 1), want)
    case.check_matrix("convolution_matrix", convmtx.convolution_matrix(h, n, "full"), want)
    case.check_matrix("operator", convmtx.Conv1d(h, n).to_scipy(), want)


@each_case_of("matrix1d")
def test_conv_mtx_1d(case):
    for shape in MODES:
        for name in (shape, SHAPE_NUMBERS[shape]):
            matrix = convmtx.conv_mtx_1d(case["h"], case["n"], name)
            case.check_matrix(f"conv_mtx_1d {name}", matrix, case.want(shape))


@each_case_of("matrix2d")
def test_conv_mtx_2d(case):
    h, (rows, cols) = case["h"], case["size"]
    case.check_matrix("convmtx2", convmtx.convmtx2(h, rows, cols), case.want("full_F"))
    for shape in MODES:
        for name in (shape, SHAPE_NUMBERS[shape]):
            matrix = convmtx.conv_mtx_2d(h, rows, cols, name)
            case.check_matrix(f"conv_mtx_2d {name}", matrix, case.want(f"{shape}_F"))


@each_case_of("imfilter")
def test_imfilter(case):
    word = case["boundary"]
    options = [] if word == "zero" else [case["value"] if word == "constant" else word]
    for shape in ("same", "full"):
        result = convmtx.imfilter(case["x"], case["h"], *options, shape, case["mode"])
        case.check(f"imfilter {shape}", result, case.want(shape))


@each_case_of("rowwise")
def test_convolve_rows(case):
    for mode in MODES:
        case.check(mode, convmtx.convolve_rows(case["a"], case["b"], mode), case.want(mode))


@each_case_of("adjoint")
def test_gradients(case):
    x, h, y, mode = case["x"], case["h"], case["y"], case["shape"]
    case.check("adjoint_signal", convmtx.adjoint_signal(h, y, x.shape, mode), case.want("adjoint_signal"))
    case.check("adjoint_kernel", convmtx.adjoint_kernel(x, y, h.shape, mode), case.want("adjoint_kernel"))


@each_case_of("conventions")
def test_scipy_names(case):
    x, h = case["x"], case["h"]
    for mode in MODES:
        case.check(f"convolve {mode}", convmtx.convolve(x, h, mode), case.want(f"scipy_{mode}"))
        matrix = convmtx.convolution_matrix(h, x.size, mode)
        case.check_matrix(f"convolution_matrix {mode}", matrix, case.want(f"numpy_matrix_{mode}"))


@each_case_of("deconv_poly")
def test_deconv(case):
    quotient, remainder = convmtx.deconv(case["y"], case["h"])
    case.check("q", quotient, case.want("q"))
    case.check("r", remainder, case.want("r"))


@each_case_of("matlab_doc")
def test_printed_by_matlab(case):
    globals()[f"matlab_{case['call']}"](case)


def matlab_conv(case):
    case.check("conv", convmtx.conv(case["x"], case["h"], case["shape"]), case.want("y"))


def matlab_conv2(case):
    x, h, y = case["x"], case["h"], case.want("y")
    case.check("conv2", convmtx.conv2(x, h, case["shape"]), y)
    if case["shape"] == "full":  # reshape(convmtx2(H, m, n)*X(:), size(H) + [m n] − 1)
        case.check("convmtx2", (convmtx.convmtx2(h, *x.shape) @ column(x)).reshape(y.shape, order="F"), y)


def matlab_imfilter(case):
    options = [] if case["boundary"] == "zero" else [case["boundary"]]
    result = convmtx.imfilter(case["x"], case["h"], *options, case["shape"], case["mode"])
    case.check("imfilter", result, case.want("y"))


def matlab_cconv(case):
    # Modulo n, for a signal of n samples.
    x, n = case["x"], case["n"]
    op = convmtx.Conv1d(case["h"], x.size, offset=0, output=n, boundary="periodic")
    case.check("cconv", op @ x, case.want("y"))


def matlab_convmtx(case):
    case.check("convmtx", convmtx.convmtx(case["h"][None], case["n"]).toarray(), case.want("y"))


def matlab_deconv_q(case):
    case.check("q", convmtx.deconv(case["y"], case["h"])[0], case.want("y"))


def matlab_deconv_r(case):
    case.check("r", convmtx.deconv(case["y"], case["h"])[1], case.want("y"))


@each_case_of("seeds")
def test_seeds(case):
    """The founding questions in one line each."""
    if case.name == "000_rowwise":
        case.check("convolve_rows", convmtx.convolve_rows(case["a"], case["b"]), case.want("c"))
    elif case.name == "001_scatter":
        stack = [convmtx.conv2(case["vals"], w) for w in case["w0"]]
        case.check("conv2", stack, case.want("stack"))
    elif case.name == "001_kernel_gradient":
        for a, want in zip(case["a"], case.want("grad")):
            gradient = convmtx.adjoint_kernel(a, case["vals"], (3, 3), "same", correlate=True)
            case.check("adjoint_kernel", gradient, want)
            rotated = convmtx.adjoint_kernel(a, case["vals"], (3, 3), "same")
            case.check("adjoint_kernel of the convolution", rotated[::-1, ::-1], want)
    else:
        for shape in MODES:
            matrix = convmtx.conv_mtx_1d(case["h"], case["n"], SHAPE_NUMBERS[shape])
            case.check_matrix(f"conv_mtx_1d {shape}", matrix, case.want(shape))


@each_case_of("errors")
def test_errors(case):
    if case["call"] == "rowwise":
        case.refuses("convolve_rows", lambda: convmtx.convolve_rows(case["a"], case["b"], case["shape"]))
    elif case["call"] == "convolve":
        case.refuses("conv", lambda: convmtx.conv(case["x"], case["h"], case["shape"]))
        case.refuses("convolve", lambda: convmtx.convolve(case["x"], case["h"], case["shape"]))
    elif case["call"] == "conv_matrix":
        build = lambda: convmtx.conv_mtx_1d(case["h"], case["n"], case["shape"])  # noqa: E731
        if case.want("error"):
            case.refuses("conv_mtx_1d", build)
        else:
            case.check("conv_mtx_1d", build().shape, case.want("shape"))
    else:
        matrix = convmtx.convmtx(case["h"], case["n"])
        for solver in ("lsqr", "lsmr", "cgls"):
            case.refuses(solver, lambda solver=solver: getattr(convmtx, solver)(matrix, case["b"]))
