//! The solvers, from settings by name to `(x, outcome)`.

use super::arrays::{borrow, give, owned};
use super::element::{Entry, Typed, typed};
use super::operator::Operator;
use super::watch::{Observer, watch};
use crate::op::BatchOperator;
use crate::solve::{
    Centre, Cg, Cgls, Levinson, Lsmr, Lsqr, Report, RichardsonLucy, Start, StopReason, Tikhonov, deconv,
};
use crate::{Error, Real};
use numpy::IntoPyArray;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::Arc;

/// What a solver did, as a dictionary.
#[derive(IntoPyObject)]
struct Outcome {
    iterations: usize,
    converged: bool,
    interrupted: bool,
    reached_limit: bool,
    istop: Option<u8>,
    message: String,
    residual_norms: Vec<f64>,
    normal_residual_norms: Vec<f64>,
    objectives: Vec<f64>,
    #[pyo3(item("lambda"))]
    lambda: Option<f64>,
    norm: Option<f64>,
    condition: Option<f64>,
    solution_norm: Option<f64>,
    elapsed: f64,
}

impl From<Report> for Outcome {
    fn from(report: Report) -> Self {
        Outcome {
            iterations: report.iterations,
            converged: report.stop.converged(),
            interrupted: report.stop == StopReason::Interrupted,
            reached_limit: report.stop == StopReason::IterationLimit,
            istop: report.stop.istop(),
            message: report.stop.to_string(),
            residual_norms: report.residual_norms,
            normal_residual_norms: report.normal_residual_norms,
            objectives: report.objectives,
            lambda: report.lambda,
            norm: report.estimates.map(|e| e.norm),
            condition: report.estimates.map(|e| e.condition),
            solution_norm: report.solution_norm,
            elapsed: report.elapsed.as_secs_f64(),
        }
    }
}

/// The solution and how it was found.
type Solved<'py> = (Bound<'py, PyAny>, Outcome);

type Shared<T> = Arc<dyn BatchOperator<T> + Sync>;

/// Another operand of the type of the first.
fn same<T: Entry>(what: &str, operator: &Operator) -> PyResult<Shared<T>> {
    let wrong =
        || PyTypeError::new_err(format!("{what} has dtype {}, expected {}", operator.name(), T::NAME));
    T::pick(&operator.held).cloned().ok_or_else(wrong)
}

/// min ‖A x − b‖² + d²‖x‖², by CGLS.
#[pyfunction]
fn cgls<'py>(
    a: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    settings: (f64, usize, f64, f64),
    observer: Option<Py<PyAny>>,
) -> PyResult<Solved<'py>> {
    let (py, native) = (b.py(), a.native);
    let (damp, max_iters, tolerance, residual_tolerance) = settings;
    let solver = Cgls::new()
        .damping(damp)
        .max_iters(max_iters)
        .tolerance(tolerance)
        .residual_tolerance(residual_tolerance);
    typed!(&a.held, a => {
        let (a, b) = (a.clone(), owned("b", b)?);
        let solve = move |x: &mut [_], observer: &mut Observer<_>| solver.solve_observed::<[_], _>(&a, &b, x, observer);
        finish(py, watch(py, native, observer, owned("x0", x0)?, solve))
    })
}

/// `x` and the outcome for Python.
fn finish<T: Entry>(py: Python, solved: PyResult<(Vec<T>, Report)>) -> PyResult<Solved> {
    let (x, report) = solved?;
    Ok((give(py, x), report.into()))
}

