//! Arrays from files: the element type as a value.

use super::npy::write_npy;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use ndarray_npy::{ReadableElement, WritableElement};
use num_complex::Complex;
use std::path::Path;
use std::str::FromStr;

/// An element that files can hold: the four types of [`Scalar`].
pub trait Element: Scalar<Real: FromStr> + ReadableElement + WritableElement {
    /// The array under its type's name.
    fn into_any(array: ArrayD<Self>) -> AnyArray;
}

impl Element for f32 {
    fn into_any(array: ArrayD<Self>) -> AnyArray {
        AnyArray::F32(array)
    }
}

impl Element for f64 {
    fn into_any(array: ArrayD<Self>) -> AnyArray {
        AnyArray::F64(array)
    }
}

impl Element for Complex<f32> {
    fn into_any(array: ArrayD<Self>) -> AnyArray {
        AnyArray::C64(array)
    }
}

impl Element for Complex<f64> {
    fn into_any(array: ArrayD<Self>) -> AnyArray {
        AnyArray::C128(array)
    }
}

/// An array whose element type was found in a file. Names as in NumPy: `C64` is two `f32`.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyArray {
    /// `float32`
    F32(ArrayD<f32>),
    /// `float64`, and all integers and booleans
    F64(ArrayD<f64>),
    /// `complex64`
    C64(ArrayD<Complex<f32>>),
    /// `complex128`
    C128(ArrayD<Complex<f64>>),
}

/// The same expression for whichever type the array has.
macro_rules! each {
    ($any:expr, $array:ident => $result:expr) => {
        match $any {
            AnyArray::F32($array) => $result,
            AnyArray::F64($array) => $result,
            AnyArray::C64($array) => $result,
            AnyArray::C128($array) => $result,
        }
    };
}

impl<T: Element> From<ArrayD<T>> for AnyArray {
    fn from(array: ArrayD<T>) -> Self {
        T::into_any(array)
    }
}

impl AnyArray {
    /// The length of every axis.
    pub fn shape(&self) -> &[usize] {
        each!(self, a => a.shape())
    }

    /// NumPy's name of the element type.
    pub fn dtype(&self) -> &'static str {
        match self {
            AnyArray::F32(_) => f32::NAME,
            AnyArray::F64(_) => f64::NAME,
            AnyArray::C64(_) => Complex::<f32>::NAME,
            AnyArray::C128(_) => Complex::<f64>::NAME,
        }
    }

    /// The array as `f64`, exactly.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for complex arrays.
    pub fn into_f64(self) -> Result<ArrayD<f64>> {
        match self {
            AnyArray::F32(a) => Ok(a.mapv(f64::from)),
            AnyArray::F64(a) => Ok(a),
            AnyArray::C64(_) | AnyArray::C128(_) => Err(Error::Unsupported {
                what: "reading a complex array as real",
                reason: format!("its elements are {}; take x.real or abs(x) first", self.dtype()),
            }),
        }
    }

    /// The array as `Complex<f64>`, exactly; real elements get a zero imaginary part.
    pub fn into_c128(self) -> ArrayD<Complex<f64>> {
        match self {
            AnyArray::F32(a) => a.mapv(|v| Complex::new(f64::from(v), 0.0)),
            AnyArray::F64(a) => a.mapv(|v| Complex::new(v, 0.0)),
            AnyArray::C64(a) => a.mapv(|v| Complex::new(f64::from(v.re), f64::from(v.im))),
            AnyArray::C128(a) => a,
        }
    }

    /// Writes the array, as [`write_npy`].
    pub fn write_npy(&self, path: impl AsRef<Path>) -> Result<()> {
        each!(self, a => write_npy(path, a))
    }
}
