//! Convolution as a linear operator: its sparse matrix, its fast product, its exact adjoint, its inverse.
//!
//! # Conventions, before anything else
//!
//! **Convolution.** With n samples and K taps, `full[i] = Σ_t k[t]·x[i − t]` for 0 ≤ i < n + K − 1. A cropped convolution
//! keeps `m` values from `offset` on:
//!
//! | [`ConvMode`] | first value kept | number of values |
//! |---|---|---|
//! | `Full` | 0 | n + K − 1 |
//! | `Same` | ⌊K/2⌋ | n |
//! | `Valid` | K − 1 | max(n − K + 1, 0) |
//!
//! This is MATLAB's and GNU Octave's definition, for even kernels too. SciPy's and NumPy's `same` and `valid` differ: see
//! [`Convention`]. Any other offset and length: [`Geometry::window`].
//!
//! **Beyond the ends** stands what [`Boundary`] says, zeros by default. **Stride** keeps every s-th output, beginning
//! with the first; **dilation** d puts d − 1 zeros between the taps. [`Geometry::correlate`] reverses the kernel.
//!
//! **Vectors.** An image is a vector in row-major order; [`Order::ColumnMajor`] is MATLAB's `X(:)`. A batch is a matrix with
//! one signal per **column**, in any memory layout.
//!
//! **Adjoint** means conjugate transpose, ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ with ⟨a, b⟩ = Σ conj(a)·b. It is exact for every mode, boundary,
//! stride, dilation and type, and it is not "the same with the kernel flipped".
//!
//! **Zero taps** contribute nothing, whatever they meet, and are not stored in matrices. **Types** are `f32`, `f64`,
//! `Complex<f32>`, `Complex<f64>`, never converted silently.
//!
//! **λ and damping.** [`Tikhonov`](solve::Tikhonov) minimises ‖A x − b‖² + λ‖L x‖²; `damping(d)` of
//! [`Cgls`](solve::Cgls), [`Lsqr`](solve::Lsqr) and [`Lsmr`](solve::Lsmr) adds d²‖x‖².
//!
//! # From a kernel to a result
//!
//! A *description* ([`Conv1d`], [`Conv2d`], [`Conv3d`], [`RowwiseConv`], [`FilterBank`], [`KernelOperator`]) is small,
//! checked data. It turns into a matrix (`to_csr`), into an operator that needs no matrix (`to_direct`, `to_fft`, or
//! `plan` to choose), or applies itself (`apply`). [Solvers](solve) take any operator.
//!
//! ```
//! use convmtx::op::Apply;
//! use convmtx::solve::Cgls;
//! use convmtx::{Boundary, Conv1d, Geometry};
//!
//! let kernel = [1.0, 4.0, 6.0, 4.0, 1.0].map(|k| k / 16.0);
//! let blur = Conv1d::new(&kernel, 50, Geometry::same().boundary(Boundary::Symmetric))?;
//!
//! let matrix = blur.to_csr()?; // sprs, 50 × 50, banded
//! assert_eq!(matrix.shape(), (50, 50));
//!
//! let a = blur.to_direct()?; // the same map without a matrix
//! let x: Vec<f64> = (0..50).map(|i| (i as f64 * 0.2).sin()).collect();
//! let b = a.apply(&x)?;
//!
//! let mut restored = vec![0.0; 50];
//! let report = Cgls::new().max_iters(200).tolerance(1e-12).solve(&a, &b, &mut restored)?;
//! assert!(report.stop.converged());
//! let error = x.iter().zip(&restored).map(|(x, r)| (x - r).abs()).fold(0.0, f64::max);
//! assert!(error < 1e-3);
//! # Ok::<(), convmtx::Error>(())
//! ```
//!
//! # Where things are
//!
//! | | |
//! |---|---|
//! | [`conv`] | descriptions: what is convolved with what, and what is kept |
//! | [`csr`] | sparse matrices, MATLAB's builders, band storage, AᴴA, [`CsrOperator`](csr::CsrOperator) |
//! | [`direct`] | the engine that needs no matrix |
//! | `fft` | the engine for long kernels, behind the feature of this name |
//! | [`plan`] | which engine is faster, and why |
//! | [`op`] | the trait [`LinearOperator`](op::LinearOperator), [`Apply`](op::Apply), operator algebra, dot test and examiner |
//! | [`solve`] | CGLS, LSQR, LSMR, CG, Tikhonov, Richardson–Lucy; Toeplitz systems, polynomial division |
//! | [`psf`], [`noise`], [`metrics`] | point-spread functions, seeded noise, PSNR and SSIM |
//! | `io`, `plot` | files and pictures, behind the features of these names |
//! | `cli` | the command line as a function, behind the feature of this name |
//!
//! # Features
//!
//! `fft`, on by default: the engine by fast Fourier transforms. `io`: `.npy`, `.npz`, MatrixMarket, images. `plot`: pictures as
//! SVG and PNG. `cli`: the command line and its program `convmtx`, with both. `python`: the extension module of the package.
#![warn(missing_docs)]

mod band;
mod blocks;
mod boundary;
#[cfg(feature = "cli")]
pub mod cli;
pub mod conv;
pub mod csr;
pub mod direct;
pub mod error;
#[cfg(feature = "fft")]
pub mod fft;
#[cfg(feature = "io")]
pub mod io;
pub mod memory;
pub mod metrics;
pub mod noise;
pub mod op;
mod parallel;
pub mod plan;
#[cfg(feature = "plot")]
pub mod plot;
pub mod psf;
#[cfg(feature = "python")]
mod python;
pub mod scalar;
pub mod separable;
mod simd;
pub mod solve;
mod stencil;
#[cfg(feature = "fft")]
mod transform;

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

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
