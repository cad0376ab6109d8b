//! Operators from operators, and the small ones that penalties are made of.

use super::arrays::{borrow, elements, owned};
use super::element::{Entry, Family, Typed, Work, with_dtype_of};
use super::foreign::foreign;
use super::operator::{Operator, Operators};
use super::words;
use crate::csr::CsrOperator;
use crate::memory::{self, Index};
use crate::op::{
    Adjoint, BlockDiagonal, Conjugate, Diagonal, Difference, Gradient2d, Identity, Product, Scaled, Sum,
    VStack, hstack,
};
use crate::{Scalar, Summation};
use num_complex::Complex;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use sprs::CsMatI;

/// Blocks of one element type.
struct Blocks;

impl Family for Blocks {
    type Of<T: Entry> = Vec<<Operators as Family>::Of<T>>;
}

/// The operands as operators of the type of the first, and whether all are native.
fn same_type(operators: &[PyRef<Operator>]) -> PyResult<(Typed<Blocks>, bool)> {
    fn collect<T: Entry>(operators: &[PyRef<Operator>]) -> PyResult<Typed<Blocks>> {
        let members = operators.iter().map(|op| T::pick(&op.held).cloned());
        let members: Option<Vec<_>> = members.collect();
        Ok(T::wrap(members.ok_or_else(|| PyTypeError::new_err("operators of different dtypes"))?))
    }
    let native = operators.iter().all(|op| op.native);
    let first = operators.first().ok_or_else(|| PyTypeError::new_err("expected at least one operator"))?;
    let blocks = match first.held {
        Typed::F32(_) => collect::<f32>(operators),
        Typed::F64(_) => collect::<f64>(operators),
        Typed::C32(_) => collect::<Complex<f32>>(operators),
        Typed::C64(_) => collect::<Complex<f64>>(operators),
    };
    Ok((blocks?, native))
}

/// Runs `$body` with the operands as a vector, and wraps the operator that it makes.
macro_rules! combined {
    ($operators:expr, $blocks:ident => $body:expr) => {{
        let (blocks, native) = same_type($operators)?;
        let operator = super::element::typed!(blocks, $blocks => Operator::new($body));
        Ok(Operator { native, ..operator })
    }};
}

/// One operator of a vector.
fn only<A>(blocks: Vec<A>) -> A {
    blocks.into_iter().next().expect("same_type refuses none")
}

/// Two operators of a vector.
fn pair<A>(blocks: Vec<A>) -> (A, A) {
    let mut both = blocks.into_iter();
    (both.next().expect("two operands"), both.next().expect("two operands"))
}

#[pyfunction]
fn adjoint(a: PyRef<Operator>) -> PyResult<Operator> {
    combined!(&[a], blocks => Adjoint::new(only(blocks)))
}

#[pyfunction]
fn conjugate(a: PyRef<Operator>) -> PyResult<Operator> {
    combined!(&[a], blocks => Conjugate::new(only(blocks)))
}

/// `alpha` is an array of one element, of the type of `a`.
#[pyfunction]
fn scaled(alpha: &Bound<PyAny>, a: PyRef<Operator>) -> PyResult<Operator> {
    combined!(&[a], blocks => {
        let alpha = borrow("alpha", alpha)?;
        let alpha = *elements(&alpha).first().ok_or_else(|| PyTypeError::new_err("alpha is empty"))?;
        Scaled::new(alpha, only(blocks))
    })
}

#[pyfunction]
fn sum(a: PyRef<Operator>, b: PyRef<Operator>) -> PyResult<Operator> {
    combined!(&[a, b], blocks => {
        let (a, b) = pair(blocks);
        Sum::new(a, b)?
    })
}

#[pyfunction]
fn product(a: PyRef<Operator>, b: PyRef<Operator>) -> PyResult<Operator> {
    combined!(&[a, b], blocks => {
        let (a, b) = pair(blocks);
        Product::new(a, b)?
    })
}

#[pyfunction(name = "vstack")]
fn stacked(operators: Vec<PyRef<Operator>>) -> PyResult<Operator> {
    combined!(&operators, blocks => VStack::new(blocks)?)
}

#[pyfunction(name = "hstack")]
fn side_by_side(operators: Vec<PyRef<Operator>>) -> PyResult<Operator> {
    combined!(&operators, blocks => hstack(blocks)?)
}

#[pyfunction]
fn block_diagonal(operators: Vec<PyRef<Operator>>) -> PyResult<Operator> {
    combined!(&operators, blocks => BlockDiagonal::new(blocks)?)
}

/// An operator that exists for every element type.
macro_rules! of_dtype {
    ($dtype:expr, $operator:expr) => {{
        let operator = $operator;
        Ok(match $dtype {
            <f32 as Scalar>::NAME => Operator::new::<f32>(operator),
            <f64 as Scalar>::NAME => Operator::new::<f64>(operator),
            <Complex<f32> as Scalar>::NAME => Operator::new::<Complex<f32>>(operator),
            _ => Operator::new::<Complex<f64>>(operator),
        })
    }};
}

