"""Both gradients: the founding integers, the adjoint identities, and finite differences."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import convmtx as cm
import naive

MODES = ("full", "same", "valid")
SEEDS = Path(__file__).parents[2] / "tests" / "golden" / "seeds.json"


def seed(name):
    """Inputs and expected arrays of a founding question."""
    case = next(case for case in json.loads(SEEDS.read_text())["cases"] if case["id"] == f"seeds/{name}")

    def arrays(fields):
        return {
            key: np.reshape(v["data"], v["shape"]) for key, v in fields.items() if isinstance(v, dict) and "data" in v
        }

    return arrays(case["inputs"]), arrays(case["expected"])


def test_the_signals_gradient_of_the_founding_question():
    inputs, expected = seed("001_scatter")
    vals, w0 = inputs["vals"], inputs["w0"]
    assert expected["stack"].shape == (3, 7, 7) and expected["cropped"].shape == (3, 5, 5)
    stack = cm.adjoint_signal(w0, vals, (7, 7), "valid", correlate=True)  # one image, three kernels, one call
    assert (stack == expected["stack"]).all()
    assert (cm.adjoint_signal(w0, vals, (5, 5), "same", correlate=True) == expected["cropped"]).all()


def test_the_kernels_gradient_of_the_founding_question():
    inputs, expected = seed("001_kernel_gradient")
    vals, a = inputs["vals"], inputs["a"]
    gradient = cm.adjoint_kernel(a, vals, (3, 3), "same", correlate=True)
    assert (gradient == expected["grad"]).all()
    assert gradient[0].tolist() == [[4, 56, 8], [1, -20, 1], [22, 12, 21]]
    assert (cm.adjoint_kernel(a, vals, (3, 3), "same") == expected["grad"][:, ::-1, ::-1]).all()


@pytest.mark.parametrize("correlate", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_inner_products_agree_exactly_on_integers(mode, correlate, dtype):
    shapes = [((n,), (k,)) for n, k in naive.SHAPES_1D] + [((3, 4), (2, 3)), ((2, 3), (4, 2)), ((2, 3, 4), (2, 2, 3))]
    for n, k in shapes:
        x, h = naive.integers(n, 1, dtype=dtype), naive.integers(k, 2, dtype=dtype)
        forward = naive.matlab(x, np.flip(h) if correlate else h, mode)
        y = naive.integers(forward.shape, 3, dtype=dtype)
        if y.size == 0:
            continue
        signal = cm.adjoint_signal(h, y, n, mode, correlate=correlate)
        kernel = cm.adjoint_kernel(x, y, k, mode, correlate=correlate)
        assert signal.shape == n and kernel.shape == k
        assert np.vdot(forward, y) == np.vdot(x, signal) == np.vdot(h, kernel)


def test_geometry_is_that_of_the_operators():
    for boundary, stride, dilation in itertools.product(["zero", "periodic", "symmetric", "reflect"], [1, 2], [1, 2]):
        x, h = naive.integers((5, 6), 4), naive.integers((2, 3), 5)
        geometry = {"boundary": boundary, "stride": stride, "dilation": dilation}
        op = cm.Conv2d(h, (5, 6), "same", **geometry)
        y = naive.integers(op.dimsd, 6)
        signal, kernel = (
            cm.adjoint_signal(h, y, (5, 6), "same", **geometry),
            cm.adjoint_kernel(x, y, (2, 3), "same", **geometry),
        )
        assert np.vdot(op @ x, y) == np.vdot(x, signal) == np.vdot(h, kernel)


def test_leading_axes_are_broadcast():
    h, y, x = naive.integers((2, 1, 3), 7), naive.integers((4, 8), 8), naive.integers((2, 1, 6), 9)
    signal, kernel = cm.adjoint_signal(h, y, 6), cm.adjoint_kernel(x, y, 3)
    assert signal.shape == (2, 4, 6) and kernel.shape == (2, 4, 3)
    for i, j in np.ndindex(2, 4):
        assert (signal[i, j] == cm.adjoint_signal(h[i, 0], y[j], 6)).all()
        assert (kernel[i, j] == cm.adjoint_kernel(x[i, 0], y[j], 3)).all()
    assert (cm.adjoint_signal(h[0, 0], y, 6) == signal[0]).all()


@pytest.mark.parametrize("mode", MODES)
def test_gradients_of_the_misfit_by_finite_differences(mode):
    rng = np.random.default_rng(10)
    for n, k in [(6, 3), (6, 4), (5, 1)]:
        x, h = rng.standard_normal(n), rng.standard_normal(k)
        b = rng.standard_normal(cm.conv(x, h, mode).size)

        def misfit(x, h):
            return 0.5 * np.sum((cm.conv(x, h, mode) - b) ** 2)

        y, step = cm.conv(x, h, mode) - b, 1e-6
        by_x = [(misfit(x + step * e, h) - misfit(x - step * e, h)) / (2 * step) for e in np.eye(n)]
        by_h = [(misfit(x, h + step * e) - misfit(x, h - step * e)) / (2 * step) for e in np.eye(k)]
        np.testing.assert_allclose(cm.adjoint_signal(h, y, n, mode), by_x, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(cm.adjoint_kernel(x, y, k, mode), by_h, rtol=1e-6, atol=1e-7)


def test_dtypes_are_kept():
    assert cm.adjoint_signal(np.ones(2, np.float32), np.ones(4, np.float32), 3).dtype == np.float32
    assert cm.adjoint_kernel(np.ones(3, np.float32), np.ones(4, np.complex64), 2).dtype == np.complex64
    assert cm.adjoint_kernel([1, 2, 3], [1, 2, 3, 4], 2).dtype == np.float64


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: cm.adjoint_signal([1, 2], [1, 2, 3], 3), "shape"),
        (lambda: cm.adjoint_kernel([1, 2], [1, 2, 3], 3), "shape"),
        (lambda: cm.adjoint_signal([], [1], 3), "h is empty"),
        (lambda: cm.adjoint_signal([1], [1], (1, 1, 1, 1)), "one to three"),
        (lambda: cm.adjoint_signal([1], [[1]], (1, 1)), "at least 2 dimensions"),
        (lambda: cm.adjoint_signal([1], [1], 1, "middle"), "'full'"),
    ],
)
def test_refusals_say_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("order", ["C", "F"])
def test_gradients_of_a_batch_are_summed(order):
    rng = np.random.default_rng(5)
    draw = lambda *shape: rng.integers(-4, 5, shape).astype(float)
    layer = cm.Layer(draw(4, 3, 3, 2), (9, 17), padding=1, stride=(2, 1))
    image = cm.Conv2d(draw(3, 2), (9, 17), "same", boundary="symmetric", order=order)
    for op in (layer, image):
        x, y = draw(2, 3, *op.dims), draw(2, 3, *op.dimsd)
        expected = sum(op.adjoint_kernel(x[at], y[at]) for at in np.ndindex(2, 3))
        assert np.array_equal(op.adjoint_kernel(x, y), expected)
        assert op.adjoint_kernel(x, y).shape == op.kernel.shape
        with pytest.raises(ValueError, match="batch"):
            op.adjoint_kernel(x, y[:1])
        with pytest.raises(ValueError, match="x has shape"):
            op.adjoint_kernel(x[..., 1:], y)
