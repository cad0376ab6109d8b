//! Solvers on real convolutions against GNU Octave, SciPy and the matrix forms: every case with the direct engine and with
//! the matrix.

use crate::common::golden_data::{Case, Group, mode};
use convmtx::csr::CsrOperator;
use convmtx::ndarray::{Axis, Ix1, Ix2};
use convmtx::op::{Apply, BoxedOperator, Diagonal, Difference, Identity, Vector};
use convmtx::solve::{
    Centre, Cg, Cgls, Levinson, Lsmr, Lsqr, Progress, Report, RichardsonLucy, Start, StopReason, Tikhonov,
    deconv,
};
use convmtx::{Conv, Conv1d, Conv2d, ConvMode, Result, Scalar};
use std::ops::ControlFlow;

/// Both engines of a description.
fn engines<T: Scalar, const D: usize>(conv: &Conv<T, D>) -> [BoxedOperator<'static, T>; 2] {
    [Box::new(conv.to_direct().unwrap()), Box::new(CsrOperator::new(conv.to_csr().unwrap()).unwrap())]
}

/// The operators and the right-hand side of a case.
fn problem<T: Scalar>(case: &Case) -> ([BoxedOperator<'static, T>; 2], Vec<T>) {
    let mode = mode(case.word("shape")).expect("a mode");
    let conv = Conv1d::new(&case.vector::<T>("h"), case.size("n"), mode).unwrap();
    (engines(&conv), case.vector("b"))
}

fn expected<T: Scalar>(case: &Case, name: &str) -> Vec<T> {
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

/// A run of one of SciPy's solvers, `steps` being those of the case or as many as it takes.
fn run<T: Scalar>(
    case: &Case,
    a: &BoxedOperator<'_, T>,
    steps: Option<usize>,
    x: &mut [T],
    observer: impl FnMut(&Progress<'_, [T]>) -> ControlFlow<()>,
) -> Result<Report> {
    let (b, tolerance) = (case.vector::<T>("b"), if steps.is_some() { 0.0 } else { 1e-6 });
    let (steps, limit) = (steps.unwrap_or(1000), if steps.is_some() { 0.0 } else { 1e8 });
    macro_rules! least_squares {
        ($solver:ident) => {
            $solver::new()
                .damping(case.number("damp"))
                .centre(Centre::Start)
                .max_iters(steps)
                .atol(tolerance)
                .btol(tolerance)
                .conlim(limit)
                .solve_observed(a, &b, x, observer)
        };
    }
    match case.word("solver") {
        "lsqr" => least_squares!(Lsqr),
        "lsmr" => least_squares!(Lsmr),
        "cg" => {
            let solver = Cg::new().max_iters(steps).rtol(10.0 * tolerance);
            match case.has_input("m") {
                true => {
                    let m = Diagonal::new(case.vector::<T>("m"));
                    solver.solve_preconditioned(a, &m, &b, x, observer)
                }
                false => solver.solve_observed(a, &b, x, observer),
            }
        }
        other => panic!("no solver {other}"),
    }
}

fn steps_equal<T: Scalar, const D: usize>(group: &Group, case: &Case) {
    let (engines, _) = problem::<T>(case);
    let steps = case.size("steps");
    for a in &engines {
        let start = || match case.has_input("x0") {
            true => case.vector::<T>("x0"),
            false => vec![T::zero(); a.shape().1],
        };
        let (mut x, mut iterates) = (start(), Vec::new());
        let keep = |p: &Progress<[T]>| {
            iterates.extend_from_slice(p.iterate);
            ControlFlow::Continue(())
        };
        let report = run(case, a, Some(steps), &mut x, keep).unwrap();
        assert_eq!((report.iterations, report.stop), (steps, StopReason::IterationLimit), "{}", case.id());
        group.check(case, "x", &iterates, &expected(case, "x"));
        // SciPy's names of what belongs to every step; those it returns otherwise than it says are left out.
        let roots: Vec<f64> = report.objectives[1..].iter().map(|v| v.max(0.0).sqrt()).collect();
        let (plain, normal) =
            (&report.residual_norms[1..], report.normal_residual_norms.get(1..).unwrap_or(&[]));
        for (name, got) in [("r1norm", plain), ("r2norm", &roots), ("normr", &roots)] {
            if case.has_expected(name) {
                group.check(case, name, got, &expected(case, name));
            }
        }
        for name in ["arnorm", "normar"].into_iter().filter(|name| case.has_expected(name)) {
            group.check_within(case, name, normal, &expected(case, name), 1e-7);
        }
        let estimates = report.estimates;
        let last = [
            ("anorm", estimates.map(|e| e.norm)),
            ("norma", estimates.map(|e| e.norm)),
            ("acond", estimates.map(|e| e.condition)),
            ("conda", estimates.map(|e| e.condition)),
            ("xnorm", report.solution_norm),
            ("normx", report.solution_norm),
        ];
        for (name, got) in last.into_iter().filter(|(name, _)| case.has_expected(name)) {
            group.check(case, name, &[got.unwrap()], &expected(case, name)[steps - 1..]);
        }

        let mut x = start();
        let report = run(case, a, None, &mut x, |_| ControlFlow::Continue(())).unwrap();
        assert!(report.stop.converged(), "{}: {report}", case.id());
        // Exact arithmetic would be done after n steps; how many more it takes is a matter of rounding.
        let (n, itn) = (a.shape().1, expected::<f64>(case, "itn")[0] as usize);
        let slack = if itn <= n { 0 } else { 2 };
        assert!(report.iterations.abs_diff(itn) <= slack, "{}: {itn} steps, here {report}", case.id());
        if case.has_expected("istop") {
            assert_eq!([f64::from(report.stop.istop().unwrap())][..], expected::<f64>(case, "istop"));
        }
        let near = 1e-4; // the tolerance of the run times a condition number
        group.check_within(case, "x_converged", &x, &expected(case, "x_converged"), near);
    }
}

#[test]
fn every_step_equals_scipy() {
    let group = Group::load("solve_scipy");
    for case in &group.cases {
        in_dtype!(case, steps_equal::<1>(&group, case));
    }
    group.done(19);
}

#[test]
fn variances_equal_scipy() {
    let group = Group::load("solve_scipy");
    let with_variances: Vec<_> = group.cases.iter().filter(|case| case.has_expected("var")).collect();
    assert_eq!(with_variances.len(), 6);
    for case in with_variances {
        let (engines, b) = problem::<f64>(case);
        for a in &engines {
            let n = a.shape().1;
            let mut x = if case.has_input("x0") { case.vector("x0") } else { vec![0.0; n] };
            let mut variances = vec![f64::NAN; n];
            let solver = Lsqr::new().damping(case.number("damp")).centre(Centre::Start).conlim(0.0);
            let solver = solver.max_iters(case.size("steps")).atol(0.0).btol(0.0);
            solver
                .solve_with_variances(a, &b, &mut x, &mut variances, |_| ControlFlow::Continue(()))
                .unwrap();
            group.check(case, "var", &variances, &expected(case, "var"));
        }
    }
}

fn toeplitz_equals<T: Scalar, const D: usize>(group: &Group, case: &Case) {
    let column = case.vector::<T>("c");
    let t = match case.has_input("r") {
        true => Levinson::new(&column, &case.vector::<T>("r")).unwrap(),
        false => Levinson::hermitian(&column).unwrap(),
    };
    let (b, want) = (case.input::<T>("b"), case.expected::<T>("x"));
    if let Ok(b) = b.clone().into_dimensionality::<Ix1>() {
        group.check(case, "x", &t.solve(&b.to_vec()).unwrap(), &want.iter().copied().collect::<Vec<_>>());
        return;
    }
    let b = b.into_dimensionality::<Ix2>().unwrap();
    let x = t.solve_batch(b.view()).unwrap();
    for (j, want) in want.axis_iter(Axis(1)).enumerate() {
        let want: Vec<T> = want.iter().copied().collect();
        group.check(case, "batch", &x.column(j).to_vec(), &want);
        group.check(case, "column", &t.solve(&b.column(j).to_vec()).unwrap(), &want);
    }
}

#[test]
fn toeplitz_systems_equal_scipy() {
    let group = Group::load("solve_toeplitz");
    for case in &group.cases {
        in_dtype!(case, toeplitz_equals::<1>(&group, case));
    }
    group.done(7);
}

#[test]
fn polynomial_division_equals_octave() {
    let group = Group::load("deconv_poly");
    for case in &group.cases {
        let (q, r) = deconv(&case.vector::<f64>("y"), &case.vector("h")).unwrap();
        group.check(case, "q", &q, &expected(case, "q"));
        group.check(case, "r", &r, &expected(case, "r"));
    }
    group.done(5);
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
