//! Arrays in without a copy, arrays out that own the library's memory.

use super::element::Entry;
use crate::memory;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Dimension, IxDyn, ShapeBuilder};
use numpy::{
    BorrowError, IntoPyArray, PyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyReadwriteArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// An array of `T` in any layout; the caller's memory.
pub fn borrow<'py, T: Entry>(what: &str, array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let typed = array.cast::<PyArrayDyn<T>>().map_err(|_| {
        let found = array.getattr("dtype").map_or_else(|_| array.get_type().to_string(), |d| d.to_string());
        PyTypeError::new_err(format!("{what} has dtype {found}, expected {}", T::NAME))
    })?;
    typed.try_readonly().map_err(|_| in_use(what))
}

/// An array of `T` to write into; the caller's memory.
pub fn borrow_mut<'py, T: Entry, D: Dimension>(
    what: &str,
    array: &Bound<'py, PyAny>,
) -> PyResult<PyReadwriteArray<'py, T, D>> {
    let refuse = |expected: &str| PyTypeError::new_err(format!("{what} is not {expected}"));
    let kind = if D::NDIM == Some(1) { "a vector" } else { "an array" };
    let array = array.cast::<PyArray<T, D>>().map_err(|_| refuse(&format!("{kind} of {}", T::NAME)))?;
    array.try_readwrite().map_err(|error| match error {
        BorrowError::NotWriteable => refuse("writable"),
        _ => in_use(what),
    })
}

/// What another thread writes is not read, and what it reads is not written, while it runs without the interpreter's lock.
fn in_use(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} is in use by a product that still runs, expected memory that no other thread writes or reads; \
         give every thread an array of its own"
    ))
}

/// The elements as a vector of our own, on huge pages if there are many.
pub fn owned<T: Entry>(what: &'static str, array: &Bound<PyAny>) -> PyResult<Vec<T>> {
    let array: PyReadonlyArrayDyn<T> = borrow(what, array)?;
    Ok(memory::copied(what, &elements(&array))?)
}

/// The elements in row-major order, copied only if they are not adjacent.
pub fn elements<'a, T: Entry>(array: &'a PyReadonlyArrayDyn<T>) -> std::borrow::Cow<'a, [T]> {
    match array.as_slice() {
        Ok(slice) if array.is_c_contiguous() => slice.into(),
        _ => array.as_array().iter().copied().collect::<Vec<_>>().into(),
    }
}

/// A batch of one vector per column, to write into.
pub fn batch_mut<'a, T: Entry>(
    what: &str,
    array: &'a mut PyReadwriteArray<T, IxDyn>,
) -> PyResult<ArrayViewMut2<'a, T>> {
    let found = array.ndim();
    array.as_array_mut().into_dimensionality().map_err(|_| {
        PyValueError::new_err(format!(
            "{what} has {found} axes, expected a matrix with one vector per column"
        ))
    })
}

/// A vector, or a batch of one per column.
pub fn batch<'a, T: Entry>(what: &str, array: &'a PyReadonlyArrayDyn<T>) -> PyResult<ArrayView2<'a, T>> {
    let view = array.as_array();
    match view.ndim() {
        1 => Ok(view.insert_axis(Axis(1)).into_dimensionality().expect("two axes")),
        2 => Ok(view.into_dimensionality().expect("two axes")),
        n => Err(PyValueError::new_err(format!(
            "{what} has {n} axes, expected a vector or a matrix with one vector per column"
        ))),
    }
}

/// Zeros for `rows × like.ncols()` results, in the layout of `like`: a batch stays row- or column-contiguous.
pub fn zeros_like<T: Entry>(rows: usize, like: &ArrayView2<T>) -> PyResult<Array2<T>> {
    let cols = like.ncols();
    let by_rows = like.strides()[1].abs() <= like.strides()[0].abs() || like.nrows() <= 1 || cols <= 1;
    let len = rows.saturating_mul(cols); // a product too large fails as memory
    let data = memory::zeroed("the result", len)?;
    Ok(Array2::from_shape_vec((rows, cols).set_f(!by_rows), data)
        .expect("length is the product of the shape"))
}

/// A vector as a NumPy array, without a copy.
pub fn give<T: numpy::Element>(py: Python<'_>, values: Vec<T>) -> Bound<'_, PyAny> {
    values.into_pyarray(py).into_any()
}
