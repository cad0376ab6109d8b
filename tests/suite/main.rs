//! What the crate claims, one file per claim, in one program: everything generic is compiled once for all of them.
//!
//! `cargo test --test suite golden` runs one file.

#[macro_use]
mod common;

mod algebra;
mod bits;
mod constants;
mod csr_operator;
mod examine;
mod exports;
mod fastest_is_ascending;
#[cfg(feature = "fft")]
mod fft;
mod golden;
mod golden_solvers;
#[cfg(feature = "io")]
mod io;
mod layers_of_channels;
mod matrix_in_parts;
mod matrix_is_operator_is_definition;
#[cfg(feature = "plot")]
mod plot;
mod psf_noise_metrics;
mod refusals;
mod richardson_lucy;
mod seeds;
mod separable;
mod solve;
mod solve_direct;
mod solve_scipy;
mod theory;
