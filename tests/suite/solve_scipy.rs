//! LSQR, LSMR and CG against their definitions: what must fall falls, what damping means, and where they must stop.

use crate::common::dense::{Dense, convolution, dense, vector};
use convmtx::nalgebra::{DMatrix, DVector};
use convmtx::num_complex::{Complex32, Complex64};
use convmtx::op::{Adjoint, Apply, Diagonal, Identity, LinearOperator, Product, Scaled, Vector};
use convmtx::solve::{Centre, Cg, Cgls, Lsmr, Lsqr, Progress, Report, StopReason};
use convmtx::{Error, Real, Result, Scalar};
use std::ops::ControlFlow;

fn norm<T: Scalar>(v: &[T]) -> f64 {
    Vector::norm(v).unwrap().as_f64()
}

fn difference<T: Scalar>(x: &[T], y: &[T]) -> Vec<T> {
    x.iter().zip(y).map(|(&x, &y)| x - y).collect()
}

fn residual<T: Scalar>(a: &impl LinearOperator<[T]>, b: &[T], x: &[T]) -> Vec<T> {
    difference(b, &a.apply(x).unwrap())
}

/// Hermitian and positive definite: BᴴB + I.
fn definite<T: Scalar>(n: usize) -> Dense<T> {
    let b = dense::<T>(n + 2, n).0;
    let entry = |i: usize, j: usize| (0..n + 2).map(|k| b[(k, i)].conj() * b[(k, j)]).sum::<T>();
    Dense(DMatrix::from_fn(n, n, |i, j| entry(i, j) + if i == j { T::one() } else { T::zero() }))
}

/// The iterates of a run, the last of them being the result.
fn iterates<T: Scalar>(
    solve: impl FnOnce(&mut dyn FnMut(&Progress<[T]>) -> ControlFlow<()>) -> Result<Report>,
) -> (Report, Vec<Vec<T>>) {
    let mut seen = Vec::new();
    let report = solve(&mut |p| {
        seen.push(p.iterate.to_vec());
        ControlFlow::Continue(())
    });
    (report.unwrap(), seen)
}

// LSMR

fn lsmr_reaches_the_minimum<T: Scalar>() {
    let tight = 4.0 * T::EPSILON;
    for (m, n) in [(1, 1), (5, 5), (9, 5), (4, 7)] {
        for (d, start) in [(0.0, 0.0), (0.7, 0.0), (0.0, 1.0), (0.7, 1.0)] {
            let (a, b) = (dense::<T>(m, n), vector::<T>(m, 2));
            let mut x: Vec<T> = vector::<T>(n, 9).iter().map(|v| v.scaled(T::Real::of(start))).collect();
            let report = Lsmr::new().damping(d).atol(tight).btol(tight).solve(&a, &b, &mut x).unwrap();
            let r = residual(&a, &b, &x);
            let mut s = a.apply_adjoint(&r).unwrap();
            s.axpy(T::from_real(T::Real::of(-d * d)), &x).unwrap();
            let (got, scale) = (norm(&s), norm(&a.apply_adjoint(&b).unwrap()));
            assert!(got < 100.0 * T::EPSILON * scale, "{} {m} {n} {d} {start}: {report}", T::NAME);
            let near =
                |got: f64, want: f64| (got - want).abs() <= 1e3 * T::EPSILON * norm(&b).powi(2).max(1.0);
            assert!(near(report.solution_norm.unwrap(), norm(&x)), "{report:?}");
            let objective = norm(&r).powi(2) + (d * norm(&x)).powi(2);
            assert!(near(*report.objectives.last().unwrap(), objective), "{report:?}");
            assert_eq!(report.lambda, (d > 0.0).then_some(d * d));
        }
    }
}

#[test]
fn lsmr_of_every_element_type_reaches_the_minimum_from_every_start() {
    lsmr_reaches_the_minimum::<f32>();
    lsmr_reaches_the_minimum::<f64>();
    lsmr_reaches_the_minimum::<Complex32>();
    lsmr_reaches_the_minimum::<Complex64>();
}

