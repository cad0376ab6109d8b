"""PSFs are their formulas."""

import math

import numpy as np
import pytest

import convmtx
from convmtx import psf

MAKERS = [
    lambda dtype: psf.gaussian((5, 8), 1.3, dtype=dtype),
    lambda dtype: psf.gaussian_elliptic((7, 6), (2.0, 0.7), 25, dtype=dtype),
    lambda dtype: psf.motion(7.5, 33, dtype=dtype),
    lambda dtype: psf.disk(3.4, dtype=dtype),
    lambda dtype: psf.boxcar((2, 3), dtype=dtype),
    lambda dtype: psf.parse("gaussian:size=9x4,sigma=2", dtype=dtype),
]


def coordinates(rows, columns):
    """Rows upwards and columns, from the middle of the array."""
    return np.ogrid[(rows - 1) / 2 : -rows / 2 : -1, -(columns - 1) / 2 : columns / 2]


@pytest.mark.parametrize("make", MAKERS)
def test_every_psf_sums_to_one_and_float32_is_the_rounded_float64(make):
    wide, narrow = make(np.float64), make("float32")
    assert wide.dtype == np.float64 and narrow.dtype == np.float32
    assert abs(wide.sum() - 1) < 1e-14
    assert np.array_equal(wide.astype(np.float32), narrow)
    assert wide.flags.writeable and wide.flags.c_contiguous


def test_gaussian_is_its_formula():
    for size, sigma in [((5, 5), 1.0), ((4, 7), 2.5), ((1, 9), 0.4)]:
        y, x = coordinates(*size)
        expected = np.exp(-(y**2 + x**2) / (2 * sigma**2))
        np.testing.assert_allclose(psf.gaussian(size, sigma), expected / expected.sum(), rtol=1e-13)
    assert np.array_equal(psf.gaussian(9, 2), psf.gaussian((9, 9), 2.0))


def test_elliptic_gaussian_is_its_formula():
    angle, (along, across) = math.radians(30), (3.0, 1.2)
    y, x = coordinates(11, 8)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    expected = np.exp(-(u**2) / (2 * along**2) - v**2 / (2 * across**2))
    np.testing.assert_allclose(psf.gaussian_elliptic((11, 8), (3.0, 1.2), 30), expected / expected.sum(), rtol=1e-12)


def test_motion_is_the_distance_from_a_segment():
    for length, angle in [(9, 30), (4.5, 100), (15, -20)]:
        h = psf.motion(length, angle)
        y, x = coordinates(*h.shape)
        cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        along, across = x * cosine + y * sine, y * cosine - x * sine
        distance = np.hypot(np.maximum(np.abs(along) - (length - 1) / 2, 0), across)
        expected = np.maximum(1 - distance, 0)
        np.testing.assert_allclose(h, expected / expected.sum(), atol=1e-12)
        assert h[0].any() and h[:, 0].any()  # no row or column is there for nothing


def test_disk_is_the_area_of_every_pixel_within_the_circle():
    parts = 400
    for radius in (0.9, 2.0, 3.7):
        h = psf.disk(radius)
        side = np.linspace(-len(h) / 2, len(h) / 2, len(h) * parts, endpoint=False) + 0.5 / parts
        inside = side[:, None] ** 2 + side**2 <= radius**2
        areas = inside.reshape(len(h), parts, len(h), parts).mean((1, 3))
        np.testing.assert_allclose(h, areas / (math.pi * radius**2), atol=1 / parts / radius**2)
    assert math.isclose(psf.disk(3)[3, 3], 1 / (9 * math.pi), rel_tol=1e-14)


def test_texts_are_the_functions():
    assert np.array_equal(psf.parse("gaussian:sigma=1.5"), psf.gaussian(11, 1.5))
    assert np.array_equal(psf.parse("motion:length=15,angle=30"), psf.motion(15, 30))
    assert np.array_equal(psf.parse("disk:radius=4"), psf.disk(4))
    assert np.array_equal(psf.parse("box:size=9x5"), psf.boxcar((9, 5)))
    assert psf.describe("motion:length=15") == "motion:length=15,angle=0"


