"""Noise is reproducible and has the moments it should have."""

import math

import numpy as np
import pytest

from convmtx import noise


def test_gaussian_moments():
    z = noise.gaussian(np.zeros(200_000), 1, seed=1)
    assert abs(z.mean()) < 5 / math.sqrt(z.size) and abs(z.std() - 1) < 0.01
    assert abs(np.mean(z**3)) < 0.05 and abs(np.mean(z**4) - 3) < 0.1


def test_poisson_moments():
    for mean, peak in [(0.4, 5), (0.5, 200)]:
        y = noise.poisson(np.full(200_000, mean), peak, seed=1)
        assert abs(y.mean() - mean) < 5 * math.sqrt(mean / peak / y.size)
        assert abs(y.var() * peak / mean - 1) < 0.02
        np.testing.assert_allclose(y * peak, np.rint(y * peak), atol=1e-9)


def test_one_stream_for_all_layouts_and_dtypes():
    x = np.arange(12.0).reshape(3, 4)
    for draw in (lambda x: noise.gaussian(x, 0.5, 3), lambda x: noise.poisson(x, 9, 3)):
        y = draw(x)
        assert np.array_equal(y, draw(np.asfortranarray(x)))
        assert np.array_equal(y.astype(np.float32), draw(x.astype(np.float32)))
        assert np.array_equal(y, draw(x.astype(int)))
        assert not np.shares_memory(x, y)
    assert not np.array_equal(noise.gaussian(x, 0.5, 3), noise.gaussian(x, 0.5, 4))
    assert np.array_equal(noise.gaussian(x, 0, 3), x)


def test_levels_are_inverse_to_each_other():
    x = np.random.default_rng(0).random((20, 30))
    sigma = noise.sigma_for_bsnr(x, 40)
    assert math.isclose(sigma, x.std() / 100, rel_tol=1e-12)
    assert math.isclose(noise.bsnr(x, sigma), 40, rel_tol=1e-12)
    assert noise.bsnr(x, 0) == math.inf


@pytest.mark.parametrize(
    "error, text, call",
    [
        (ValueError, "sigma of the noise is -1", lambda: noise.gaussian([1.0], -1, 0)),
        (ValueError, "peak of the Poisson noise is 0", lambda: noise.poisson([1.0], 0, 0)),
        (ValueError, "smallest element for Poisson noise is -1", lambda: noise.poisson([-1.0], 1, 0)),
        (ValueError, "variance of the blurred picture is 0", lambda: noise.bsnr([1.0, 1.0], 1)),
        (ValueError, "BSNR is inf", lambda: noise.sigma_for_bsnr([1.0, 2.0], math.inf)),
        (ValueError, "seed is -1, expected at least 0", lambda: noise.gaussian([1.0], 1, -1)),
        (ValueError, f"expected at most {2**64 - 1}", lambda: noise.gaussian([1.0], 1, 2**64)),
        (TypeError, "seed is 0.5, expected a whole number", lambda: noise.gaussian([1.0], 1, 0.5)),
        (TypeError, "x is complex", lambda: noise.gaussian([1j], 1, 0)),
    ],
)
def test_impossible_requests_are_errors_that_say_why(error, text, call):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)