#[test]
fn least_squares_agree_with_the_dense_decomposition() {
    for (m, n) in [(12, 8), (8, 8)] {
        let (a, b) = (dense::<f64>(m, n), vector::<f64>(m, 3));
        let want = a.0.clone().svd(true, true).solve(&DVector::from_vec(b.clone()), 0.0).unwrap();
        let (mut x, mut z) = (vec![0.0; n], vec![0.0; n]);
        Lsmr::new().atol(1e-14).btol(1e-14).solve(&a, &b, &mut x).unwrap();
        Lsqr::new().atol(1e-14).btol(1e-14).solve(&a, &b, &mut z).unwrap();
        for x in [x, z] {
            assert!(norm(&difference(&x, want.as_slice())) <= 1e-12 * want.norm(), "{m} {n}");
        }
    }
}

/// Every iterate of LSMR has the smallest normal residual that the products so far allow, hence no larger than LSQR's; and
/// LSQR the smallest residual.
#[test]
fn what_each_of_the_two_minimises_falls_and_is_below_the_other() {
    let (a, b) = (convolution(&[1.0, 4.0, 6.0, 4.0, 1.0], 30, "full"), vector::<f64>(34, 1));
    for d in [0.0, 0.3] {
        let mut x = vec![0.0; 30];
        let lsmr = Lsmr::new().damping(d).max_iters(15).atol(0.0).btol(0.0).conlim(0.0);
        let (lsmr, seen) = iterates(|o| lsmr.solve_observed(&a, &b, &mut x, o));
        let lsqr = Lsqr::new().damping(d).max_iters(15).atol(0.0).btol(0.0).conlim(0.0);
        let lsqr = lsqr.solve(&a, &b, &mut [0.0; 30]).unwrap();
        for (report, normal_falls) in [(&lsmr, true), (&lsqr, false)] {
            let falling = if normal_falls { &report.normal_residual_norms } else { &report.objectives };
            assert_eq!(falling.len(), 16);
            assert!(falling.windows(2).all(|w| w[1] < w[0]), "{falling:?}");
            assert!(report.objectives.windows(2).all(|w| w[1] <= w[0]));
        }
        for k in 0..=15 {
            assert!(lsmr.normal_residual_norms[k] <= lsqr.normal_residual_norms[k] * (1.0 + 1e-9));
            assert!(lsqr.objectives[k] <= lsmr.objectives[k] * (1.0 + 1e-9));
        }
        // The recurrences of scalars are about the vectors.
        for (k, x) in seen.iter().enumerate() {
            let r = residual(&a, &b, x);
            let mut s = a.apply_adjoint(&r).unwrap();
            s.axpy(-d * d, x).unwrap();
            assert!((lsmr.residual_norms[k + 1] - norm(&r)).abs() < 1e-10 * norm(&b), "{k}");
            assert!((lsmr.normal_residual_norms[k + 1] - norm(&s)).abs() < 1e-10 * norm(&b), "{k}");
        }
    }
}

// Damping

/// `[A; d·I]` as a matrix.
fn augmented<T: Scalar>(a: &Dense<T>, d: f64) -> Dense<T> {
    let (m, n) = a.shape();
    let below = |i: usize, j: usize| if i == j { T::from_real(T::Real::of(d)) } else { T::zero() };
    Dense(DMatrix::from_fn(m + n, n, |i, j| if i < m { a.0[(i, j)] } else { below(i - m, j) }))
}