def test_measured_psfs():
    values = np.arange(1.0, 7).reshape(2, 3)
    assert np.array_equal(psf.from_array(values.T[::-1]), values.T[::-1] / 21)
    assert psf.from_array(values.astype(np.float32)).dtype == np.float32
    assert np.array_equal(values, np.arange(1.0, 7).reshape(2, 3))  # a copy was scaled
    assert np.array_equal(psf.normalise(np.full((2, 2, 2), 3, np.uint8)), np.full((2, 2, 2), 0.125))


def test_recentring_puts_the_point_on_the_centre():
    values = np.zeros((4, 6))
    values[0, 5], values[1, 4] = 5, 1
    for on, point in [("peak", (0, 5)), ("mass", (0, 5)), ((1, 4), (1, 4)), ((3, 0), (3, 0))]:
        h = psf.recentre(values, on)
        assert h[psf.centre(h.shape)] == values[point]
        assert h.sum() == 6
    for shape in [(3, 3), (9, 2), 7]:
        h = psf.resize(values, shape)
        assert h.shape == ((shape, shape) if shape == 7 else shape)
        assert h[psf.centre(h.shape)] == values[psf.centre(values.shape)]


def test_a_psf_blurs_a_constant_to_itself():
    A = convmtx.Conv2d(psf.disk(2.5), (20, 30), "same", boundary="reflect")
    np.testing.assert_allclose(A @ np.ones((20, 30)), 1, rtol=1e-14)


@pytest.mark.parametrize(
    "error, text, call",
    [
        (ValueError, "sigma of the Gaussian PSF is 0, expected a finite number above 0", lambda: psf.gaussian(3, 0)),
        (ValueError, "size of the PSF is 0x3", lambda: psf.gaussian((0, 3), 1)),
        (ValueError, "size is -1, expected at least 0", lambda: psf.boxcar(-1)),
        (ValueError, "size has 3 values, expected 2", lambda: psf.boxcar((1, 2, 3))),
        (ValueError, "at most", lambda: psf.boxcar(2**40)),
        (ValueError, "at most", lambda: psf.boxcar(2**80)),
        (TypeError, "size is 2.5, expected a whole number", lambda: psf.boxcar(2.5)),
        (TypeError, "dtype is complex128, expected float32 or float64", lambda: psf.disk(2, dtype=complex)),
        (ValueError, "length of the motion PSF", lambda: psf.motion(0.5)),
        (ValueError, "angle of the PSF", lambda: psf.motion(5, math.nan)),
        (ValueError, "radius of the disk PSF", lambda: psf.disk(-1)),
        (ValueError, "expected one of gaussian, motion, disk, box", lambda: psf.parse("gausian:sigma=1")),
        (ValueError, "key of the disk PSF is size, expected one of radius", lambda: psf.parse("disk:size=1")),
        (ValueError, "sum of the PSF", lambda: psf.normalise([1, -1])),
        (ValueError, "values has 1 axes, expected rows and columns", lambda: psf.from_array([1.0])),
        (ValueError, "the PSF has 3 axes, expected rows and columns", lambda: psf.resize(np.ones((2, 2, 2)), 3)),
        (ValueError, "has the value NaN at index 1", lambda: psf.from_array([[1.0, math.nan]])),
        (TypeError, "values is complex, expected real numbers", lambda: psf.from_array([[1j]])),
        (ValueError, "on is 'middle', expected one of 'peak', 'mass'", lambda: psf.recentre([[1.0]], "middle")),
        (ValueError, "centre of the PSF is (1, 0), expected", lambda: psf.recentre([[1.0]], (1, 0))),
        (TypeError, "on is 3, expected 'peak', 'mass', or a row and column", lambda: psf.recentre([[1.0]], 3)),
    ],
)
def test_impossible_requests_are_errors_that_say_why(error, text, call):
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)


@pytest.mark.parametrize("value", ["3", None, [3], 1j])
def test_widths_are_numbers_and_named(value):
    for name, make in [("sigma", lambda v: psf.gaussian(3, v)), ("length", psf.motion), ("radius", psf.disk)]:
        with pytest.raises(TypeError, match=f"^{name} is .*, expected a real number"):
            make(value)
