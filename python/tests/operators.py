"""One operator of every class and option that matters, for tests that hold for all of them."""

import numpy as np

import convmtx


def each():
    """Name and operator; small, real and complex, square, tall and wide."""
    rng = np.random.default_rng(11)
    taps = lambda *shape: rng.integers(-9, 10, shape).astype(float)  # noqa: E731
    complex_taps = lambda *shape: taps(*shape) + 1j * taps(*shape)  # noqa: E731
    layer = convmtx.FilterBank.layer
    line = convmtx.Conv1d(taps(3), 9, "same")
    operators = {
        "Conv1d full": convmtx.Conv1d(taps(4), 11),
        "Conv1d valid, complex": convmtx.Conv1d(complex_taps(3), 8, "valid"),
        "Conv1d f32, strided": convmtx.Conv1d(taps(3).astype(np.float32), 12, "same", stride=2, dilation=2),
        "Conv1d c64": convmtx.Conv1d(complex_taps(3).astype(np.complex64), 6),
        "Conv1d window, periodic": convmtx.Conv1d(taps(5), 7, offset=-2, output=9, boundary="periodic"),
        "Conv1d fft": convmtx.Conv1d(taps(5), 20, "same", engine="fft"),
        "Conv1d constant": convmtx.Conv1d(taps(3), 6, "same", boundary=2.5),
        "Conv2d symmetric": convmtx.Conv2d(taps(3, 2), (5, 6), "same", boundary="symmetric"),
        "Conv2d column-major": convmtx.Conv2d(complex_taps(2, 3), (4, 5), order="F"),
        "Conv3d": convmtx.Conv3d(taps(2, 2, 3), (3, 4, 5), "same"),
        "RowwiseConv": convmtx.RowwiseConv(taps(3, 4), (3, 6), "full"),
        "FilterBank": convmtx.FilterBank(taps(3, 2, 2), (4, 5), "same"),
        "layer": layer(taps(4, 2, 3), (7,), stride=2, padding=1, groups=2),
        "transposed layer": convmtx.FilterBank.transposed_layer(taps(2, 3, 3), (4,), stride=2, padding=1),
        "KernelOperator": line.kernel_operator(taps(9)),
        "Identity": convmtx.Identity(5),
        "Diagonal": convmtx.Diagonal(complex_taps(6)),
        "Difference": convmtx.Difference(8, order=2),
        "Gradient2d": convmtx.Gradient2d((4, 5)),
        "VStack": convmtx.VStack([line, convmtx.Difference(9)]),
        "HStack": convmtx.HStack([line, convmtx.Identity(9)]),
        "BlockDiagonal": convmtx.BlockDiagonal([line, convmtx.Identity(4)]),
        "adjoint": convmtx.Conv1d(complex_taps(3), 6).H,
        "transpose": convmtx.Conv1d(complex_taps(3), 6).T,
        "sum": line + 2 * convmtx.Identity(9),
        "difference": line - convmtx.Identity(9),
        "product": convmtx.Difference(9) @ line,
        "negative": -line,
        "power": line**3,
    }
    return operators.items()


def names():
    return [name for name, _ in each()]


def named(name):
    return dict(each())[name]
