//! What exists for real element types only: the step from a dtype to generic code.

use ndarray::{ArrayView2, Ix2};
use numpy::{Element, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Runs `$body` with `$T` standing for the real element type that NumPy calls `$dtype`.
macro_rules! real {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            "float32" => {
                type $T = f32;
                $body
            }
            "float64" => {
                type $T = f64;
                $body
            }
            other => Err($crate::python::reals::not_real(other)),
        }
    };
}
pub(crate) use real;

/// NumPy's name of the element type of an array.
pub fn dtype_of(array: &Bound<PyAny>) -> PyResult<String> {
    let array = array.cast::<PyUntypedArray>().map_err(|_| PyTypeError::new_err("expected a NumPy array"))?;
    Ok(array.dtype().to_string())
}

pub fn not_real(found: &str) -> PyErr {
    PyTypeError::new_err(format!("dtype is {found}, expected float32 or float64"))
}

/// An array of two axes as such.
pub fn matrix<'a, T: Element>(what: &str, array: &'a PyReadonlyArrayDyn<T>) -> PyResult<ArrayView2<'a, T>> {
    let view = array.as_array();
    let axes = view.ndim();
    view.into_dimensionality::<Ix2>()
        .map_err(|_| PyValueError::new_err(format!("{what} has {axes} axes, expected rows and columns")))
}