/// min ‖A x − b‖² + d²‖x − x₀‖², by LSQR; with `variances` their estimates as a third value.
#[pyfunction]
fn lsqr<'py>(
    a: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    settings: (f64, usize, f64, f64, f64),
    variances: bool,
    observer: Option<Py<PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Outcome, Option<Bound<'py, PyAny>>)> {
    let (py, native) = (b.py(), a.native);
    let (damp, max_iters, atol, btol, conlim) = settings;
    let solver = Lsqr::new()
        .damping(damp)
        .max_iters(max_iters)
        .atol(atol)
        .btol(btol)
        .conlim(conlim)
        .centre(Centre::Start);
    typed!(&a.held, a => {
        let (a, b, x0) = (a.clone(), owned("b", b)?, owned("x0", x0)?);
        if !variances {
            let solve = move |x: &mut [_], observer: &mut Observer<_>| solver.solve_observed::<[_], _>(&a, &b, x, observer);
            let (x, outcome) = finish(py, watch(py, native, observer, x0, solve))?;
            return Ok((x, outcome, None));
        }
        // The estimates travel behind the iterate, so that one vector comes back.
        let n = x0.len();
        let mut both = x0;
        both.extend_from_within(..);
        let solve = move |both: &mut [_], observer: &mut Observer<_>| {
            let (x, variances) = both.split_at_mut(n);
            solver.solve_with_variances::<[_], _>(&a, &b, x, variances, observer)
        };
        let (mut x, report) = watch(py, native, observer, both, solve)?;
        let variances = x.split_off(n);
        Ok((give(py, x), report.into(), Some(give(py, variances))))
    })
}

/// min ‖A x − b‖² + d²‖x − x₀‖², by LSMR.
#[pyfunction]
fn lsmr<'py>(
    a: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    settings: (f64, usize, f64, f64, f64),
    observer: Option<Py<PyAny>>,
) -> PyResult<Solved<'py>> {
    let (py, native) = (b.py(), a.native);
    let (damp, max_iters, atol, btol, conlim) = settings;
    let solver = Lsmr::new()
        .damping(damp)
        .max_iters(max_iters)
        .atol(atol)
        .btol(btol)
        .conlim(conlim)
        .centre(Centre::Start);
    typed!(&a.held, a => {
        let (a, b) = (a.clone(), owned("b", b)?);
        let solve = move |x: &mut [_], observer: &mut Observer<_>| solver.solve_observed::<[_], _>(&a, &b, x, observer);
        finish(py, watch(py, native, observer, owned("x0", x0)?, solve))
    })
}

/// A x = b for positive definite A, by conjugate gradients with an optional preconditioner.
#[pyfunction]
fn cg<'py>(
    a: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    settings: (usize, f64, f64),
    preconditioner: Option<PyRef<'py, Operator>>,
    observer: Option<Py<PyAny>>,
) -> PyResult<Solved<'py>> {
    let py = b.py();
    let (max_iters, rtol, atol) = settings;
    let native = a.native && preconditioner.as_ref().is_none_or(|m| m.native);
    let solver = Cg::new().max_iters(max_iters).rtol(rtol).atol(atol);
    typed!(&a.held, a => {
        let (a, b) = (a.clone(), owned("b", b)?);
        let m = preconditioner.map(|m| same("M", &m)).transpose()?;
        let solve = move |x: &mut [_], observer: &mut Observer<_>| match &m {
            Some(m) => solver.solve_preconditioned::<[_], _, _>(&a, m, &b, x, observer),
            None => solver.solve_observed::<[_], _>(&a, &b, x, observer),
        };
        finish(py, watch(py, native, observer, owned("x0", x0)?, solve))
    })
}

/// min ‖A x − b‖² + λ‖L x‖².
#[pyfunction]
fn tikhonov<'py>(
    a: PyRef<'py, Operator>,
    l: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: &Bound<'py, PyAny>,
    settings: (f64, usize, f64),
    observer: Option<Py<PyAny>>,
) -> PyResult<Solved<'py>> {
    let (py, native) = (b.py(), a.native && l.native);
    let (lambda, max_iters, tolerance) = settings;
    let solver = Tikhonov::new(lambda).max_iters(max_iters).tolerance(tolerance);
    typed!(&a.held, a => {
        let (a, l, b) = (a.clone(), same("L", &l)?, owned("b", b)?);
        let solve = move |x: &mut [_], observer: &mut Observer<_>| {
            solver.solve_observed::<[_], _, _>(&a, &l, &b, x, observer)
        };
        finish(py, watch(py, native, observer, owned("x0", x0)?, solve))
    })
}

