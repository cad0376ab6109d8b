//! Seeded noise, and how strong it is.

use super::arrays::borrow;
use super::reals::{dtype_of, real};
use crate::noise;
use numpy::IntoPyArray;
use pyo3::prelude::*;

#[pyfunction]
fn noise_gaussian<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    sigma: f64,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    real!(dtype_of(x)?.as_str(), T => {
        let x = borrow::<T>("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| noise::gaussian(&x, sigma, seed))?.into_pyarray(py).into_any())
    })
}

#[pyfunction]
fn noise_poisson<'py>(
    py: Python<'py>,
    x: &Bound<'py, PyAny>,
    peak: f64,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    real!(dtype_of(x)?.as_str(), T => {
        let x = borrow::<T>("x", x)?;
        let x = x.as_array();
        Ok(py.detach(|| noise::poisson(&x, peak, seed))?.into_pyarray(py).into_any())
    })
}

#[pyfunction]
fn bsnr(py: Python, blurred: &Bound<PyAny>, sigma: f64) -> PyResult<f64> {
    real!(dtype_of(blurred)?.as_str(), T => {
        let blurred = borrow::<T>("blurred", blurred)?;
        let blurred = blurred.as_array();
        Ok(py.detach(|| noise::bsnr(&blurred, sigma))?)
    })
}

#[pyfunction]
fn sigma_for_bsnr(py: Python, blurred: &Bound<PyAny>, bsnr: f64) -> PyResult<f64> {
    real!(dtype_of(blurred)?.as_str(), T => {
        let blurred = borrow::<T>("blurred", blurred)?;
        let blurred = blurred.as_array();
        Ok(py.detach(|| noise::sigma_for_bsnr(&blurred, bsnr))?)
    })
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(noise_gaussian, m)?)?;
    m.add_function(wrap_pyfunction!(noise_poisson, m)?)?;
    m.add_function(wrap_pyfunction!(bsnr, m)?)?;
    m.add_function(wrap_pyfunction!(sigma_for_bsnr, m)?)
}