#[test]
fn damping_is_the_augmented_system_step_by_step() {
    let (a, d, n) = (dense::<Complex64>(8, 6), 0.8, 6);
    let stacked = augmented(&a, d);
    for x0 in [vec![Complex64::default(); n], vector::<Complex64>(n, 4)] {
        let b = vector::<Complex64>(8, 1);
        for centre in [Centre::Zero, Centre::Start] {
            // Below b stands d times what x is pulled towards.
            let mut long = b.clone();
            long.extend(x0.iter().map(|v| if centre == Centre::Zero { Complex64::default() } else { v * d }));
            macro_rules! compare {
                ($solver:ident) => {
                    let solver = $solver::new().max_iters(5).atol(0.0).btol(0.0).conlim(0.0);
                    let (_, want) = iterates(|o| solver.solve_observed(&stacked, &long, &mut x0.clone(), o));
                    let solver = solver.damping(d).centre(centre);
                    let (report, got) = iterates(|o| solver.solve_observed(&a, &b, &mut x0.clone(), o));
                    assert_eq!((got.len(), want.len()), (5, 5));
                    for (k, (got, want)) in got.iter().zip(&want).enumerate() {
                        assert!(norm(&difference(got, want)) <= 1e-12 * norm(want), "{centre:?} {k}");
                        let r = norm(&residual(&a, &b, got));
                        assert!((report.residual_norms[k + 1] - r).abs() <= 1e-12 * norm(&b), "{report:?}");
                    }
                    let long = norm(&residual(&stacked, &long, &got[4]));
                    assert!((report.objectives[5].sqrt() - long).abs() <= 1e-12 * norm(&b));
                };
            }
            compare!(Lsqr);
            compare!(Lsmr);
        }
    }
}

/// The minimum is Aᴴb/(σ² + d²), next to nothing; where the iteration starts must not matter.
#[test]
fn absurd_damping_ends_at_its_minimum_from_every_start() {
    let (a, b) = (Diagonal::new(vec![2.0, 1.0]), [3.0, 4.0]);
    for d in [1e4, 1e9, 1e20, 1e100, 1e150] {
        for start in [0.0, 1e-30, 1.0, 1e30] {
            let check = |what: &str, report: Report, x: [f64; 2]| {
                assert!(report.stop.converged(), "{what} {d:e} {start:e}: {report}");
                // ‖x‖ is what the objective is about; 1e-6 is the tolerance.
                let (want, got) =
                    (5.0, (d * x[0]).hypot(d * x[1]).hypot(norm(&[3.0 - 2.0 * x[0], 4.0 - x[1]])));
                assert!((got - want).abs() <= 1e-5 * want, "{what} {d:e} {start:e}: {x:?} {report}");
                assert!(report.residual_norms.iter().all(|v| v.is_finite()), "{report:?}");
            };
            let mut x = [start; 2];
            check("lsqr", Lsqr::new().damping(d).solve(&a, &b, &mut x).unwrap(), x);
            let mut x = [start; 2];
            check("lsmr", Lsmr::new().damping(d).solve(&a, &b, &mut x).unwrap(), x);
        }
    }
}

#[test]
fn damping_whose_square_overflows_is_refused() {
    let refused = |r: Result<Report>| {
        let error = r.unwrap_err();
        assert!(matches!(error, Error::Value { what: "damping", .. }), "{error}");
        error.to_string()
    };
    let (wide, narrow) = (Diagonal::new(vec![1.0_f64]), Diagonal::new(vec![1.0_f32]));
    let text = refused(Lsqr::new().damping(1e155).solve(&wide, &[1.0], &mut [0.0]));
    assert!(text.contains("square float64 can hold"), "{text}");
    refused(Lsmr::new().damping(1e155).solve(&wide, &[1.0], &mut [0.0]));
    refused(Cgls::new().damping(1e155).solve(&wide, &[1.0], &mut [0.0]));
    refused(Lsqr::new().damping(1e20).solve(&narrow, &[1.0], &mut [0.0]));
    refused(Lsmr::new().damping(1e20).solve(&narrow, &[1.0], &mut [0.0]));
    refused(Cgls::new().damping(1e20).solve(&narrow, &[1.0], &mut [0.0]));
    assert!(Lsqr::new().damping(1e19).solve(&narrow, &[1.0], &mut [0.0]).unwrap().stop.converged());
}

// Variances

