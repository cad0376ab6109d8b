//! The memory layouts in which a batch may come, for the examiner.

use crate::scalar::Scalar;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder, Slice};

/// How the elements of a batch lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    RowContiguous,
    ColumnContiguous,
    EverySecondRow,
    EverySecondColumn,
    RowsReversed,
    ColumnsReversed,
}

pub(super) const LAYOUTS: [Layout; 6] = [
    Layout::RowContiguous,
    Layout::ColumnContiguous,
    Layout::EverySecondRow,
    Layout::EverySecondColumn,
    Layout::RowsReversed,
    Layout::ColumnsReversed,
];

/// A batch inside a larger array, whose other elements must stay as they are.
pub(super) struct Padded<T> {
    whole: Array2<T>,
    slices: [Slice; 2],
}

impl<T: Scalar> Padded<T> {
    /// A view of `rows`×`cols` in an array full of `fill`.
    pub fn new(layout: Layout, (rows, cols): (usize, usize), fill: T) -> Self {
        let (all, second, reversed) =
            (Slice::new(0, None, 1), Slice::new(0, None, 2), Slice::new(0, None, -1));
        let (shape, slices) = match layout {
            Layout::RowContiguous | Layout::ColumnContiguous => ((rows, cols), [all, all]),
            Layout::EverySecondRow => ((2 * rows, cols), [second, all]),
            Layout::EverySecondColumn => ((rows, 2 * cols), [all, second]),
            Layout::RowsReversed => ((rows, cols), [reversed, all]),
            Layout::ColumnsReversed => ((rows, cols), [all, reversed]),
        };
        let by_columns = layout == Layout::ColumnContiguous;
        Padded { whole: Array2::from_elem(shape.set_f(by_columns), fill), slices }
    }

    pub fn view(&self) -> ArrayView2<'_, T> {
        self.whole.slice_each_axis(|axis| self.slices[axis.axis.index()])
    }

    pub fn view_mut(&mut self) -> ArrayViewMut2<'_, T> {
        let slices = self.slices;
        self.whole.slice_each_axis_mut(|axis| slices[axis.axis.index()])
    }

    /// Whether every element, inside and outside the view, is NaN.
    pub fn is_all_nan(&self) -> bool {
        self.whole.iter().all(|v| v.modulus() != v.modulus())
    }
}
