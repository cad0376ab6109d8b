//! The loops of each element type, compiled once, in this crate.
//!
//! Generic functions are compiled again in every crate that uses them, tests and examples included; for these loops that
//! would be minutes. Behind function pointers they are compiled here.

use super::Summation;
use super::correlate::{self, Correlate};
use super::dots::{self, Dots};
use super::filters::{self, Filters};
use super::gather;
use super::row::{self, Row};
use super::sheet::{self, Sheet};
use crate::scalar::Scalar;
use num_complex::Complex;
use std::any::Any;

/// The loops for elements of `T`.
pub(super) struct Loops<T> {
    pub correlate: fn(&Correlate<T>, &[T], &mut [T], Summation),
    pub row: fn(&Row, &[T], &[T], &mut [T]),
    pub sheet: fn(&Sheet, &[T], &[T], &mut [T], Summation),
    pub gather: gather::Both<T>,
    pub dots: fn(&Dots, &[T], &[T], &mut [T]),
    pub filters: fn(&Filters, &[T], &[T], &mut [T]),
}

impl<T: Scalar> Loops<T> {
    const ALL: Self = Loops {
        correlate: correlate::dispatch::<T>,
        row: row::dispatch::<T>,
        sheet: sheet::dispatch::<T>,
        gather: (gather::dispatch::<T, i32>, gather::dispatch::<T, i64>),
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