fn variances_are_the_inverse_of_the_normal_matrix<T: Scalar>() {
    let (m, n) = (9, 4);
    let a = dense::<T>(m, n);
    for (d, start) in [(0.0, 0.0), (0.6, 0.0), (0.6, 1.0)] {
        // Two real numbers for a complex one: [[Re, −Im], [Im, Re]].
        let (re, im) = (|i, j| a.0[(i, j)].re().as_f64(), |i, j| a.0[(i, j)].im().as_f64());
        let real = DMatrix::from_fn(2 * m, 2 * n, |i, j| match (i < m, j < n) {
            (true, true) => re(i, j),
            (true, false) => -im(i, j - n),
            (false, true) => im(i - m, j),
            (false, false) => re(i - m, j - n),
        });
        let inverse =
            (real.transpose() * &real + DMatrix::identity(2 * n, 2 * n) * (d * d)).try_inverse().unwrap();
        let b = vector::<T>(m, 1);
        let mut x: Vec<T> = vector::<T>(n, 2).iter().map(|v| v.scaled(T::Real::of(start))).collect();
        let mut variances = vec![T::from_real(T::Real::of(f64::NAN)); n]; // overwritten
        let solver = Lsqr::new().damping(d).max_iters(n).atol(0.0).btol(0.0).conlim(0.0);
        solver.solve_with_variances(&a, &b, &mut x, &mut variances, |_| ControlFlow::Continue(())).unwrap();
        for (i, got) in variances.iter().enumerate() {
            let error = (got.re().as_f64() - inverse[(i, i)]).abs() / inverse[(i, i)];
            assert!(
                error <= 1e4 * T::EPSILON && got.im().as_f64() == 0.0,
                "{} {d} {start} {i}: {error:e}",
                T::NAME
            );
        }
    }
}

