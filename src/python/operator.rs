//! Operators of one element type, as Python holds them.

use super::arrays::{batch, borrow, elements, give, zeros_like};
use super::element::{Entry, Family, Typed, typed};
use super::threads;
use crate::Scalar;
use crate::op::{Apply, BatchOperator, dottest};
use num_complex::Complex;
use numpy::{IntoPyArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::sync::Arc;

/// Shared pointers to operators.
pub struct Operators;

impl Family for Operators {
    type Of<T: Entry> = Arc<dyn BatchOperator<T> + Sync>;
}

/// A linear operator of one element type. Arrays must have exactly that type.
#[pyclass(frozen, module = "convmtx._core")]
pub struct Operator {
    pub held: Typed<Operators>,
    /// Whether no product runs Python code.
    pub native: bool,
}

impl Operator {
    pub fn new<T: Entry>(operator: impl BatchOperator<T> + Sync + 'static) -> Self {
        Operator { held: T::wrap::<Operators>(Arc::new(operator)), native: true }
    }

    /// NumPy's name of the element type.
    pub fn name(&self) -> &'static str {
        match &self.held {
            Typed::F32(_) => <f32 as Scalar>::NAME,
            Typed::F64(_) => <f64 as Scalar>::NAME,
            Typed::C32(_) => <Complex<f32> as Scalar>::NAME,
            Typed::C64(_) => <Complex<f64> as Scalar>::NAME,
        }
    }
}

/// `A x` or, with `adjoint`, `Aᴴ x`, for a vector or one per column.
fn product<'py, T: Entry>(
    (a, native): (Arc<dyn BatchOperator<T> + Sync>, bool),
    adjoint: bool,
    x: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = x.py();
    let array = borrow::<T>("x", x)?;
    let (m, n) = a.shape();
    let rows = if adjoint { n } else { m };
    let entries = work(native, m.saturating_mul(n));
    if array.ndim() == 1 {
        let x = elements(&array);
        let x: &[T] = &x;
        let y = threads::run(py, entries, move || if adjoint { a.apply_adjoint(x) } else { a.apply(x) })?;
        debug_assert_eq!(y.len(), rows);
        return Ok(give(py, y));
    }
    let view = batch("X", &array)?;
    let mut y = zeros_like(rows, &view)?;
    let out = y.view_mut();
    threads::run(py, entries.saturating_mul(view.ncols()), move || match adjoint {
        false => a.apply_batch_into(view, out),
        true => a.apply_adjoint_batch_into(view, out),
    })?;
    Ok(y.into_pyarray(py).into_any())
}

/// What a product is worth to the threads: nothing where it calls Python, whose exceptions belong to the calling thread.
fn work(native: bool, entries: usize) -> usize {
    if native { entries } else { 0 }
}

#[pymethods]
impl Operator {
    #[getter]
    fn shape(&self) -> (usize, usize) {
        typed!(&self.held, a => a.shape())
    }

    /// NumPy's name of the element type.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.name()
    }

    /// A x, for a vector or for every column of a matrix.
    fn forward<'py>(&self, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        typed!(&self.held, a => product((a.clone(), self.native), false, x))
    }

    /// Aᴴ y, for a vector or for every column of a matrix.
    fn adjoint<'py>(&self, y: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        typed!(&self.held, a => product((a.clone(), self.native), true, y))
    }

    /// (⟨Ax, y⟩, ⟨x, Aᴴy⟩, relative difference, bound) for random vectors.
    fn dottest<'py>(
        &self,
        py: Python<'py>,
        seed: u64,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64, f64)> {
        typed!(&self.held, a => {
            let a = a.clone();
            let test = threads::run(py, work(self.native, usize::MAX), move || dottest(&a, seed))?;
            Ok((scalar(py, test.ax_y)?, scalar(py, test.x_ahy)?, test.relative, test.bound))
        })
    }
}

/// A number as a NumPy scalar.
pub fn scalar<'py, T: Entry>(py: Python<'py>, value: T) -> PyResult<Bound<'py, PyAny>> {
    vec![value].into_pyarray(py).get_item(0)
}
