//! Point-spread functions: those with a formula by dtype, measured ones by the dtype of their array.

use super::arrays::borrow;
use super::reals::{dtype_of, matrix, real};
use crate::psf::{self, Centre, Psf};
use ndarray::Array2;
use numpy::{Element, IntoPyArray};
use pyo3::prelude::*;

type Given<'py> = PyResult<Bound<'py, PyAny>>;

fn give<T: Element>(py: Python<'_>, psf: Array2<T>) -> Given<'_> {
    Ok(psf.into_pyarray(py).into_any())
}

#[pyfunction]
fn psf_gaussian<'py>(py: Python<'py>, dtype: &str, size: (usize, usize), sigma: f64) -> Given<'py> {
    real!(dtype, T => give(py, py.detach(|| psf::gaussian::<T>(size, sigma))?))
}

#[pyfunction]
fn psf_gaussian_elliptic<'py>(
    py: Python<'py>,
    dtype: &str,
    size: (usize, usize),
    sigma: (f64, f64),
    angle: f64,
) -> Given<'py> {
    real!(dtype, T => give(py, py.detach(|| psf::gaussian_elliptic::<T>(size, sigma, angle))?))
}

#[pyfunction]
fn psf_motion<'py>(py: Python<'py>, dtype: &str, length: f64, angle: f64) -> Given<'py> {
    real!(dtype, T => give(py, py.detach(|| psf::motion::<T>(length, angle))?))
}

#[pyfunction]
fn psf_disk<'py>(py: Python<'py>, dtype: &str, radius: f64) -> Given<'py> {
    real!(dtype, T => give(py, py.detach(|| psf::disk::<T>(radius))?))
}

#[pyfunction]
fn psf_boxcar<'py>(py: Python<'py>, dtype: &str, size: (usize, usize)) -> Given<'py> {
    real!(dtype, T => give(py, py.detach(|| psf::boxcar::<T>(size))?))
}

/// The PSF of a text such as `gaussian:size=9,sigma=4`.
#[pyfunction]
fn psf_parse<'py>(py: Python<'py>, dtype: &str, text: &str) -> Given<'py> {
    let named: Psf = text.parse()?;
    real!(dtype, T => give(py, py.detach(|| named.to_array::<T>())?))
}

/// The text with every default filled in.
#[pyfunction]
fn psf_describe(text: &str) -> PyResult<String> {
    Ok(text.parse::<Psf>()?.to_string())
}

/// A copy that sums to one, of any number of axes.
#[pyfunction]
fn psf_normalise<'py>(py: Python<'py>, values: &Bound<'py, PyAny>) -> Given<'py> {
    real!(dtype_of(values)?.as_str(), T => {
        let mut scaled = borrow::<T>("values", values)?.as_array().as_standard_layout().into_owned();
        psf::normalise(&mut scaled)?;
        Ok(scaled.into_pyarray(py).into_any())
    })
}

/// Zeros added so that a point lies on the centre: that of a word, or a row and column.
#[pyfunction]
fn psf_recentre<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyAny>,
    word: &str,
    at: Option<(usize, usize)>,
) -> Given<'py> {
    let on = match at {
        Some((row, column)) => Centre::At(row, column),
        None => super::words::centre(word)?,
    };
    real!(dtype_of(values)?.as_str(), T => {
        give(py, psf::recentre(&matrix("the PSF", &borrow::<T>("values", values)?)?, on)?)
    })
}

#[pyfunction]
fn psf_resize<'py>(py: Python<'py>, values: &Bound<'py, PyAny>, shape: (usize, usize)) -> Given<'py> {
    real!(dtype_of(values)?.as_str(), T => {
        give(py, psf::resize(&matrix("the PSF", &borrow::<T>("values", values)?)?, shape)?)
    })
}

#[pyfunction]
fn psf_centre(shape: (usize, usize)) -> (usize, usize) {
    psf::centre(shape)
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(psf_gaussian, m)?)?;
    m.add_function(wrap_pyfunction!(psf_gaussian_elliptic, m)?)?;
    m.add_function(wrap_pyfunction!(psf_motion, m)?)?;
    m.add_function(wrap_pyfunction!(psf_disk, m)?)?;
    m.add_function(wrap_pyfunction!(psf_boxcar, m)?)?;
    m.add_function(wrap_pyfunction!(psf_parse, m)?)?;
    m.add_function(wrap_pyfunction!(psf_describe, m)?)?;
    m.add_function(wrap_pyfunction!(psf_normalise, m)?)?;
    m.add_function(wrap_pyfunction!(psf_recentre, m)?)?;
    m.add_function(wrap_pyfunction!(psf_resize, m)?)?;
    m.add_function(wrap_pyfunction!(psf_centre, m)?)
}