#[test]
fn variances_are_the_diagonal_of_the_inverse_normal_matrix() {
    variances_are_the_inverse_of_the_normal_matrix::<f32>();
    variances_are_the_inverse_of_the_normal_matrix::<f64>();
    variances_are_the_inverse_of_the_normal_matrix::<Complex32>();
    variances_are_the_inverse_of_the_normal_matrix::<Complex64>();
    let solver = Lsqr::new();
    let (a, mut x, go_on) = (Identity::new(3), [0.0; 3], |_: &Progress<'_, [f64]>| ControlFlow::Continue(()));
    let short = solver.solve_with_variances::<[f64], _>(&a, &[1.0; 3], &mut x, &mut [0.0; 2], go_on);
    assert_eq!(short.unwrap_err().to_string(), "variances has length 2, expected 3");
}

// CG

fn cg_solves<T: Scalar>() {
    let a = definite::<T>(7);
    for start in [0.0, 1.0] {
        let b = vector::<T>(7, 1);
        let mut x: Vec<T> = vector::<T>(7, 2).iter().map(|v| v.scaled(T::Real::of(start))).collect();
        let tolerance = 100.0 * T::EPSILON;
        let report = Cg::new().rtol(tolerance).solve(&a, &b, &mut x).unwrap();
        assert_eq!(report.stop, StopReason::Residual, "{}: {report}", T::NAME);
        let r = norm(&residual(&a, &b, &x));
        assert!(r <= 2.0 * tolerance * norm(&b) + 100.0 * T::EPSILON * norm(&x), "{}: {report}", T::NAME);
        assert_eq!(
            (report.residual_norms.len(), report.normal_residual_norms.len()),
            (report.iterations + 1, 0)
        );
    }
}

#[test]
fn cg_solves_for_every_element_type_from_every_start() {
    cg_solves::<f32>();
    cg_solves::<f64>();
    cg_solves::<Complex32>();
    cg_solves::<Complex64>();
}

#[test]
fn the_error_of_cg_falls_in_the_norm_of_a_with_and_without_preconditioner() {
    let (a, b) = (definite::<f64>(12), vector::<f64>(12, 5));
    let solution = a.0.clone().cholesky().unwrap().solve(&DVector::from_vec(b.clone()));
    let weights = (0..12).map(|i| 1.0 / a.0[(i, i)]).collect();
    let m = Diagonal::new(weights);
    let energy = |x: &[f64]| {
        let e = difference(x, solution.as_slice());
        a.apply(&e).unwrap().dot(&e).unwrap()
    };
    for preconditioned in [false, true] {
        let (solver, mut x) = (Cg::new().rtol(1e-10), vec![1.0; 12]);
        let (report, seen) = iterates(|o| match preconditioned {
            true => solver.solve_preconditioned(&a, &m, &b, &mut x, o),
            false => solver.solve_observed(&a, &b, &mut x, o),
        });
        assert!(report.stop.converged(), "{report}");
        let mut energies = vec![energy(&[1.0; 12])];
        energies.extend(seen.iter().map(|x| energy(x)));
        assert!(energies.windows(2).all(|w| w[1] < w[0]), "{energies:?}");
        // ⟨x, A x⟩ − 2⟨b, x⟩ is the energy but for a constant, which is ⟨b, x*⟩.
        let constant = b.dot(solution.as_slice()).unwrap();
        for (objective, energy) in report.objectives.iter().zip(&energies) {
            assert!((objective + constant - energy).abs() <= 1e-11 * energies[0], "{objective} {energy}");
        }
    }
}

#[test]
fn cg_on_the_normal_equations_is_cgls() {
    let a = convolution(&[1.0, 2.0, 1.5], 20, "full");
    let b = vector::<f64>(22, 3);
    let normal = Product::new::<[f64]>(Adjoint::new(a.clone()), a.clone()).unwrap();
    let (mut x, mut z) = (vec![0.0; 20], vec![0.0; 20]);
    let (_, cg) = iterates(|o| {
        Cg::new().rtol(0.0).max_iters(8).solve_observed(&normal, &a.apply_adjoint(&b).unwrap(), &mut x, o)
    });
    let (_, cgls) = iterates(|o| Cgls::new().tolerance(0.0).max_iters(8).solve_observed(&a, &b, &mut z, o));
    for (cg, cgls) in cg.iter().zip(&cgls) {
        assert!(norm(&difference(cg, cgls)) <= 1e-11 * norm(cgls));
    }
}

#[test]
fn a_good_preconditioner_saves_iterations() {
    let n = 200;
    let scale = |i: usize| 1.0 + (i % 50).pow(2) as f64;
    let tridiagonal = DMatrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => 2.0 * scale(i),
        1 => -0.5,
        _ => 0.0,
    });
    let (a, b) = (Dense(tridiagonal), vector::<f64>(n, 1));
    let m = Diagonal::new((0..n).map(|i| 0.5 / scale(i)).collect());
    let solver = Cg::new().rtol(1e-10);
    let plain = solver.solve(&a, &b, &mut vec![0.0; n]).unwrap();
    let mut x = vec![0.0; n];
    let helped = solver.solve_preconditioned(&a, &m, &b, &mut x, |_| ControlFlow::Continue(())).unwrap();
    assert!(helped.stop.converged() && helped.iterations <= 30, "{helped}");
    assert!(plain.iterations >= 2 * helped.iterations, "{plain}");
    assert!(norm(&residual(&a, &b, &x)) <= 1.1e-10 * norm(&b));
}

