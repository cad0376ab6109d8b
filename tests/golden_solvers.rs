//! Solvers on real convolutions against GNU Octave, SciPy and the matrix forms: every case with the direct engine and with
//! the matrix.

#[path = "common/golden_data.rs"]
mod golden_data;

use convmtx::csr::CsrOperator;
use convmtx::ndarray::Ix2;
use convmtx::op::{Apply, BoxedOperator, Difference, Identity, Vector};
use convmtx::solve::{Cgls, Lsqr, Progress, RichardsonLucy, Start, StopReason, Tikhonov};
use convmtx::{Conv, Conv1d, Conv2d, ConvMode};
use golden_data::{Case, Group, mode};
use std::ops::ControlFlow;

/// Both engines of a description.
fn engines<const D: usize>(conv: &Conv<f64, D>) -> [BoxedOperator<'static, f64>; 2] {
    [Box::new(conv.to_direct().unwrap()), Box::new(CsrOperator::new(conv.to_csr().unwrap()).unwrap())]
}

/// The operators and the right-hand side of a case.
fn problem(case: &Case) -> ([BoxedOperator<'static, f64>; 2], Vec<f64>) {
    let mode = mode(case.word("shape")).expect("a mode");
    let conv = Conv1d::new(&case.vector("h"), case.size("n"), mode).unwrap();
    (engines(&conv), case.vector("b"))
}

fn expected(case: &Case, name: &str) -> Vec<f64> {
    case.expected(name).into_raw_vec_and_offset().0
}

#[test]
fn least_squares_equal_octave() {
    let group = Group::load("solve_ls");
    for case in &group.cases {
        let (engines, b) = problem(case);
        for a in &engines {
            let n = a.shape().1;
            let (mut with_cgls, mut with_lsqr) = (vec![0.0; n], vec![0.0; n]);
            let report = Cgls::new().tolerance(1e-14).solve(a, &b, &mut with_cgls).unwrap();
            assert!(report.stop.converged(), "{}: {report}", case.id());
            let report = Lsqr::new().atol(1e-14).btol(1e-14).solve(a, &b, &mut with_lsqr).unwrap();
            assert!(report.stop.converged(), "{}: {report}", case.id());
            for (what, x) in [("cgls", with_cgls), ("lsqr", with_lsqr)] {
                group.check(case, what, &x, &expected(case, "x"));
                let mut r = a.apply(&x).unwrap();
                r.axpy(-1.0, &b).unwrap();
                group.check(case, what, &[r.norm().unwrap()], &expected(case, "residual_norm"));
            }
        }
    }
    group.done(5);
}

#[test]
fn tikhonov_equals_octave() {
    let group = Group::load("solve_tikhonov");
    for case in &group.cases {
        let (engines, b) = problem(case);
        let lambda = case.number("lambda");
        for a in &engines {
            let n = a.shape().1;
            let l: BoxedOperator<f64> = match case.size("order") {
                0 => Box::new(Identity::new(n)),
                order => Box::new(Difference::of_order(order, n).unwrap()),
            };
            let mut x = vec![0.0; n];
            let report = Tikhonov::new(lambda).tolerance(1e-14).solve(a, &l, &b, &mut x).unwrap();
            assert!(report.stop.converged(), "{}: {report}", case.id());
            assert_eq!(report.lambda, Some(lambda));
            group.check(case, "x", &x, &expected(case, "x"));
            group.check(case, "residual", &[report.residual_norm()], &expected(case, "residual_norm"));
            let seminorm = l.apply(&x).unwrap().norm().unwrap();
            group.check(case, "seminorm", &[seminorm], &expected(case, "seminorm"));
            let objective = report.residual_norm().powi(2) + lambda * seminorm * seminorm;
            group.check(case, "objective", &[*report.objectives.last().unwrap()], &[objective]);
            if case.size("order") == 0 {
                let mut damped = vec![0.0; n];
                let solver = Cgls::new().damping(lambda.sqrt()).tolerance(1e-14);
                solver.solve(a, &b, &mut damped).unwrap();
                group.check(case, "damping", &damped, &expected(case, "x"));
            }
        }
    }
    group.done(19);
}

#[test]
fn iterates_equal_scipy() {
    let group = Group::load("solve_iterative");
    for case in &group.cases {
        let (engines, b) = problem(case);
        let (steps, damp) = (case.size("steps"), case.number("damp"));
        let cgls = Cgls::new().damping(damp).max_iters(steps).tolerance(0.0);
        let lsqr = Lsqr::new().damping(damp).max_iters(steps).atol(0.0).btol(0.0).conlim(0.0);
        for a in &engines {
            for what in ["cgls", "lsqr"] {
                let (mut x, mut iterates) = (vec![0.0; a.shape().1], Vec::new());
                let keep = |p: &Progress<[f64]>| {
                    iterates.extend_from_slice(p.iterate);
                    ControlFlow::Continue(())
                };
                let report = match what {
                    "cgls" => cgls.solve_observed(a, &b, &mut x, keep),
                    _ => lsqr.solve_observed(a, &b, &mut x, keep),
                };
                let report = report.unwrap();
                assert_eq!(report.iterations, steps, "{}: {report}", case.id());
                group.check(case, what, &iterates, &expected(case, "x"));
                group.check(case, what, &report.residual_norms[1..], &expected(case, "residual_norm"));
                let normal = &report.normal_residual_norms[1..];
                // The normal residual vanishes while it is computed from numbers of size 1.
                group.check_within(case, what, normal, &expected(case, "normal_residual_norm"), 1e-8);
            }
        }
    }
    group.done(4);
}

#[test]
fn richardson_lucy_equals_the_matrix_form() {
    let group = Group::load("richardson_lucy");
    for case in &group.cases {
        let (image, psf) = (case.input::<f64>("image"), case.input::<f64>("psf"));
        let engines = match *image.shape() {
            [n] => engines(&Conv1d::new(&case.vector("psf"), n, ConvMode::Same).unwrap()),
            [rows, cols] => {
                let psf = psf.into_dimensionality::<Ix2>().expect("a picture has a picture as PSF");
                engines(&Conv2d::new(&psf, [rows, cols], ConvMode::Same).unwrap())
            }
            _ => panic!("a signal or a picture"),
        };
        for a in &engines {
            let steps = case.size("steps");
            let mut x = vec![case.number("x0"); image.len()];
            let solver = RichardsonLucy::new().max_iters(steps).start(Start::Given);
            let report = solver.solve(a, &case.vector::<f64>("image"), &mut x).unwrap();
            assert_eq!((report.iterations, report.stop), (steps, StopReason::IterationLimit));
            group.check(case, "normalized", &x, &expected(case, "normalized"));
        }
    }
    group.done(3);
}
