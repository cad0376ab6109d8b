//! Descriptions from arrays: the element type decides which generic code runs, the number of axes which dimension.

use super::arrays::{borrow, elements};
use super::descriptions::Description;
use super::element::{Entry, Work, with_dtype_of};
use super::spelled::{Spelled, SpelledLayer, per_axis};
use super::words;
use crate::Band;
use crate::conv::{Conv, FilterBank, RowwiseConv};
use ndarray::Dimension;
use numpy::PyUntypedArrayMethods;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A convolution of signals of shape `signal` with one kernel of as many axes.
#[pyfunction]
fn conv(kernel: &Bound<PyAny>, signal: Vec<usize>, geometry: Spelled) -> PyResult<Description> {
    struct Make<'a, 'py>(&'a Bound<'py, PyAny>, Vec<usize>, Spelled<'py>);

    impl Work for Make<'_, '_> {
        type Output = Description;
        fn run<T: Entry>(self) -> PyResult<Description> {
            let Make(kernel, signal, geometry) = self;
            let kernel = borrow::<T>("kernel", kernel)?;
            macro_rules! described {
                ($conv:expr) => {{
                    let conv = $conv?;
                    let (dims, dimsd) = (conv.input_shape().to_vec(), conv.output_shape().to_vec());
                    Description::new::<T>(conv, dims, dimsd)
                }};
            }
            Ok(match kernel.ndim() {
                1 => {
                    let [n] = per_axis("the shape of the signal", &signal)?;
                    described!(Conv::<T, 1>::new(&elements(&kernel), n, geometry.geometry()?))
                }
                2 => {
                    let shape = per_axis("the shape of the signal", &signal)?;
                    let kernel = with_axes::<T, ndarray::Ix2>("kernel", &kernel)?;
                    described!(Conv::<T, 2>::new(kernel, shape, geometry.geometry()?))
                }
                3 => {
                    let shape = per_axis("the shape of the signal", &signal)?;
                    let kernel = with_axes::<T, ndarray::Ix3>("kernel", &kernel)?;
                    described!(Conv::<T, 3>::new(kernel, shape, geometry.geometry()?))
                }
                n => return Err(unsupported_axes("kernel", n, "1, 2 or 3")),
            })
        }
    }
    with_dtype_of(kernel, Make(kernel, signal, geometry))
}

/// Row i of the signals, `(rows, n)`, with row i of the kernels.
#[pyfunction]
fn rows(kernels: &Bound<PyAny>, signals: (usize, usize), geometry: Spelled) -> PyResult<Description> {
    struct Make<'a, 'py>(&'a Bound<'py, PyAny>, (usize, usize), Spelled<'py>);

    impl Work for Make<'_, '_> {
        type Output = Description;
        fn run<T: Entry>(self) -> PyResult<Description> {
            let Make(kernels, signals, geometry) = self;
            let kernels = borrow::<T>("kernels", kernels)?;
            let kernels = with_axes("kernels", &kernels)?;
            let rows = RowwiseConv::<T>::new(kernels, signals, geometry.geometry()?)?;
            let (r, m) = rows.output_shape();
            Ok(Description::new::<T>(rows, vec![signals.0, signals.1], vec![r, m]))
        }
    }
    with_dtype_of(kernels, Make(kernels, signals, geometry))
}

/// One image with many kernels, `(F, axes …)`.
#[pyfunction]
fn bank(kernels: &Bound<PyAny>, signal: Vec<usize>, geometry: Spelled) -> PyResult<Description> {
    struct Make<'a, 'py>(&'a Bound<'py, PyAny>, Vec<usize>, Spelled<'py>);

    impl Make<'_, '_> {
        fn of<T: Entry, const D: usize>(self) -> PyResult<Description> {
            let Make(kernels, signal, geometry) = self;
            let kernels = borrow::<T>("kernels", kernels)?;
            let shape = per_axis("the shape of the signal", &signal)?;
            let bank = FilterBank::<T, D>::new(kernels.as_array(), shape, geometry.geometry()?)?;
            let (filters, outputs) = bank.output_shape();
            Ok(Description::new::<T>(bank, signal, lead(filters, outputs)))
        }
    }

    impl Work for Make<'_, '_> {
        type Output = Description;
        fn run<T: Entry>(self) -> PyResult<Description> {
            match self.1.len() {
                1 => self.of::<T, 1>(),
                2 => self.of::<T, 2>(),
                3 => self.of::<T, 3>(),
                n => Err(unsupported_axes("the signal", n, "1, 2 or 3")),
            }
        }
    }
    with_dtype_of(kernels, Make(kernels, signal, geometry))
}

/// A convolution layer, or its transpose.
#[pyfunction]
fn layer(weights: &Bound<PyAny>, signal: Vec<usize>, layer: SpelledLayer) -> PyResult<Description> {
    struct Make<'a, 'py>(&'a Bound<'py, PyAny>, Vec<usize>, SpelledLayer);

    impl Make<'_, '_> {
        fn of<T: Entry, const D: usize>(self) -> PyResult<Description> {
            let Make(weights, signal, spelled) = self;
            let weights = borrow::<T>("weights", weights)?;
            let shape = per_axis("the shape of the signal", &signal)?;
            let make = if spelled.transposed { FilterBank::transposed_layer } else { FilterBank::layer };
            let bank: FilterBank<T, D> = make(weights.as_array(), shape, spelled.layer()?)?;
            let ((inputs, n), (outputs, m)) = (bank.input_shape(), bank.output_shape());
            Ok(Description::new::<T>(bank, lead(inputs, n), lead(outputs, m)))
        }
    }

    impl Work for Make<'_, '_> {
        type Output = Description;
        fn run<T: Entry>(self) -> PyResult<Description> {
            match self.1.len() {
                1 => self.of::<T, 1>(),
                2 => self.of::<T, 2>(),
                3 => self.of::<T, 3>(),
                n => Err(unsupported_axes("the signal", n, "1, 2 or 3")),
            }
        }
    }
    with_dtype_of(weights, Make(weights, signal, layer))
}

/// Where a mode begins in the full convolution of `n` samples with so many taps, and how many values it keeps.
#[pyfunction]
fn window(mode: &str, convention: &str, n: usize, taps: usize) -> PyResult<(i64, usize)> {
    let band = Band::of_mode(words::mode(mode)?, words::convention(convention)?, n, (taps, 1), 1)?;
    Ok((band.offset(), band.output()))
}

/// An array with exactly these axes.
fn with_axes<'a, T: Entry, I: Dimension>(
    what: &str,
    array: &'a numpy::PyReadonlyArrayDyn<T>,
) -> PyResult<ndarray::ArrayView<'a, T, I>> {
    let found = array.ndim();
    let expected = I::NDIM.unwrap_or(found);
    array
        .as_array()
        .into_dimensionality::<I>()
        .map_err(|_| PyValueError::new_err(format!("{what} has {found} axes, expected {expected}")))
}

fn unsupported_axes(what: &str, got: usize, expected: &str) -> PyErr {
    PyValueError::new_err(format!("{what} has {got} axes, expected {expected}"))
}

/// Channels, then the axes.
fn lead<const D: usize>(channels: usize, axes: [usize; D]) -> Vec<usize> {
    [channels].into_iter().chain(axes).collect()
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(conv, m)?)?;
    m.add_function(wrap_pyfunction!(rows, m)?)?;
    m.add_function(wrap_pyfunction!(bank, m)?)?;
    m.add_function(wrap_pyfunction!(layer, m)?)?;
    m.add_function(wrap_pyfunction!(window, m)?)
}