/// Richardson–Lucy: counts `b` of mean A x + d.
#[pyfunction]
fn richardson_lucy<'py>(
    a: PyRef<'py, Operator>,
    b: &Bound<'py, PyAny>,
    x0: Option<&Bound<'py, PyAny>>,
    settings: (usize, bool),
    background: &Bound<'py, PyAny>,
    observer: Option<Py<PyAny>>,
) -> PyResult<Solved<'py>> {
    fn run<'py, T: Entry + Real>(
        (a, native): (Shared<T>, bool),
        b: &Bound<'py, PyAny>,
        x0: Option<&Bound<'py, PyAny>>,
        (max_iters, clip): (usize, bool),
        background: &Bound<'py, PyAny>,
        observer: Option<Py<PyAny>>,
    ) -> PyResult<Solved<'py>> {
        let py = b.py();
        let (b, d) = (owned::<T>("b", b)?, owned::<T>("background", background)?);
        let (start, x) = match x0 {
            Some(x0) => (Start::Given, owned("x0", x0)?),
            None => (Start::Mean, crate::memory::zeroed("x", a.shape().1)?),
        };
        let solve = move |x: &mut [T], observer: &mut Observer<T>| {
            let mut solver = RichardsonLucy::<[T]>::new().max_iters(max_iters).start(start);
            if clip {
                solver = solver.clip_data();
            }
            solver = match &d[..] {
                [level] => solver.background(level.as_f64()),
                _ => solver.background_vector(&d),
            };
            solver.solve_observed(&a, &b, x, observer)
        };
        finish(py, watch(py, native, observer, x, solve))
    }
    let native = a.native;
    match &a.held {
        Typed::F32(a) => run((a.clone(), native), b, x0, settings, background, observer),
        Typed::F64(a) => run((a.clone(), native), b, x0, settings, background, observer),
        _ => Err(PyTypeError::new_err("A is complex, expected a real operator")),
    }
}

/// T x = b for the Toeplitz matrix with this first column and row; `b` is (n, S).
#[pyfunction]
fn solve_toeplitz<'py>(
    column: &Bound<'py, PyAny>,
    row: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    struct Solve<'a, 'py>([&'a Bound<'py, PyAny>; 3]);

    impl<'py> super::element::Work for Solve<'_, 'py> {
        type Output = Bound<'py, PyAny>;
        fn run<T: Entry>(self) -> PyResult<Self::Output> {
            let [column, row, b] = self.0;
            let (py, c, r) = (b.py(), owned::<T>("c", column)?, owned::<T>("r", row)?);
            let b = borrow::<T>("b", b)?;
            let view = super::arrays::batch("b", &b)?;
            let x = py.detach(|| Levinson::new(&c, &r)?.solve_batch(view))?;
            Ok(x.into_pyarray(py).into_any())
        }
    }
    super::element::with_dtype_of(column, Solve([column, row, b]))
}

/// Polynomial long division: `y = conv(h, q) + r`.
#[pyfunction(name = "deconv")]
fn divide<'py>(
    y: &Bound<'py, PyAny>,
    h: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    struct Divide<'a, 'py>(&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>);

    impl<'py> super::element::Work for Divide<'_, 'py> {
        type Output = (Bound<'py, PyAny>, Bound<'py, PyAny>);
        fn run<T: Entry>(self) -> PyResult<Self::Output> {
            let (py, y, h) = (self.0.py(), owned::<T>("y", self.0)?, owned::<T>("h", self.1)?);
            let (quotient, remainder) = py.detach(|| deconv(&y, &h)).map_err(|e: Error| e)?;
            Ok((give(py, quotient), give(py, remainder)))
        }
    }
    super::element::with_dtype_of(y, Divide(y, h))
}

pub fn register(m: &Bound<PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(cgls, m)?)?;
    m.add_function(wrap_pyfunction!(lsqr, m)?)?;
    m.add_function(wrap_pyfunction!(lsmr, m)?)?;
    m.add_function(wrap_pyfunction!(cg, m)?)?;
    m.add_function(wrap_pyfunction!(tikhonov, m)?)?;
    m.add_function(wrap_pyfunction!(richardson_lucy, m)?)?;
    m.add_function(wrap_pyfunction!(solve_toeplitz, m)?)?;
    m.add_function(wrap_pyfunction!(divide, m)?)
}
