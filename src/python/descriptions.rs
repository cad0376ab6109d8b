//! Descriptions: a convolution with its kernel and geometry, before it becomes an operator or a matrix.

use super::arrays::{borrow, borrow_mut, elements, give};
use super::element::{Entry, Family, Typed, typed};
use super::operator::Operator;
use super::{threads, words};
use crate::conv::{Conv, FilterBank, KernelOperator, RowwiseConv};
use crate::csr::{Banded, Diagonals};
use crate::plan::Engine;
use crate::{Error, Result, Summation};
use ndarray::Ix1;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use sprs::CsMatI;
use std::sync::Arc;

/// What every description can do, whatever its kind and number of axes.
pub trait Described<T: Entry>: Send + Sync {
    fn shape(&self) -> (usize, usize);
    fn operator(&self, choice: Choice) -> Result<Operator>;
    fn engine(&self, choice: Choice) -> Engine;
    fn explain(&self, choice: Choice) -> String;
    fn constant_term(&self) -> Result<Option<Vec<T>>>;
    fn csr(&self, keep_zeros: bool) -> Result<CsMatI<T, i32>>;
    fn csr_wide(&self, keep_zeros: bool) -> Result<CsMatI<T, i64>>;
    fn update_csr(
        &self,
        shape: (usize, usize),
        indptr: Places,
        indices: Places,
        values: &mut [T],
    ) -> Result<()>;
    fn csr_transpose(&self) -> Result<CsMatI<T, i32>>;
    fn normal(&self) -> Result<CsMatI<T, i32>>;
    fn banded(&self, _fill: bool) -> Result<Banded<T>> {
        Err(not_one_dimensional("the band"))
    }
    fn diagonals(&self) -> Result<Diagonals<T>> {
        Err(not_one_dimensional("the diagonals"))
    }
    fn kernel_operator(&self, x: &[T]) -> Result<Arc<dyn Described<T>>>;
    /// Summed over a batch: inputs and outputs one after the other.
    fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>>;
}

