"""Metrics against scikit-image and their formulas."""

import math

import numpy as np
import pytest

from convmtx import metrics

rng = np.random.default_rng(5)
X, Y = rng.random((31, 24)), rng.random((31, 24))


def test_formulas():
    assert math.isclose(metrics.mse(X, Y), np.mean((X - Y) ** 2), rel_tol=1e-13)
    assert math.isclose(metrics.psnr(X, Y, 2), 10 * math.log10(4 / np.mean((X - Y) ** 2)), rel_tol=1e-13)
    error = np.linalg.norm(X - Y) / np.linalg.norm(Y)
    assert math.isclose(metrics.relative_error(X, Y), error, rel_tol=1e-13)
    better = Y + 0.1 * (X - Y)
    assert math.isclose(metrics.isnr(X, better, Y), 20, rel_tol=1e-12)
    assert metrics.isnr(X, X, Y) == 0 and metrics.isnr(X, Y, Y) == math.inf
    assert type(metrics.mse(X, Y)) is float


def test_scikit_image_agrees():
    skimage = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed: SSIM has no judge")
    assert math.isclose(metrics.mse(X, Y), skimage.mean_squared_error(X, Y), rel_tol=1e-13)
    assert math.isclose(metrics.psnr(X, Y, 1), skimage.peak_signal_noise_ratio(Y, X, data_range=1), rel_tol=1e-13)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for other, peak in [(Y, 1), (X + 0.05 * Y, 1), (255 * X, 255)]:
        expected = skimage.structural_similarity(X, other, data_range=peak, **settings)
        assert math.isclose(metrics.ssim(X, other, peak), expected, rel_tol=1e-9), peak


def test_any_layout_and_dtype_is_the_same_picture():
    expected = metrics.ssim(X, Y, 1)
    wide = np.zeros((62, 24))
    wide[::2] = X
    assert metrics.ssim(wide[::2], np.asfortranarray(Y), 1) == expected
    assert metrics.ssim(X[::-1, ::-1], Y[::-1, ::-1], 1) == pytest.approx(expected, rel=1e-12)
    assert metrics.mse(X.astype(np.float32), Y) == metrics.mse(X.astype(np.float32).astype(float), Y)
    assert metrics.mse(np.uint8([0, 255]), np.uint8([255, 0])) == 255**2  # no wrapping round


@pytest.mark.parametrize(
    "error, text, call",
    [
        (ValueError, "the picture has shape", lambda: metrics.mse(X, Y[:-1])),
        (ValueError, "the restored picture has shape", lambda: metrics.isnr(X, X[:2], X)),
        (ValueError, "empty", lambda: metrics.mse([], [])),
        (ValueError, "peak is 0, expected a finite number above 0", lambda: metrics.psnr(X, Y, 0)),
        (ValueError, "expected at least 11x11", lambda: metrics.ssim(X[:5], Y[:5], 1)),
        (ValueError, "expected rows and columns", lambda: metrics.ssim(X[None], Y[None], 1)),
        (ValueError, "norm of the reference is 0", lambda: metrics.relative_error([1.0], [0.0])),
        (TypeError, "a is complex, expected real numbers", lambda: metrics.mse([1j], [1])),
    ],
)
def test_impossible_requests_are_errors_that_say_why(error, text, call):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)
