//! Pictures from and to files.

use super::arrays::borrow;
use crate::Error;
use crate::io::{self, Depth, Image};
use ndarray::{Array3, Axis, Ix3, stack};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use std::path::PathBuf;

/// `(height, width, channels)`, alpha last if there is one.
#[pyfunction]
fn read_image(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let picture = py.detach(|| -> crate::Result<Array3<f64>> {
        let image = io::read_image(path)?;
        let channels: Vec<_> = image.planes.iter().chain(&image.alpha).map(|p| p.view()).collect();
        stack(Axis(2), &channels).map_err(|e| Error::value("the picture", "planes of one shape", e))
    })?;
    Ok(picture.into_pyarray(py).into_any())
}

/// Writes `(height, width, channels)`; two and four channels have alpha.
#[pyfunction]
fn write_image(py: Python<'_>, path: PathBuf, picture: &Bound<PyAny>, bits: u8) -> PyResult<()> {
    let picture = borrow::<f64>("the picture", picture)?;
    let picture = picture.as_array().into_dimensionality::<Ix3>();
    let picture = picture.map_err(|e| Error::value("the picture", "three axes", e))?;
    let mut planes: Vec<_> = picture.axis_iter(Axis(2)).map(|plane| plane.to_owned()).collect();
    let alpha = if planes.len().is_multiple_of(2) { planes.pop() } else { None };
    let depth = if bits == 16 { Depth::U16 } else { Depth::U8 };
    Ok(py.detach(|| io::write_image(path, &Image::new(planes, alpha, depth)?))?)
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(read_image, m)?)?;
    m.add_function(wrap_pyfunction!(write_image, m)?)
}