/// Row pointers or columns in one of SciPy's index types.
#[derive(Clone, Copy)]
pub enum Places<'a> {
    I32(&'a [i32]),
    I64(&'a [i64]),
}

/// The same, while Python's array is borrowed.
enum Borrowed<'py> {
    I32(PyReadonlyArray1<'py, i32>),
    I64(PyReadonlyArray1<'py, i64>),
}

impl<'py> Borrowed<'py> {
    fn new(what: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = array.extract() {
            return Ok(Borrowed::I32(array));
        }
        let refuse = |_| {
            let found =
                array.getattr("dtype").map_or_else(|_| array.get_type().to_string(), |d| d.to_string());
            PyTypeError::new_err(format!("{what} has dtype {found}, expected a vector of int32 or int64"))
        };
        array.extract().map(Borrowed::I64).map_err(refuse)
    }

    fn places(&self) -> PyResult<Places<'_>> {
        Ok(match self {
            Borrowed::I32(array) => Places::I32(array.as_slice()?),
            Borrowed::I64(array) => Places::I64(array.as_slice()?),
        })
    }
}

/// How products are to be computed.
#[derive(Clone, Copy)]
pub struct Choice {
    /// `None` leaves it to the planner.
    engine: Option<Engine>,
    summation: Summation,
}

impl Choice {
    fn of(engine: &str, summation: &str) -> Result<Self> {
        Ok(Choice { engine: words::engine(engine)?, summation: words::summation(summation)? })
    }
}

/// The plan for a choice; one order of summation is something that only the direct engine has.
macro_rules! planned {
    ($description:expr, $choice:expr) => {
        match ($choice.engine, $choice.summation) {
            (Some(engine), _) => $description.plan_with(engine),
            (None, Summation::Ascending) => $description.plan_with(Engine::Direct),
            (None, Summation::Fastest) => $description.plan(),
        }
    };
}

/// The methods that all kinds have under the same names.
macro_rules! forwarded {
    () => {
        fn shape(&self) -> (usize, usize) {
            self.shape()
        }
        fn operator(&self, choice: Choice) -> Result<Operator> {
            Ok(Operator::new::<T>(planned!(self, choice).build()?.with_summation(choice.summation)))
        }
        fn engine(&self, choice: Choice) -> Engine {
            planned!(self, choice).engine()
        }
        fn explain(&self, choice: Choice) -> String {
            planned!(self, choice).to_string()
        }
        fn constant_term(&self) -> Result<Option<Vec<T>>> {
            self.constant_term()
        }
        fn csr(&self, keep_zeros: bool) -> Result<CsMatI<T, i32>> {
            if keep_zeros { self.to_csr_keeping_zeros() } else { self.to_csr() }
        }
        fn csr_wide(&self, keep_zeros: bool) -> Result<CsMatI<T, i64>> {
            if keep_zeros { self.to_csr_keeping_zeros_wide() } else { self.to_csr_wide() }
        }
        fn update_csr(
            &self,
            shape: (usize, usize),
            indptr: Places,
            indices: Places,
            values: &mut [T],
        ) -> Result<()> {
            match (indptr, indices) {
                (Places::I32(indptr), Places::I32(indices)) => {
                    self.update_csr_arrays(shape, (indptr, indices), values)
                }
                (Places::I64(indptr), Places::I64(indices)) => {
                    self.update_csr_arrays(shape, (indptr, indices), values)
                }
                _ => Err(Error::Unsupported {
                    what: "updating a matrix whose indptr and indices have different dtypes",
                    reason: "expected int32 or int64 for both".into(),
                }),
            }
        }
        fn csr_transpose(&self) -> Result<CsMatI<T, i32>> {
            self.to_csr_transpose()
        }
        fn normal(&self) -> Result<CsMatI<T, i32>> {
            self.to_normal()
        }
    };
}

/// The methods of kinds that have a kernel.
macro_rules! with_kernel {
    () => {
        fn kernel_operator(&self, x: &[T]) -> Result<Arc<dyn Described<T>>> {
            Ok(Arc::new(self.kernel_operator(x)?))
        }
        fn adjoint_kernel(&self, x: &[T], y: &[T]) -> Result<Vec<T>> {
            self.adjoint_kernel_batch(x, y)
        }
    };
}

impl<T: Entry> Described<T> for Conv<T, 1> {
    forwarded!();
    with_kernel!();

    fn banded(&self, fill: bool) -> Result<Banded<T>> {
        if fill { self.to_banded_with_fill() } else { self.to_banded() }
    }
    fn diagonals(&self) -> Result<Diagonals<T>> {
        self.to_diagonals()
    }
}

impl<T: Entry> Described<T> for Conv<T, 2> {
    forwarded!();
    with_kernel!();
}

impl<T: Entry> Described<T> for Conv<T, 3> {
    forwarded!();
    with_kernel!();
}

impl<T: Entry> Described<T> for RowwiseConv<T> {
    forwarded!();
    with_kernel!();
}

impl<T: Entry, const D: usize> Described<T> for FilterBank<T, D> {
    forwarded!();
    with_kernel!();
}

impl<T: Entry, const D: usize> Described<T> for KernelOperator<T, D> {
    forwarded!();

    fn kernel_operator(&self, _x: &[T]) -> Result<Arc<dyn Described<T>>> {
        Err(no_kernel())
    }
    fn adjoint_kernel(&self, _x: &[T], _y: &[T]) -> Result<Vec<T>> {
        Err(no_kernel())
    }
}

fn no_kernel() -> Error {
    Error::Unsupported {
        what: "the kernel operator of a kernel operator",
        reason: "its argument is a kernel already".into(),
    }
}

fn not_one_dimensional(what: &'static str) -> Error {
    Error::Unsupported { what, reason: "only the matrix of a one-dimensional convolution is a band".into() }
}

/// Shared pointers to descriptions.
pub struct Descriptions;

impl Family for Descriptions {
    type Of<T: Entry> = Arc<dyn Described<T>>;
}

/// A convolution, checked, not computed.
#[pyclass(frozen, module = "convmtx._core")]
pub struct Description {
    held: Typed<Descriptions>,
    /// Samples per axis, channels or rows first.
    #[pyo3(get)]
    dims: Vec<usize>,
    /// Outputs per axis, channels or rows first.
    #[pyo3(get)]
    dimsd: Vec<usize>,
}

impl Description {
    pub fn new<T: Entry>(
        described: impl Described<T> + 'static,
        dims: Vec<usize>,
        dimsd: Vec<usize>,
    ) -> Self {
        Description { held: T::wrap::<Descriptions>(Arc::new(described)), dims, dimsd }
    }
}

/// `data, indices, indptr` of SciPy's constructor, the arrays handed over.
type CsrArrays<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

fn give_csr<T: Entry, I: numpy::Element + sprs::SpIndex>(py: Python, matrix: CsMatI<T, I>) -> CsrArrays {
    let (indptr, indices, data) = matrix.into_raw_storage();
    (give(py, data), give(py, indices), give(py, indptr))
}

#[pymethods]
impl Description {
    #[getter]
    fn shape(&self) -> (usize, usize) {
        typed!(&self.held, d => d.shape())
    }

    /// The operator, by one of the engines or by that of the planner.
    fn operator(&self, py: Python, engine: &str, summation: &str) -> PyResult<Operator> {
        let choice = Choice::of(engine, summation)?;
        Ok(typed!(&self.held, d => py.detach(|| d.operator(choice)))?)
    }

    /// The engine that is taken, by its word.
    fn engine(&self, engine: &str, summation: &str) -> PyResult<String> {
        let choice = Choice::of(engine, summation)?;
        Ok(typed!(&self.held, d => d.engine(choice)).to_string())
    }

    /// The engines compared, and why one is taken.
    fn explain(&self, engine: &str, summation: &str) -> PyResult<String> {
        let choice = Choice::of(engine, summation)?;
        Ok(typed!(&self.held, d => d.explain(choice)))
    }

    /// What a constant boundary adds, or None.
    fn constant_term<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        typed!(&self.held, d => {
            Ok(py.detach(|| d.constant_term())?.map(|term| give(py, term)))
        })
    }

    /// The matrix in compressed rows; 64-bit indices where 32 are too few.
    fn csr<'py>(&self, py: Python<'py>, keep_zeros: bool) -> PyResult<CsrArrays<'py>> {
        typed!(&self.held, d => {
            match threads::run(py, usize::MAX, || d.csr(keep_zeros)) {
                Err(Error::Overflow { .. }) => {
                    Ok(give_csr(py, threads::run(py, usize::MAX, || d.csr_wide(keep_zeros))?))
                }
                matrix => Ok(give_csr(py, matrix?)),
            }
        })
    }

    /// Writes the coefficients into `data` of a matrix with the pattern of `csr(True)`.
    fn update_csr(
        &self,
        py: Python,
        shape: (usize, usize),
        indptr: &Bound<PyAny>,
        indices: &Bound<PyAny>,
        data: &Bound<PyAny>,
    ) -> PyResult<()> {
        let (indptr, indices) = (Borrowed::new("indptr", indptr)?, Borrowed::new("indices", indices)?);
        let (indptr, indices) = (indptr.places()?, indices.places()?);
        typed!(&self.held, d => {
            let mut data = borrow_mut::<_, Ix1>("data", data)?;
            let values = data.as_slice_mut()?;
            Ok(threads::run(py, usize::MAX, || d.update_csr(shape, indptr, indices, values))?)
        })
    }

    /// The plain transpose in compressed rows.
    fn csr_transpose<'py>(&self, py: Python<'py>) -> PyResult<CsrArrays<'py>> {
        typed!(&self.held, d => Ok(give_csr(py, threads::run(py, usize::MAX, || d.csr_transpose())?)))
    }

    /// AᴴA in compressed rows.
    fn normal<'py>(&self, py: Python<'py>) -> PyResult<CsrArrays<'py>> {
        typed!(&self.held, d => Ok(give_csr(py, threads::run(py, usize::MAX, || d.normal())?)))
    }

    /// `(kl, ku, ab)`: the band as LAPACK stores it, with `kl` rows of room for a factorisation if `fill`.
    fn banded<'py>(&self, py: Python<'py>, fill: bool) -> PyResult<(usize, usize, Bound<'py, PyAny>)> {
        typed!(&self.held, d => {
            let band = py.detach(|| d.banded(fill))?;
            let shape = (band.cols, band.ldab());
            let stored = ndarray::Array2::from_shape_vec(shape, band.data).expect("ldab elements per column");
            Ok((band.kl, band.ku, stored.reversed_axes().into_pyarray(py).into_any()))
        })
    }

    /// `(offsets, data)` as SciPy's `dia_array` takes them.
    fn diagonals<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        typed!(&self.held, d => {
            let found = py.detach(|| d.diagonals())?;
            let shape = (found.offsets.len(), found.cols);
            let data = ndarray::Array2::from_shape_vec(shape, found.data).expect("one row per diagonal");
            Ok((give(py, found.offsets), data.into_pyarray(py).into_any()))
        })
    }

    /// The description of h ↦ conv(x, h); `kernel` is the shape of h, `x` has the samples in memory order.
    fn kernel_operator(&self, x: &Bound<PyAny>, kernel: Vec<usize>) -> PyResult<Self> {
        typed!(&self.held, d => {
            let x = borrow("x", x)?;
            let described = d.kernel_operator(&elements(&x))?;
            Ok(Description { held: Entry::wrap(described), dims: kernel, dimsd: self.dimsd.clone() })
        })
    }

    /// The gradient with respect to the kernels, flat, in the orientation in which they were given; summed over a batch,
    /// of which `x` and `y` hold the members one after the other.
    fn adjoint_kernel<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = x.py();
        typed!(&self.held, d => {
            let (x, y) = (borrow("x", x)?, borrow("y", y)?);
            let (x, y) = (elements(&x), elements(&y));
            let (x, y): (&[_], &[_]) = (&x, &y);
            Ok(give(py, threads::run(py, usize::MAX, || d.adjoint_kernel(x, y))?))
        })
    }
}
