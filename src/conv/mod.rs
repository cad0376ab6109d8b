//! Descriptions: what is convolved with what, and what is kept. Small, validated, comparable; they compute nothing.
//!
//! [`Conv`] is one kernel and one signal in one, two or three dimensions, [`RowwiseConv`] row i with row i,
//! [`FilterBank`] many kernels and channels, [`KernelOperator`] the map from kernel to output for a fixed signal. All are
//! built from a [`Geometry`] and turn into operators (`to_direct`) and matrices (`to_csr`) by methods that live
//! with the engines.

mod bank;
mod constant;
mod description;
mod filter_bank;
mod geometry;
mod kernel_operator;
mod rowwise;
mod traversal;

pub(crate) use bank::{Bank, Channels};
pub use description::{Conv, Conv1d, Conv2d, Conv3d};
pub use filter_bank::{FilterBank, Layer};
pub use geometry::{Geometry, Order};
pub(crate) use kernel_operator::Exchanged;
pub use kernel_operator::KernelOperator;
pub use rowwise::RowwiseConv;
pub(crate) use traversal::Traversal;

/// Writes the same methods for every description, so that an engine's folder can add `description.to_…()` once.
macro_rules! on_descriptions {
    ($($method:item)*) => {
        impl<T: $crate::Scalar, const D: usize> $crate::conv::Conv<T, D> { $($method)* }
        const _: () = {
            // Rows have one axis; methods that name `D` mean this.
            #[allow(dead_code)]
            const D: usize = 1;
            impl<T: $crate::Scalar> $crate::conv::RowwiseConv<T> { $($method)* }
        };
        impl<T: $crate::Scalar, const D: usize> $crate::conv::FilterBank<T, D> { $($method)* }
        impl<T: $crate::Scalar, const D: usize> $crate::conv::KernelOperator<T, D> { $($method)* }
    };
}
pub(crate) use on_descriptions;
