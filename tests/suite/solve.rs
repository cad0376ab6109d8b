//! Solvers against golden results and against their definitions.

use crate::common::dense::{Dense, convolution, dense, vector};
use convmtx::nalgebra::DMatrix;
use convmtx::num_complex::{Complex32, Complex64};
use convmtx::op::{Apply, Diagonal, Difference, Identity, Vector};
use convmtx::solve::{Cgls, Lsqr, Progress, Report, RichardsonLucy, Start, StopReason, Tikhonov};
use convmtx::{Conv1d, ConvMode, Error, Real, Result, Scalar, Summation};
use std::ops::ControlFlow;

fn residual_norm(a: &Dense<f64>, b: &[f64], x: &[f64]) -> f64 {
    let mut r = a.apply(x).unwrap();
    r.axpy(-1.0, b).unwrap();
    r.norm().unwrap()
}

// Definitions

/// ‖Aᴴ(b − A x) − d² x‖ relative to ‖Aᴴ b‖.
fn gradient<T: Scalar>(a: &Dense<T>, b: &[T], x: &[T], d: f64) -> f64 {
    let mut r = a.apply(x).unwrap();
    r.xpby(b, -T::one()).unwrap();
    let mut s = a.apply_adjoint(&r).unwrap();
    s.axpy(T::from_real(T::Real::of(-d * d)), x).unwrap();
    s.norm().unwrap().as_f64() / a.apply_adjoint(b).unwrap().norm().unwrap().as_f64()
}

fn reaches_the_minimum<T: Scalar>() {
    let tight = 4.0 * T::EPSILON;
    for (m, n) in [(1, 1), (5, 5), (9, 5), (4, 7)] {
        for (d, start) in [(0.0, 0.0), (0.7, 0.0), (0.0, 1.0), (0.7, 1.0)] {
            let (a, b) = (dense::<T>(m, n), vector::<T>(m, 2));
            let x0: Vec<T> = vector::<T>(n, 9).iter().map(|v| v.scaled(T::Real::of(start))).collect();
            let (mut x, mut z) = (x0.clone(), x0);
            let report = Cgls::new().damping(d).tolerance(tight).solve(&a, &b, &mut x).unwrap();
            let bound = 100.0 * T::EPSILON;
            assert!(gradient(&a, &b, &x, d) < bound, "cgls {m} {n} {d} {start}: {report}");
            let solver = Lsqr::new().damping(d).atol(tight).btol(tight);
            let report = solver.solve(&a, &b, &mut z).unwrap();
            assert!(gradient(&a, &b, &z, d) < bound, "lsqr {m} {n} {d} {start}: {report}");
            let expected = (d > 0.0).then_some(d * d);
            assert_eq!(report.lambda, expected);
            let objective = residual_of(&a, &b, &z).powi(2) + d * d * z.norm().unwrap().as_f64().powi(2);
            let got = *report.objectives.last().unwrap();
            let scale = b.norm().unwrap().as_f64().powi(2);
            assert!((got - objective).abs() <= 1e3 * T::EPSILON * scale, "{got} {objective}");
        }
    }
}

fn residual_of<T: Scalar>(a: &Dense<T>, b: &[T], x: &[T]) -> f64 {
    let mut r = a.apply(x).unwrap();
    r.xpby(b, -T::one()).unwrap();
    r.norm().unwrap().as_f64()
}

#[test]
fn every_element_type_reaches_the_minimum_from_every_start() {
    reaches_the_minimum::<f32>();
    reaches_the_minimum::<f64>();
    reaches_the_minimum::<Complex32>();
    reaches_the_minimum::<Complex64>();
}

#[test]
fn damping_is_lambda_squared_rooted_for_every_solver() {
    let (a, b) = (dense::<Complex64>(6, 4), vector::<Complex64>(6, 1));
    let (mut x, mut y, mut z) =
        ([Complex64::default(); 4], [Complex64::default(); 4], [Complex64::default(); 4]);
    Cgls::new().damping(0.5).tolerance(1e-15).solve(&a, &b, &mut x).unwrap();
    Lsqr::new().damping(0.5).atol(1e-15).btol(1e-15).solve(&a, &b, &mut y).unwrap();
    Tikhonov::new(0.25).tolerance(1e-15).solve(&a, &Identity::new(4), &b, &mut z).unwrap();
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        assert!((x - y).norm() < 1e-13 && (x - z).norm() < 1e-13);
    }
}

