//! Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.

pub mod error;
#[cfg(feature = "io")]
pub mod io;
pub mod memory;
pub mod op;
pub mod scalar;

pub use error::{Error, Result};
pub use scalar::{Real, Scalar};

/// Re-exported so that callers use the same versions of the types in our signatures.
pub use {nalgebra, ndarray, num_complex, sprs};
