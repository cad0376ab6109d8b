//! An operator written in Python, for the library's solvers.

use super::arrays::{borrow, elements};
use super::element::Entry;
use super::errors;
use super::operator::Operator;
use crate::error::check_len;
use crate::op::{BatchOperator, LinearOperator};
use crate::{Result, Scalar};
use num_complex::Complex;
use numpy::PyArray1;
use pyo3::prelude::*;
use std::marker::PhantomData;

/// `y = A x` by calling `matvec(x)`, `x = Aᴴ y` by calling `rmatvec(y)`: each takes and gives an array of `T`.
struct Foreign<T> {
    shape: (usize, usize),
    matvec: Py<PyAny>,
    rmatvec: Py<PyAny>,
    element: PhantomData<T>,
}

impl<T: Entry> Foreign<T> {
    fn call(&self, product: &Py<PyAny>, x: &[T], y: &mut [T]) -> Result<()> {
        Python::attach(|py| {
            let result = product.call1(py, (PyArray1::from_slice(py, x),)).map_err(errors::keep)?;
            let result = borrow::<T>("the result of matvec", result.bind(py)).map_err(errors::keep)?;
            let result = elements(&result);
            check_len("the result of matvec", y.len(), result.len())?;
            y.copy_from_slice(&result);
            Ok(())
        })
    }
}

impl<T: Entry> LinearOperator<[T]> for Foreign<T> {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn forward(&self, x: &[T], y: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.call(&self.matvec, x, y)
    }

    fn adjoint(&self, y: &[T], x: &mut [T], _scratch: &mut [T]) -> Result<()> {
        self.call(&self.rmatvec, y, x)
    }
}

impl<T: Entry> BatchOperator<T> for Foreign<T> {}

/// An operator of the type named `dtype` from two functions.
#[pyfunction]
pub fn foreign(
    dtype: &str,
    shape: (usize, usize),
    matvec: Py<PyAny>,
    rmatvec: Py<PyAny>,
) -> PyResult<Operator> {
    fn make<T: Entry>(shape: (usize, usize), matvec: Py<PyAny>, rmatvec: Py<PyAny>) -> Operator {
        let operator = Foreign::<T> { shape, matvec, rmatvec, element: PhantomData };
        Operator { native: false, ..Operator::new(operator) }
    }
    let make = match dtype {
        <f32 as Scalar>::NAME => make::<f32>,
        <f64 as Scalar>::NAME => make::<f64>,
        <Complex<f32> as Scalar>::NAME => make::<Complex<f32>>,
        _ => make::<Complex<f64>>,
    };
    Ok(make(shape, matvec, rmatvec))
}
