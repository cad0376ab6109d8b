//! Geometries and layers as Python spells them: dictionaries with everything per axis.

use super::arrays::{borrow, elements};
use super::element::Entry;
use super::words;
use crate::Boundary;
use crate::conv::{Geometry, Layer, Order};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A geometry as Python spells it: everything per axis.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Spelled<'py> {
    /// Which outputs are kept: a mode, or `offset` and `output`.
    mode: Option<String>,
    offset: Option<Vec<i64>>,
    output: Option<Vec<usize>>,
    convention: String,
    boundary: Vec<String>,
    /// What stands beyond the ends where the boundary is `constant`; of the kernel's type.
    constants: Bound<'py, PyAny>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    correlate: bool,
    column_major: bool,
}

impl Spelled<'_> {
    pub fn geometry<T: Entry, const D: usize>(&self) -> PyResult<Geometry<T, D>> {
        let constants = borrow::<T>("constants", &self.constants)?;
        let constants: [T; D] = per_axis("boundary", &elements(&constants))?;
        let names: [&String; D] = per_axis("boundary", &self.boundary.iter().collect::<Vec<_>>())?;
        let mut boundaries = [Boundary::Zero; D];
        for a in 0..D {
            boundaries[a] = words::boundary(names[a], constants[a])?;
        }
        let kept = match (&self.mode, &self.offset, &self.output) {
            (Some(mode), None, None) => words::mode(mode)?.into(),
            (None, Some(offset), Some(output)) => {
                Geometry::window(per_axis("offset", offset)?, per_axis("output", output)?)
            }
            _ => return Err(PyValueError::new_err("expected either a mode, or offset and output")),
        };
        let geometry = kept
            .convention(words::convention(&self.convention)?)
            .boundaries(boundaries)
            .strides(per_axis("stride", &self.stride)?)
            .dilations(per_axis("dilation", &self.dilation)?)
            .order(if self.column_major { Order::ColumnMajor } else { Order::RowMajor });
        Ok(if self.correlate { geometry.correlate() } else { geometry })
    }
}

/// One value per axis.
pub fn per_axis<V: Copy, const D: usize>(what: &str, values: &[V]) -> PyResult<[V; D]> {
    values.try_into().map_err(|_| {
        PyValueError::new_err(format!("{what} has {} values, expected {D}, one per axis", values.len()))
    })
}

/// A layer as Python spells it: everything per axis.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SpelledLayer {
    stride: Vec<usize>,
    padding: Vec<usize>,
    output_padding: Vec<usize>,
    dilation: Vec<usize>,
    groups: usize,
    padding_mode: String,
    pub transposed: bool,
}

impl SpelledLayer {
    pub fn layer<const D: usize>(&self) -> PyResult<Layer<D>> {
        Ok(Layer::new()
            .stride(per_axis("stride", &self.stride)?)
            .padding(per_axis("padding", &self.padding)?)
            .output_padding(per_axis("output_padding", &self.output_padding)?)
            .dilation(per_axis("dilation", &self.dilation)?)
            .groups(self.groups)
            .padding_mode(words::padding(&self.padding_mode)?))
    }
}