#[test]
fn objectives_of_cgls_never_rise_and_a_good_start_saves_iterations() {
    let (a, b) = (convolution(&[1.0, 2.0, 1.5], 20, "full"), vector::<f64>(22, 3));
    let solver = Cgls::new().damping(0.1).tolerance(1e-12);
    let mut x = vec![0.0; 20];
    let cold = solver.solve(&a, &b, &mut x).unwrap();
    assert!(cold.stop.converged());
    assert!(cold.objectives.windows(2).all(|w| w[1] <= w[0] * (1.0 + 1e-14)));
    let warm = solver.solve(&a, &b, &mut x).unwrap();
    assert!(warm.stop.converged() && warm.iterations <= 1, "{warm}");
    let warm = Lsqr::new().damping(0.1).atol(1e-10).btol(1e-10).solve(&a, &b, &mut x).unwrap();
    assert!(warm.stop.converged() && warm.iterations <= 1, "{warm}");
}

#[test]
fn observers_see_the_iterates_and_may_stop() {
    let (a, b) = (convolution(&[1.0, 2.0, 1.5], 20, "full"), vector::<f64>(22, 3));
    let mut seen = Vec::new();
    let mut stop_at_3 = |p: &Progress<[f64]>| {
        seen.push((p.iteration, p.max_iters, residual_norm(&a, &b, p.iterate) - p.residual_norm));
        if p.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut x = vec![0.0; 20];
    let reports = [
        Cgls::new().solve_observed(&a, &b, &mut x, &mut stop_at_3).unwrap(),
        Lsqr::new().solve_observed(&a, &b, &mut [0.0; 20], &mut stop_at_3).unwrap(),
        Tikhonov::new(0.1)
            .solve_observed(&a, &Difference::first(20), &b, &mut vec![0.0; 20], &mut stop_at_3)
            .unwrap(),
        RichardsonLucy::new()
            .clip_data()
            .solve_observed(&a, &b, &mut x.clone(), |p| {
                if p.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap(),
    ];
    for report in &reports {
        assert_eq!((report.iterations, report.stop), (3, StopReason::Interrupted));
        assert_eq!(report.residual_norms.len(), 4);
    }
    assert_eq!(seen.len(), 9);
    for (k, (iteration, _, error)) in seen.iter().enumerate() {
        assert!(*iteration == k % 3 + 1 && error.abs() < 1e-12, "{seen:?}");
    }
}

#[test]
fn zero_data_and_zero_operators_stop_at_once() {
    let a = dense::<f64>(5, 3);
    let zero = Dense(DMatrix::<f64>::zeros(5, 3));
    let b = vector::<f64>(5, 0);
    for (a, b) in [(&a, &vec![0.0; 5]), (&zero, &b), (&zero, &vec![0.0; 5])] {
        let mut x = vec![0.0; 3];
        let reports = [
            Cgls::new().damping(0.1).solve(a, b, &mut x).unwrap(),
            Lsqr::new().solve(a, b, &mut x).unwrap(),
            Tikhonov::new(1.0).solve(a, &Difference::first(3), b, &mut x).unwrap(),
        ];
        for report in reports {
            assert_eq!((report.iterations, report.stop), (0, StopReason::Stationary), "{report}");
            assert_eq!(report.residual_norm(), b.norm().unwrap());
        }
        assert_eq!(x, [0.0; 3]);
    }
}

#[test]
fn operators_without_rows_or_columns_are_solved() {
    for (m, n) in [(0, 3), (3, 0), (0, 0)] {
        let (a, b) = (Dense(DMatrix::<f64>::zeros(m, n)), vec![1.0; m]);
        let mut x = vec![0.0; n];
        assert_eq!(Cgls::new().solve(&a, &b, &mut x).unwrap().stop, StopReason::Stationary);
        assert_eq!(Lsqr::new().solve(&a, &b, &mut x).unwrap().stop, StopReason::Stationary);
        let l = Identity::new(n);
        assert_eq!(Tikhonov::new(1.0).solve(&a, &l, &b, &mut x).unwrap().stop, StopReason::Stationary);
        let report = RichardsonLucy::new().solve(&a, &b, &mut x).unwrap();
        let unexplained = m > 0; // no column, but positive data
        let expected = if unexplained { StopReason::VanishingPrediction } else { StopReason::IterationLimit };
        assert_eq!(report.stop, expected);
        assert_eq!(x, vec![0.0; n]);
        // Nothing but the penalty is left: it pulls the start to zero.
        let mut x = vec![1.0; n];
        Cgls::new().damping(2.0).solve(&a, &b, &mut x).unwrap();
        assert!(x.iter().all(|&v| m > 0 || v == 0.0), "{x:?}");
    }
}

#[test]
fn limits_of_lsqr_are_reported_by_name() {
    let a = Diagonal::new(vec![1.0, 1e-3, 1e-6]);
    let (b, mut x) = (vec![1.0; 3], vec![0.0; 3]);
    let report = Lsqr::new().atol(0.0).btol(0.0).conlim(100.0).solve(&a, &b, &mut x).unwrap();
    assert_eq!(report.stop, StopReason::ConditionLimit, "{report}");
    assert!(report.estimates.unwrap().condition >= 100.0);
    let (a, mut x) = (dense::<f64>(9, 5), vec![0.0; 5]);
    let b = vector::<f64>(9, 1);
    let solver = Lsqr::new().atol(0.0).btol(0.0).conlim(0.0);
    let report = solver.solve(&a, &b, &mut x).unwrap();
    assert_eq!(report.stop, StopReason::NormalResidualAtPrecision, "{report}");
    let (report, frobenius) = (Lsqr::new().atol(1e-3).solve(&a, &b, &mut [0.0; 5]).unwrap(), a.0.norm());
    assert_eq!(report.stop, StopReason::NormalResidual, "{report}");
    assert!(report.estimates.unwrap().norm <= frobenius * 1.0001);
    let report = Lsqr::new().max_iters(0).solve(&a, &b, &mut [0.0; 5]).unwrap();
    assert_eq!((report.iterations, report.stop), (0, StopReason::IterationLimit));
}

#[test]
fn cgls_stops_at_the_residual_it_was_asked_for() {
    let (a, b) = (dense::<f64>(5, 5), vector::<f64>(5, 1));
    let mut x = vec![0.0; 5];
    let report = Cgls::new().residual_tolerance(0.1).tolerance(0.0).solve(&a, &b, &mut x).unwrap();
    assert_eq!(report.stop, StopReason::Residual);
    assert!(report.residual_norm() <= 0.1 * b.norm().unwrap());
}

#[test]
fn numbers_that_overflow_stop_as_breakdown_with_a_finite_iterate() {
    // 1e-30 squared is zero in f32, and the solution 1e38/1e-30 is too large.
    let a = Diagonal::new(vec![1e-30_f32, 1.0]);
    let b = [1e38_f32, 1.0];
    let check = |x: &[f32], report: &Report| {
        assert!(x.iter().all(|v| v.is_finite()), "{x:?}");
        assert!(report.residual_norms.iter().all(|v| v.is_finite()), "{report:?}");
    };
    let mut x = vec![0.0; 2];
    let report = Cgls::new().tolerance(0.0).solve(&a, &b, &mut x).unwrap();
    check(&x, &report);
    x.fill(0.0);
    let report = Lsqr::new().atol(0.0).btol(0.0).conlim(0.0).solve(&a, &b, &mut x).unwrap();
    check(&x, &report);
    let infinite = Diagonal::new(vec![f64::INFINITY, 1.0]);
    for start in [0.0, 1.0] {
        let mut x = vec![start; 2];
        let report = Cgls::new().solve(&infinite, &[1.0, 1.0], &mut x).unwrap();
        assert!(matches!(report.stop, StopReason::Breakdown { .. }), "{report}");
        assert_eq!(x, [start; 2]);
        let report = Lsqr::new().solve(&infinite, &[1.0, 1.0], &mut x).unwrap();
        assert!(matches!(report.stop, StopReason::Breakdown { .. }), "{report}");
        assert_eq!(x, [start; 2]);
    }
}

// Errors

#[test]
fn wrong_input_is_refused_before_work() {
    let a = dense::<f64>(4, 3);
    let (b, bad) = (vec![1.0; 4], vec![1.0, f64::NAN, 0.0, 1.0]);
    type Solve<'a> = Box<dyn Fn(&[f64], &mut [f64]) -> Result<Report> + 'a>;
    let solvers: [Solve; 4] = [
        Box::new(|b, x| Cgls::new().solve(&a, b, x)),
        Box::new(|b, x| Lsqr::new().solve(&a, b, x)),
        Box::new(|b, x| Tikhonov::new(1.0).solve(&a, &Difference::first(3), b, x)),
        Box::new(|b, x| RichardsonLucy::new().start(Start::Given).solve(&a, b, x)),
    ];
    for solve in solvers {
        let text = |r: Result<Report>| r.unwrap_err().to_string();
        assert_eq!(text(solve(&b[1..], &mut [0.0; 3])), "b has length 3, expected 4");
        assert_eq!(text(solve(&b, &mut [0.0; 4])), "x has length 4, expected 3");
        assert!(text(solve(&bad, &mut [0.0; 3])).starts_with("b has the value NaN at index 1"));
        let infinite = text(solve(&b, &mut [0.0, 0.0, f64::INFINITY]));
        assert!(infinite.starts_with("x has the value inf at index 2"), "{infinite}");
    }
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let mut x = vec![0.0; 3];
        let refused = |r: Result<Report>| matches!(r, Err(Error::Value { .. }));
        assert!(refused(Cgls::new().damping(value).solve(&a, &b, &mut x)));
        assert!(refused(Cgls::new().tolerance(value).solve(&a, &b, &mut x)));
        assert!(refused(Lsqr::new().damping(value).solve(&a, &b, &mut x)));
        assert!(refused(Lsqr::new().conlim(value).solve(&a, &b, &mut x)));
        assert!(refused(Tikhonov::new(value).solve(&a, &Difference::first(3), &b, &mut x)));
    }
    let shape = Tikhonov::new(1.0).solve(&a, &Difference::first(4), &b, &mut [0.0; 3]);
    assert_eq!(shape.unwrap_err().to_string(), "L has shape [3, 4], expected [3, 3]");
    let unlimited = Cgls::new().max_iters(usize::MAX).solve(&a, &b, &mut [0.0; 3]).unwrap();
    assert!(unlimited.iterations < 100, "a limit that nobody reaches costs nothing");
}

#[test]
fn lambda_zero_means_no_penalty() {
    let (a, b) = (dense::<f64>(6, 4), vector::<f64>(6, 1));
    let (mut x, mut z) = (vec![0.0; 4], vec![0.0; 4]);
    let plain = Cgls::new().max_iters(1000).tolerance(1e-8).solve(&a, &b, &mut x).unwrap();
    let zero = Tikhonov::new(0.0).solve(&a, &Difference::first(4), &b, &mut z).unwrap();
    assert_eq!((x, plain.lambda, plain.residual_norms), (z, zero.lambda, zero.residual_norms));
}

#[test]
fn reports_print_a_short_paragraph() {
    let mut x = vec![0.0; 3];
    let a = Diagonal::new(vec![1.0, 2.0, 3.0]);
    let report = Lsqr::new().damping(0.5).solve(&a, &[1.0; 3], &mut x).unwrap();
    let text = report.to_string();
    assert_eq!(text.lines().count(), 2);
    assert!(text.contains("3 iterations in 0.0") && text.contains("lambda 2.5"), "{text}");
}

/// Left to run for ever, single precision must not wander off from what it has found; whether it tries to depends on how
/// products are rounded.
#[test]
fn cgls_stays_at_the_minimum_when_precision_is_exhausted() {
    let conv = Conv1d::new(&[1.0_f32, 2.0, 3.0], 6, ConvMode::Full).unwrap();
    for summation in [Summation::Fastest, Summation::Ascending] {
        let a = conv.to_direct().unwrap().with_summation(summation);
        let b = Apply::apply(&a, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        // 8 ε‖b‖ is what the solver calls rounding; twice that for measuring it again.
        let level = 16.0 * f64::from(f32::EPSILON) * f64::from(b.norm().unwrap());
        let mut x = [0.0_f32; 6];
        let report = Cgls::new().tolerance(0.0).max_iters(20_000).solve(&a, &b, &mut x).unwrap();
        assert_eq!(report.residual_norms.len(), report.iterations + 1);
        let mut r = Apply::apply(&a, &x).unwrap();
        r.axpy(-1.0, &b).unwrap();
        assert!(f64::from(r.norm().unwrap()) <= level, "{summation:?}: {report}");
        assert!(report.residual_norm() <= level, "the report is about the iterate in x: {report}");

        let mut x = [0.0_f32; 6];
        let report = Tikhonov::new(1e20).solve(&a, &Difference::first(6), &b, &mut x).unwrap();
        // What the solver promises: no more than a thousandth above the least objective, which the start bounds.
        let (first, last) = (report.objectives[0], report.objectives[report.iterations]);
        assert!(last <= 1.001 * first + level * level, "{summation:?}: {first} {last} {report}");
    }
}
