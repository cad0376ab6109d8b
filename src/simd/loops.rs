//! The loops of each element type, compiled once, in this crate.
//!
//! Generic functions are compiled again in every crate that uses them, tests and examples included; for these loops that
//! would be minutes. Behind function pointers they are compiled here.

use super::Summation;
use super::correlate::{self, Correlate};
use super::dots::{self, Dots};
use super::filters::{self, Filters};
use super::row::{self, Row};
use super::sheet::{self, Sheet};
use super::spmm::{self, Spmm};
use super::spmv;
use crate::memory::Index;
use crate::scalar::Scalar;
use num_complex::Complex;
use std::any::Any;

/// The loops for elements of `T`.
pub(super) struct Loops<T> {
    pub correlate: fn(&Correlate<T>, &[T], &mut [T], Summation),
    pub row: fn(&Row, &[T], &[T], &mut [T]),
    pub sheet: fn(&Sheet, &[T], &[T], &mut [T]),
    pub spmm: ForIndices<T>,
    pub spmv: ForIndices<T>,
    pub dots: fn(&Dots, &[T], &[T], &mut [T]),
    pub filters: fn(&Filters, &[T], &[T], &mut [T]),
}

/// A product with a sparse matrix, for either type of indices.
pub(super) type ForIndices<T> = (Spmm<T, i32>, Spmm<T, i64>);

/// The one of two loops that reads indices of type `I`.
pub(super) fn of_index<T: Scalar, I: Index>((narrow, wide): &'static ForIndices<T>) -> Spmm<T, I> {
    let any: [&dyn Any; 2] = [narrow, wide];
    *any.into_iter().find_map(|f| f.downcast_ref()).expect("an index is one of two types")
}

impl<T: Scalar> Loops<T> {
    const ALL: Self = Loops {
        correlate: correlate::dispatch::<T>,
        row: row::dispatch::<T>,
        sheet: sheet::dispatch::<T>,
        spmm: (spmm::dispatch::<T, i32>, spmm::dispatch::<T, i64>),
        spmv: (spmv::dispatch::<T, i32>, spmv::dispatch::<T, i64>),
        dots: dots::dispatch::<T>,
        filters: filters::dispatch::<T>,
    };
}

static SINGLE: Loops<f32> = Loops::ALL;
static DOUBLE: Loops<f64> = Loops::ALL;
static COMPLEX_SINGLE: Loops<Complex<f32>> = Loops::ALL;
static COMPLEX_DOUBLE: Loops<Complex<f64>> = Loops::ALL;

/// The loops for elements of `T`.
pub(super) fn loops<T: Scalar>() -> &'static Loops<T> {
    let all: [&'static dyn Any; 4] = [&SINGLE, &DOUBLE, &COMPLEX_SINGLE, &COMPLEX_DOUBLE];
    all.into_iter().find_map(|loops| loops.downcast_ref()).expect("a scalar is one of four types")
}
