//! Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.

mod band;
mod boundary;
pub mod conv;
pub mod csr;
pub mod direct;
pub mod error;
#[cfg(feature = "io")]
pub mod io;
pub mod memory;
pub mod metrics;
pub mod noise;
pub mod op;
mod parallel;
#[cfg(feature = "plot")]
pub mod plot;
pub mod psf;
pub mod scalar;
mod simd;
pub mod solve;
mod stencil;

pub use band::{Band, ConvMode, Convention};
pub use boundary::{Boundary, Extension};
pub use conv::{
    Conv, Conv1d, Conv2d, Conv3d, FilterBank, Geometry, KernelOperator, Layer, Order, RowwiseConv,
};
pub use csr::{convmtx, convmtx_row, convmtx2};
pub use error::{Error, Result};
pub use scalar::{Real, Scalar};
pub use simd::Summation;
pub use stencil::Axis;

/// Re-exported so that callers use the same versions of the types in our signatures.
pub use {nalgebra, ndarray, num_complex, sprs};