#[pyfunction]
fn identity(dtype: &str, n: usize) -> PyResult<Operator> {
    of_dtype!(dtype, Identity::new(n))
}

#[pyfunction]
fn difference(dtype: &str, order: usize, n: usize) -> PyResult<Operator> {
    of_dtype!(dtype, Difference::of_order(order, n)?)
}

#[pyfunction]
fn gradient2d(dtype: &str, rows: usize, cols: usize) -> PyResult<Operator> {
    of_dtype!(dtype, Gradient2d::new(rows, cols)?)
}

#[pyfunction]
fn diagonal(d: &Bound<PyAny>) -> PyResult<Operator> {
    struct Make<'a, 'py>(&'a Bound<'py, PyAny>);

    impl Work for Make<'_, '_> {
        type Output = Operator;
        fn run<T: Entry>(self) -> PyResult<Operator> {
            Ok(Operator::new(Diagonal::new(owned::<T>("d", self.0)?)))
        }
    }
    with_dtype_of(d, Make(d))
}

/// An array of places in a sparse matrix, copied as numbers of a type in which they fit.
fn places<I: Index + numpy::Element>(what: &'static str, array: &Bound<PyAny>) -> PyResult<Vec<I>> {
    if let Ok(same) = adjacent::<I>(array) {
        return Ok(memory::copied(what, same.as_slice()?)?);
    }
    let other = adjacent::<i64>(array);
    let other = other.map_err(|_| PyTypeError::new_err(format!("{what} has another integer type")))?;
    let mut places = memory::zeroed::<I>(what, other.len()?)?;
    for (place, &value) in places.iter_mut().zip(other.as_slice()?) {
        let fitting = usize::try_from(value).ok().and_then(I::try_from_usize);
        *place = fitting.ok_or_else(|| {
            PyValueError::new_err(format!("not a matrix in compressed rows: {what} holds {value}"))
        })?;
    }
    Ok(places)
}

/// The numbers of an array without gaps between them, copied if need be.
fn adjacent<'py, N: numpy::Element>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray1<'py, N>> {
    match array.extract::<PyReadonlyArray1<N>>() {
        // Strided, or fields of records that lie where no integer may: only NumPy may read them.
        Ok(found) if found.as_slice().is_err() => Ok(array.call_method0("copy")?.extract()?),
        found => Ok(found?),
    }
}

/// A sparse matrix in compressed rows, sorted and without duplicates, as an operator that owns a copy and the adjoint.
#[pyfunction]
fn csr(
    data: &Bound<PyAny>,
    indices: &Bound<PyAny>,
    indptr: &Bound<PyAny>,
    shape: (usize, usize),
    summation: &str,
) -> PyResult<Operator> {
    struct Make<'a, 'py>([&'a Bound<'py, PyAny>; 3], (usize, usize), Summation);

    impl Make<'_, '_> {
        fn of<T: Entry, I: Index + numpy::Element>(&self) -> PyResult<Operator> {
            let Make([data, indices, indptr], shape, summation) = self;
            let data = owned::<T>("data", data)?;
            let matrix =
                CsMatI::try_new(*shape, places::<I>("indptr", indptr)?, places("indices", indices)?, data);
            let matrix = matrix.map_err(|(_, _, _, error)| {
                PyValueError::new_err(format!("not a matrix in compressed rows: {error}"))
            })?;
            Ok(Operator::new(CsrOperator::new(matrix)?.with_summation(*summation)))
        }
    }

    impl Work for Make<'_, '_> {
        type Output = Operator;
        fn run<T: Entry>(self) -> PyResult<Operator> {
            // SciPy often keeps indices of 8 bytes where 4 would do: a third or a half more to read. Rows are the columns of the
            // adjoint.
            let ([data, ..], (rows, cols)) = (self.0, self.1);
            match i32::try_from(data.len()?.max(rows).max(cols)).is_ok() {
                true => self.of::<T, i32>(),
                false => self.of::<T, i64>(),
            }
        }
    }
    with_dtype_of(data, Make([data, indices, indptr], shape, words::summation(summation)?))
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(adjoint, m)?)?;
    m.add_function(wrap_pyfunction!(conjugate, m)?)?;
    m.add_function(wrap_pyfunction!(scaled, m)?)?;
    m.add_function(wrap_pyfunction!(sum, m)?)?;
    m.add_function(wrap_pyfunction!(product, m)?)?;
    m.add_function(wrap_pyfunction!(stacked, m)?)?;
    m.add_function(wrap_pyfunction!(side_by_side, m)?)?;
    m.add_function(wrap_pyfunction!(block_diagonal, m)?)?;
    m.add_function(wrap_pyfunction!(identity, m)?)?;
    m.add_function(wrap_pyfunction!(difference, m)?)?;
    m.add_function(wrap_pyfunction!(gradient2d, m)?)?;
    m.add_function(wrap_pyfunction!(diagonal, m)?)?;
    m.add_function(wrap_pyfunction!(csr, m)?)?;
    m.add_function(wrap_pyfunction!(foreign, m)?)
}
