//! How good a restoration is: two or three arrays of one real dtype in, a number out.

use super::arrays::borrow;
use super::reals::{dtype_of, matrix, real};
use crate::metrics;
use pyo3::prelude::*;

#[pyfunction]
fn mse(py: Python, a: &Bound<PyAny>, reference: &Bound<PyAny>) -> PyResult<f64> {
    real!(dtype_of(a)?.as_str(), T => {
        let (a, reference) = (borrow::<T>("the picture", a)?, borrow::<T>("reference", reference)?);
        let (a, reference) = (a.as_array(), reference.as_array());
        Ok(py.detach(|| metrics::mse(&a, &reference))?)
    })
}

#[pyfunction]
fn psnr(py: Python, a: &Bound<PyAny>, reference: &Bound<PyAny>, peak: f64) -> PyResult<f64> {
    real!(dtype_of(a)?.as_str(), T => {
        let (a, reference) = (borrow::<T>("the picture", a)?, borrow::<T>("reference", reference)?);
        let (a, reference) = (a.as_array(), reference.as_array());
        Ok(py.detach(|| metrics::psnr(&a, &reference, peak))?)
    })
}

#[pyfunction]
fn isnr(
    py: Python,
    degraded: &Bound<PyAny>,
    restored: &Bound<PyAny>,
    reference: &Bound<PyAny>,
) -> PyResult<f64> {
    real!(dtype_of(degraded)?.as_str(), T => {
        let (degraded, restored) = (borrow::<T>("degraded", degraded)?, borrow::<T>("restored", restored)?);
        let reference = borrow::<T>("reference", reference)?;
        let (degraded, restored, reference) = (degraded.as_array(), restored.as_array(), reference.as_array());
        Ok(py.detach(|| metrics::isnr(&degraded, &restored, &reference))?)
    })
}

#[pyfunction]
fn relative_error(py: Python, x: &Bound<PyAny>, reference: &Bound<PyAny>) -> PyResult<f64> {
    real!(dtype_of(x)?.as_str(), T => {
        let (x, reference) = (borrow::<T>("x", x)?, borrow::<T>("reference", reference)?);
        let (x, reference) = (x.as_array(), reference.as_array());
        Ok(py.detach(|| metrics::relative_error(&x, &reference))?)
    })
}

#[pyfunction]
fn ssim(py: Python, a: &Bound<PyAny>, reference: &Bound<PyAny>, peak: f64) -> PyResult<f64> {
    real!(dtype_of(a)?.as_str(), T => {
        let (a, reference) = (borrow::<T>("the picture", a)?, borrow::<T>("reference", reference)?);
        let (a, reference) = (matrix("the picture", &a)?, matrix("reference", &reference)?);
        Ok(py.detach(|| metrics::ssim(&a, &reference, peak))?)
    })
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(mse, m)?)?;
    m.add_function(wrap_pyfunction!(psnr, m)?)?;
    m.add_function(wrap_pyfunction!(isnr, m)?)?;
    m.add_function(wrap_pyfunction!(relative_error, m)?)?;
    m.add_function(wrap_pyfunction!(ssim, m)?)
}
