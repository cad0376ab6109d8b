//! Operators of one element type, as Python holds them.

use super::arrays::{batch, batch_mut, borrow, borrow_mut, elements, give, zeros_like};
use super::element::{Entry, Family, Typed, typed};
use super::threads;
use crate::Scalar;
use crate::memory;
use crate::op::{Apply, BatchOperator, dottest};
use ndarray::IxDyn;
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

/// `A x` or, with `adjoint`, `Aᴴ x`, for a vector or one per column: in `out`, which is given back, or else in fresh memory.
fn product<'py, T: Entry>(
    (a, native): (Arc<dyn BatchOperator<T> + Sync>, bool),
    adjoint: bool,
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = x.py();
    let array = borrow::<T>("x", x)?;
    let view = batch("X", &array)?;
    let (m, n) = a.shape();
    let rows = if adjoint { n } else { m };
    let entries = work(native, m.saturating_mul(n));
    let one = array.ndim() == 1;
    let out = match out {
        Some(out) => out.clone(),
        None if one => give(py, memory::zeroed::<T>("the result", rows)?),
        None => zeros_like(rows, &view)?.into_pyarray(py).into_any(),
    };
    let mut room = borrow_mut::<T, IxDyn>("out", &out)?; // refused where it overlaps `x`
    if one {
        let x = elements(&array);
        let (x, y): (&[T], &mut [T]) = (&x, room.as_slice_mut()?);
        threads::run(py, entries, move || match adjoint {
            false => a.apply_into(x, y),
            true => a.apply_adjoint_into(x, y),
        })?;
    } else {
        let y = batch_mut("out", &mut room)?;
        threads::run(py, entries.saturating_mul(view.ncols()), move || match adjoint {
            false => a.apply_batch_into(view, y),
            true => a.apply_adjoint_batch_into(view, y),
        })?;
    }
    Ok(out)
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

    /// A x, for a vector or for every column of a matrix; into `out`, contiguous and apart from `x`, if that is given.
    #[pyo3(signature = (x, out=None))]
    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        typed!(&self.held, a => product((a.clone(), self.native), false, x, out))
    }

    /// Aᴴ y, for a vector or for every column of a matrix; into `out` as above.
    #[pyo3(signature = (y, out=None))]
    fn adjoint<'py>(
        &self,
        y: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        typed!(&self.held, a => product((a.clone(), self.native), true, y, out))
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