#[test]
fn the_units_of_b_and_a_do_not_matter() {
    let (a, b) = (definite::<f32>(6), vector::<f32>(6, 1));
    let mut reference = [0.0_f32; 6];
    let cg = Cg::new().solve(&a, &b, &mut reference).unwrap();
    for unit in [1e-30_f32, 1e30] {
        let scaled: Vec<f32> = b.iter().map(|v| v * unit).collect();
        let mut x = [0.0_f32; 6];
        let report = Cg::new().solve(&a, &scaled, &mut x).unwrap();
        assert_eq!((report.stop, report.iterations), (cg.stop, cg.iterations), "{report}");
        assert!(
            x.iter().zip(&reference).all(|(x, r)| (x / unit - r).abs() <= 1e-5 * norm(&reference) as f32)
        );
    }
    // SciPy's lsmr calls a small matrix ill-conditioned.
    let (a, b) = (dense::<f64>(9, 5), vector::<f64>(9, 1));
    let run = |unit: f64| Lsmr::new().solve(&Scaled::new(unit, a.clone()), &b, &mut [0.0; 5]).unwrap();
    let (one, small) = (run(1.0), run(1e-12));
    assert_eq!((one.stop, one.iterations), (small.stop, small.iterations), "{small}");
    let (one, small) = (one.estimates.unwrap(), small.estimates.unwrap());
    assert!((one.condition - small.condition).abs() < 1e-6 * one.condition);
    let true_condition = {
        let s = a.0.singular_values();
        s.max() / s.min()
    };
    assert!(one.condition <= true_condition * 1.01 && one.condition >= 0.2 * true_condition);
}

// Stopping

#[test]
fn cg_stops_at_the_larger_of_its_two_tolerances() {
    let (a, b) = (definite::<f64>(9), vector::<f64>(9, 1));
    for (rtol, atol) in [(0.1, 0.0), (0.0, 0.5), (1e-3, 2.0), (1e-2, 1e-9)] {
        let report = Cg::new().rtol(rtol).atol(atol).solve(&a, &b, &mut [0.0; 9]).unwrap();
        let goal = (rtol * norm(&b)).max(atol);
        assert_eq!(report.stop, StopReason::Residual);
        let (last, before) = report.residual_norms.split_last().unwrap();
        assert!(*last <= goal && before.iter().all(|&r| r > goal), "{report:?}");
    }
    // Without a tolerance precision ends it, and the residual it reports is still about x.
    let mut x = [0.0; 9];
    let report = Cg::new().rtol(0.0).solve(&a, &b, &mut x).unwrap();
    assert_eq!(report.stop, StopReason::ResidualAtPrecision, "{report}");
    assert!(norm(&residual(&a, &b, &x)) < 1e-12 * norm(&b));
}

