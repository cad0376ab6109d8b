//! Values of one of the four element types, and the step from a NumPy array to generic code.

use crate::Scalar;
use num_complex::Complex;
use numpy::{Element, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, dtype};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// An element type that NumPy knows, too.
pub trait Entry: Scalar + Element {
    /// A value of this type out of a family of four.
    fn pick<F: Family>(typed: &Typed<F>) -> Option<&F::Of<Self>>;

    /// A member of a family as a value of unknown type.
    fn wrap<F: Family>(value: F::Of<Self>) -> Typed<F>;
}

/// A kind of value that exists for every element type.
pub trait Family {
    type Of<T: Entry>;
}

/// A value whose element type is known at run time only.
pub enum Typed<F: Family> {
    F32(F::Of<f32>),
    F64(F::Of<f64>),
    C32(F::Of<Complex<f32>>),
    C64(F::Of<Complex<f64>>),
}

macro_rules! entries {
    ($($t:ty => $variant:ident),*) => {$(
        impl Entry for $t {
            fn pick<F: Family>(typed: &Typed<F>) -> Option<&F::Of<Self>> {
                if let Typed::$variant(value) = typed { Some(value) } else { None }
            }
            fn wrap<F: Family>(value: F::Of<Self>) -> Typed<F> {
                Typed::$variant(value)
            }
        }
    )*};
}
entries!(f32 => F32, f64 => F64, Complex<f32> => C32, Complex<f64> => C64);

/// Runs `$body` with `$value` bound to the member of a family, whatever its element type.
macro_rules! typed {
    ($typed:expr, $value:ident => $body:expr) => {
        match $typed {
            $crate::python::element::Typed::F32($value) => $body,
            $crate::python::element::Typed::F64($value) => $body,
            $crate::python::element::Typed::C32($value) => $body,
            $crate::python::element::Typed::C64($value) => $body,
        }
    };
}
pub(crate) use typed;

/// Something generic to do with an array.
pub trait Work {
    type Output;
    fn run<T: Entry>(self) -> PyResult<Self::Output>;
}

/// Does `work` with the element type of `array`.
pub fn with_dtype_of<W: Work>(array: &Bound<PyAny>, work: W) -> PyResult<W::Output> {
    let py = array.py();
    let found = array.cast::<PyUntypedArray>().map_err(|_| PyTypeError::new_err("expected a NumPy array"))?;
    let found = found.dtype();
    if found.is_equiv_to(&dtype::<f64>(py)) {
        work.run::<f64>()
    } else if found.is_equiv_to(&dtype::<f32>(py)) {
        work.run::<f32>()
    } else if found.is_equiv_to(&dtype::<Complex<f64>>(py)) {
        work.run::<Complex<f64>>()
    } else if found.is_equiv_to(&dtype::<Complex<f32>>(py)) {
        work.run::<Complex<f32>>()
    } else {
        Err(PyTypeError::new_err(format!(
            "array has dtype {found}, expected float32, float64, complex64 or complex128"
        )))
    }
}
