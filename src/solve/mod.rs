//! Solvers: from `b ≈ A x` back to `x`.
//!
//! A solver is a value with named settings and one verb:
//! `Cgls::new().damping(1e-2).max_iters(60).solve(&a, &b, &mut x)?`. It sees an operator only through
//! [`LinearOperator`](crate::op::LinearOperator) and vectors only through [`Vector`](crate::op::Vector), so that
//! it runs wherever they live. `x` is the starting point and becomes the result.
//!
//! | solver | problem | setting |
//! |---|---|---|
//! | [`Cgls`], [`Lsqr`], [`Lsmr`] | min ‖A x − b‖² + d²‖x‖² | `damping(d)`, so that λ = d² |
//! | [`Tikhonov`] | min ‖A x − b‖² + λ‖L x‖² | `new(λ)` |
//! | [`Cg`] | A x = b, `A` Hermitian positive definite | a preconditioner |
//! | [`RichardsonLucy`] | `b` counts of mean `A x + d`, everything non-negative | the number of iterations |
//!
//! λ multiplies the *squared* norm, `damping` stands outside it: they are never the same number. Negative or
//! non-finite values are errors, 0 means no penalty.
//!
//! Two solvers know the numbers of their matrix and do not iterate: [`Levinson`] for square Toeplitz systems, and
//! [`deconv`] for the division of polynomials.
//!
//! What is wrong with the input is an [`Error`](crate::Error) before any work. How the iteration went, whether it
//! converged or not, is a [`Report`] with a [`StopReason`]: stopping early is a regulariser. Numbers that cease
//! to be finite stop it as [`StopReason::Breakdown`], with the last finite iterate in `x`.
//!
//! `solve_observed` also takes a closure that sees the [`Progress`] of every iteration and may stop it: for
//! progress bars, Ctrl-C, or a stopping rule of one's own. `b` and `x` are vectors or whatever borrows as one
//! (`Vec`, arrays). Where the operator does not fix the kind of vector, name it: `solve::<[f64], _>(…)`.

mod cg;
mod cgls;
mod deconv;
mod golub_kahan;
mod levinson;
mod lsmr;
mod lsqr;
mod observer;
mod problem;
mod report;
mod richardson_lucy;
mod tikhonov;

pub use cg::Cg;
pub use cgls::Cgls;
pub use deconv::deconv;
pub use golub_kahan::Centre;
pub use levinson::Levinson;
pub use lsmr::Lsmr;
pub use lsqr::Lsqr;
pub use observer::Progress;
pub use report::{Estimates, Report, StopReason};
pub use richardson_lucy::{RichardsonLucy, Start};
pub use tikhonov::Tikhonov;