#[test]
fn operators_that_are_not_positive_definite_are_named() {
    let (b, go_on) = ([1.0, 2.0, 3.0], |_: &Progress<'_, [f64]>| ControlFlow::Continue(()));
    for diagonal in [vec![1.0, 1.0, -5.0], vec![-1.0, -1.0, -1.0], vec![0.0; 3]] {
        let mut x = [0.5_f64; 3];
        let report = Cg::new().solve(&Diagonal::new(diagonal), &b, &mut x).unwrap();
        assert_eq!(report.stop, StopReason::NotPositiveDefinite { operator: "A" });
        assert_eq!(report.stop.to_string(), "A is not positive definite");
        assert!(!report.stop.converged() && report.stop.istop().is_none());
        assert!(x.iter().all(|v| v.is_finite()));
    }
    let (a, m) = (Diagonal::new(vec![1.0, 2.0, 3.0]), Diagonal::new(vec![1.0, 1.0, -1.0]));
    let mut x = [0.0; 3];
    let report = Cg::new().solve_preconditioned(&a, &m, &b, &mut x, go_on).unwrap();
    assert_eq!(report.stop, StopReason::NotPositiveDefinite { operator: "the preconditioner" });
    assert_eq!((report.iterations, x), (0, [0.0; 3]));
    // What underflows or is not finite is not called indefinite.
    for d in [f64::INFINITY, f64::NAN] {
        let report = Cg::new().solve(&Diagonal::new(vec![d; 3]), &b, &mut x).unwrap();
        assert!(matches!(report.stop, StopReason::Breakdown { .. }), "{report}");
    }
    let tiny = Diagonal::new(vec![1e-45_f32; 3]); // A p underflows
    let report = Cg::new().solve(&tiny, &[1.0, 2.0, 3.0], &mut [0.0; 3]).unwrap();
    assert!(!report.stop.converged() && report.residual_norms.iter().all(|v| v.is_finite()), "{report:?}");
}

#[test]
fn overflow_stops_lsmr_and_cg_with_a_finite_iterate() {
    let a = Diagonal::new(vec![1e-30_f32, 1.0]);
    let b = [1e38_f32, 1.0];
    let (mut x, mut z) = ([0.0_f32; 2], [0.0_f32; 2]);
    let reports = [
        Lsmr::new().atol(0.0).btol(0.0).conlim(0.0).solve(&a, &b, &mut x).unwrap(),
        Cg::new().rtol(0.0).solve(&a, &b, &mut z).unwrap(),
    ];
    assert!(x.iter().chain(&z).all(|v| v.is_finite()), "{x:?} {z:?}");
    for report in reports {
        assert!(report.residual_norms.iter().all(|v| v.is_finite()), "{report:?}");
    }
    let infinite = Diagonal::new(vec![f64::INFINITY, 1.0]);
    for start in [0.0, 1.0] {
        let mut x = [start; 2];
        let report = Lsmr::new().solve(&infinite, &[1.0, 1.0], &mut x).unwrap();
        assert!(matches!(report.stop, StopReason::Breakdown { .. }), "{report}");
        let report = Cg::new().solve(&infinite, &[1.0, 1.0], &mut x).unwrap();
        assert!(matches!(report.stop, StopReason::Breakdown { .. }), "{report}");
        assert_eq!(x, [start; 2]);
    }
}

#[test]
fn nothing_to_do_takes_no_iteration() {
    let a = definite::<f64>(4);
    let x0 = vector::<f64>(4, 1);
    let b = a.apply(&x0).unwrap();
    let mut x = x0.clone();
    let report = Cg::new().solve(&a, &b, &mut x).unwrap();
    assert_eq!((report.stop, report.iterations), (StopReason::Stationary, 0), "{report}");
    // b = 0 has one solution, wherever the iteration starts.
    let report = Cg::new().solve(&a, &[0.0; 4], &mut x).unwrap();
    assert_eq!((report.stop, &x), (StopReason::Stationary, &vec![0.0; 4]));
    let report = Lsmr::new().solve(&a, &[0.0; 4], &mut x).unwrap();
    assert_eq!((report.stop, report.stop.istop(), report.estimates), (StopReason::Stationary, Some(0), None));
    assert_eq!(report.solution_norm, Some(0.0));
    for (m, n) in [(0, 3), (3, 0), (0, 0)] {
        let (a, b) = (Dense(DMatrix::<f64>::zeros(m, n)), vec![1.0; m]);
        assert_eq!(Lsmr::new().solve(&a, &b, &mut vec![0.0; n]).unwrap().stop, StopReason::Stationary);
    }
    let empty = Dense(DMatrix::<f64>::zeros(0, 0));
    assert_eq!(Cg::new().solve::<[f64], _>(&empty, &[], &mut []).unwrap().stop, StopReason::Stationary);
    let report = Cg::new().max_iters(0).solve(&a, &b, &mut x).unwrap();
    assert_eq!((report.iterations, report.stop.istop()), (0, Some(7)));
}

#[test]
fn observers_of_lsmr_and_cg_may_stop_them() {
    let (a, b) = (definite::<f64>(9), vector::<f64>(9, 1));
    let mut errors = Vec::new();
    let mut stop_at_2 = |p: &Progress<[f64]>| {
        errors.push(norm(&residual(&a, &b, p.iterate)) - p.residual_norm);
        if p.iteration == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let reports = [
        Lsmr::new().solve_observed(&a, &b, &mut [0.0; 9], &mut stop_at_2).unwrap(),
        Cg::new().solve_observed(&a, &b, &mut [0.0; 9], &mut stop_at_2).unwrap(),
        Cg::new().solve_preconditioned(&a, &Identity::new(9), &b, &mut [0.0; 9], &mut stop_at_2).unwrap(),
    ];
    for report in reports {
        assert_eq!((report.stop, report.iterations), (StopReason::Interrupted, 2));
    }
    assert!(errors.len() == 6 && errors.iter().all(|e| e.abs() < 1e-11), "{errors:?}");
}

#[test]
fn every_reason_of_the_two_programs_has_its_number() {
    let diagonal = Diagonal::new(vec![1.0, 1e-3, 1e-6]);
    let (a, b) = (dense::<f64>(9, 5), vector::<f64>(9, 1));
    let square = dense::<f64>(5, 5);
    macro_rules! numbers {
        ($solver:ident) => {
            let exact = $solver::new().atol(0.0).btol(0.0).conlim(0.0);
            let istop = |report: Result<Report>| report.unwrap().stop.istop();
            assert_eq!(istop($solver::new().solve(&a, &[0.0; 9], &mut [0.0; 5])), Some(0));
            assert_eq!(istop($solver::new().solve(&square, &b[..5], &mut [0.0; 5])), Some(1));
            assert_eq!(istop($solver::new().solve(&a, &b, &mut [0.0; 5])), Some(2));
            assert_eq!(
                istop(exact.clone().conlim(100.0).solve(&diagonal, &[1.0; 3], &mut [0.0; 3])),
                Some(3)
            );
            assert_eq!(istop(exact.clone().solve(&a, &b, &mut [0.0; 5])), Some(5));
            assert_eq!(istop(exact.clone().max_iters(2).solve(&a, &b, &mut [0.0; 5])), Some(7));
        };
    }
    numbers!(Lsqr);
    numbers!(Lsmr);
    assert_eq!(StopReason::ResidualAtPrecision.istop(), Some(4));
    assert_eq!(StopReason::ConditionAtPrecision.istop(), Some(6));
    assert_eq!(StopReason::Interrupted.istop(), None);
}

#[test]
fn wrong_input_of_lsmr_and_cg_is_refused_before_work() {
    let (a, wide) = (definite::<f64>(3), dense::<f64>(3, 4));
    let (b, mut x) = ([1.0, 2.0, 3.0], [0.0; 3]);
    let text = |r: Result<Report>| r.unwrap_err().to_string();
    assert_eq!(text(Cg::new().solve(&wide, &b, &mut [0.0; 4])), "A has shape [3, 4], expected [3, 3]");
    let go_on = |_: &Progress<'_, [f64]>| ControlFlow::Continue(());
    let m = Identity::new(2);
    assert_eq!(
        text(Cg::new().solve_preconditioned(&a, &m, &b, &mut x, go_on)),
        "M has shape [2, 2], expected [3, 3]"
    );
    type Solve<'a> = Box<dyn Fn(&[f64], &mut [f64]) -> Result<Report> + 'a>;
    let solvers: [Solve; 2] =
        [Box::new(|b, x| Cg::new().solve(&a, b, x)), Box::new(|b, x| Lsmr::new().solve(&a, b, x))];
    for solve in solvers {
        assert_eq!(text(solve(&b[1..], &mut [0.0; 3])), "b has length 2, expected 3");
        assert_eq!(text(solve(&b, &mut [0.0; 4])), "x has length 4, expected 3");
        assert!(
            text(solve(&[1.0, f64::NAN, 0.0], &mut [0.0; 3])).starts_with("b has the value NaN at index 1")
        );
        assert!(
            text(solve(&b, &mut [f64::INFINITY, 0.0, 0.0])).starts_with("x has the value inf at index 0")
        );
    }
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = |r: Result<Report>| assert!(matches!(r, Err(Error::Value { .. })));
        refused(Cg::new().rtol(value).solve(&a, &b, &mut x));
        refused(Cg::new().atol(value).solve(&a, &b, &mut x));
        refused(Lsmr::new().damping(value).solve(&a, &b, &mut x));
        refused(Lsmr::new().atol(value).solve(&a, &b, &mut x));
        refused(Lsmr::new().conlim(value).solve(&a, &b, &mut x));
    }
    assert!(Lsmr::new().max_iters(usize::MAX).solve(&a, &b, &mut x).unwrap().iterations < 100);
}
