//! Deblurring one channel: the method, its λ, and when to stop. Shared by `deblur` and `demo`.

use crate::Conv2d;
use crate::cli::failure::{Failure, Result};
use crate::direct::DirectConv;
use crate::ndarray::Array2;
use crate::op::Gradient2d;
use crate::solve::{Cgls, Lsqr, Progress, Report, RichardsonLucy, StopReason, Tikhonov};
use clap::ValueEnum;
use std::ops::ControlFlow;

/// The residual counts as explained by noise of standard deviation σ when it is at most this times σ√N: a little
/// above 1, as the discrepancy principle has it (Morozov 1966; Hansen, *Discrete Inverse Problems*, 2010, §5.2).
pub const MARGIN: f64 = 1.02;

/// Steps per factor of ten when Tikhonov's λ is searched.
const STEPS_PER_DECADE: f64 = 4.0;

/// λ is searched between these times σ². It should be (σ / s)² for pictures whose gradient has the standard deviation
/// s: hardly any has s below 0.002 or above 0.3. Where the smallest leaves more than noise, the model is wrong, not λ.
const SEARCHED: (f64, f64) = (10.0, 250_000.0);

/// λ of Tikhonov's method where neither λ nor the noise is given.
pub const DEFAULT_LAMBDA: f64 = 1e-3;

/// The relative normal residual at which Tikhonov's minimum counts as reached; an order smaller changes no digit
/// of the PSNR.
const TOLERANCE: f64 = 1e-5;

/// The method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// min ‖A x − b‖² + λ‖∇x‖², which favours smooth pictures; λ by --lambda, by --noise, or 0.001
    Tikhonov,
    /// min ‖A x − b‖² + λ‖x‖² by conjugate gradients from a black picture on; λ = 0 unless --lambda
    Cgls,
    /// The same by Golub-Kahan bidiagonalisation
    Lsqr,
    /// Richardson-Lucy: non-negative, for counted photons; more iterations are sharper and noisier
    Rl,
}

impl Method {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Method::Tikhonov => "Tikhonov",
            Method::Cgls => "CGLS",
            Method::Lsqr => "LSQR",
            Method::Rl => "Richardson-Lucy",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    pub method: Method,
    /// The weight of the squared penalty: its root is the damping of CGLS and LSQR.
    pub lambda: Option<f64>,
    pub iterations: Option<usize>,
    /// The standard deviation of the noise, for the discrepancy principle.
    pub noise: Option<f64>,
}

impl Recipe {
    /// The largest number of iterations: as asked, or what suits the method.
    ///
    /// Without λ and noise level the number of iterations is what regularises CGLS, LSQR and Richardson-Lucy: 30.
    pub fn iterations(&self) -> usize {
        let regularised = self.noise.is_some() || self.lambda.is_some_and(|l| l > 0.0);
        self.iterations.unwrap_or(match (self.method, regularised) {
            (Method::Tikhonov, _) => 500,
            (Method::Cgls | Method::Lsqr | Method::Rl, true) => 200,
            (Method::Cgls | Method::Lsqr | Method::Rl, false) => 30,
        })
    }
}

/// A restored channel, and how it came about.
#[derive(Debug)]
pub struct Restored {
    pub image: Array2<f64>,
    pub report: Report,
    /// Why it stopped, in words.
    pub why: String,
    /// The norm that noise alone would have, times [`MARGIN`].
    pub target: Option<f64>,
    /// λ and residual norm of every trial, where λ was searched.
    pub trials: Vec<(f64, f64)>,
    /// What the reader should know before trusting the result.
    pub warning: Option<String>,
}

/// Solves A x ≈ b − d for one channel; `watch` hears (iteration, limit, λ).
pub fn restore(
    conv: &Conv2d<f64>,
    blurred: &Array2<f64>,
    recipe: &Recipe,
    watch: &mut dyn FnMut(usize, usize, Option<f64>),
) -> Result<Restored> {
    let d = conv.constant_term()?;
    let counts: Vec<f64> = blurred.iter().copied().collect();
    let mut b = counts.clone();
    for (b, d) in b.iter_mut().zip(d.iter().flatten()) {
        *b -= d;
    }
    let target = recipe.noise.map(|sigma| MARGIN * sigma * (b.len() as f64).sqrt()); // exact below 2⁵³
    let a = conv.to_direct()?;
    let problem = Deblurring { a, b, shape: blurred.dim(), limit: recipe.iterations(), target };
    match (recipe.method, recipe.lambda, recipe.noise) {
        (Method::Tikhonov, None, Some(sigma)) if sigma > 0.0 => problem.search(sigma, watch),
        (Method::Tikhonov, lambda, _) => problem.tikhonov(lambda.unwrap_or(DEFAULT_LAMBDA), watch),
        (Method::Cgls, lambda, _) => {
            let lambda = lambda.unwrap_or(0.0);
            let solver = Cgls::new().damping(lambda.sqrt()).max_iters(problem.limit);
            problem.iterate(
                vec![0.0; problem.b.len()],
                |x, watch| solver.solve_observed::<[f64], _>(&problem.a, &problem.b[..], &mut x[..], watch),
                watch,
            )
        }
        (Method::Lsqr, lambda, _) => {
            let lambda = lambda.unwrap_or(0.0);
            let solver = Lsqr::new().damping(lambda.sqrt()).max_iters(problem.limit);
            problem.iterate(
                vec![0.0; problem.b.len()],
                |x, watch| solver.solve_observed::<[f64], _>(&problem.a, &problem.b[..], &mut x[..], watch),
                watch,
            )
        }
        (Method::Rl, _, _) => {
            let mut solver = RichardsonLucy::<[f64]>::new().max_iters(problem.limit).clip_data();
            if let Some(d) = &d {
                solver = solver.background_vector(&d[..]);
            }
            problem.iterate(
                vec![0.0; counts.len()],
                |x, watch| solver.solve_observed(&problem.a, &counts[..], &mut x[..], watch),
                watch,
            )
        }
    }
}

type Observer<'o> = &'o mut dyn FnMut(&Progress<'_, [f64]>) -> ControlFlow<()>;

/// A x ≈ b for one channel.
struct Deblurring {
    a: DirectConv<f64, 2>,
    b: Vec<f64>,
    shape: (usize, usize),
    limit: usize,
    target: Option<f64>,
}

impl Deblurring {
    /// An iteration that regularises by stopping: at the noise level, or at the limit.
    fn iterate(
        &self,
        mut x: Vec<f64>,
        solve: impl FnOnce(&mut [f64], Observer) -> crate::Result<Report>,
        watch: &mut dyn FnMut(usize, usize, Option<f64>),
    ) -> Result<Restored> {
        let explained = |residual: f64| self.target.is_some_and(|t| residual <= t);
        let report = solve(&mut x, &mut |p| {
            watch(p.iteration, p.max_iters, None);
            if explained(p.residual_norm) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let mut warning = None;
        let why = match report.stop {
            StopReason::Interrupted => "the residual fell to the noise level (discrepancy principle)".into(),
            StopReason::IterationLimit if self.target.is_some() => {
                warning = Some(format!(
                    "{} iterations did not bring the residual down to the noise level: allow more with --iterations, \
                     or check PSF, boundary and noise",
                    report.iterations
                ));
                "iteration limit, above the noise level".into()
            }
            StopReason::IterationLimit => "iteration limit; stopping early is the regularisation".into(),
            stop => {
                if let StopReason::Breakdown { .. } = stop {
                    warning = Some(format!("{stop}; the result is the last usable iterate"));
                }
                stop.to_string()
            }
        };
        self.finish(x, report, why, Vec::new(), warning)
    }

    /// Tikhonov's method for one λ, from the blurred picture on.
    fn tikhonov(&self, lambda: f64, watch: &mut dyn FnMut(usize, usize, Option<f64>)) -> Result<Restored> {
        let mut x = self.b.clone();
        let report = self.minimise(lambda, &mut x, watch)?;
        let warning = match report.stop {
            StopReason::IterationLimit => {
                Some(format!("the minimum was not reached with --iterations {}", report.iterations))
            }
            stop @ StopReason::Breakdown { .. } => {
                Some(format!("{stop}; the result is the last usable iterate: λ may be out of proportion"))
            }
            _ => None,
        };
        let why = format!("{}, which is the minimum for this λ", report.stop);
        let why = if warning.is_some() { report.stop.to_string() } else { why };
        self.finish(x, report, why, Vec::new(), warning)
    }

    /// Tikhonov's method for the largest λ of a fixed grid whose residual noise explains; each trial starts from
    /// the last.
    fn search(&self, sigma: f64, watch: &mut dyn FnMut(usize, usize, Option<f64>)) -> Result<Restored> {
        let target = self.target.unwrap_or(0.0);
        let (mut x, mut trials) = (self.b.clone(), Vec::new());
        for step in 0.. {
            let lambda = SEARCHED.1 * sigma * sigma * 10_f64.powf(-f64::from(step) / STEPS_PER_DECADE);
            let report = self.minimise(lambda, &mut x, watch)?;
            let residual = report.residual_norm();
            trials.push((lambda, residual));
            if residual <= target {
                let why =
                    "the largest λ of the grid whose residual is at the noise level (discrepancy principle)";
                return self.finish(x, report, why.into(), trials, None);
            }
            if lambda <= SEARCHED.0 * sigma * sigma || !residual.is_finite() {
                let warning = format!(
                    "no λ down to {lambda:.1e} explains the data up to noise of σ = {sigma:e}: check PSF and boundary, \
                     or raise --noise"
                );
                return self.finish(x, report, "the end of the grid of λ".into(), trials, Some(warning));
            }
        }
        Err(Failure::failed("the grid of λ has no end")) // it has, see above
    }

    fn minimise(
        &self,
        lambda: f64,
        x: &mut [f64],
        watch: &mut dyn FnMut(usize, usize, Option<f64>),
    ) -> Result<Report> {
        let gradient = Gradient2d::new(self.shape.0, self.shape.1)?;
        let solver = Tikhonov::new(lambda).max_iters(self.limit).tolerance(TOLERANCE);
        Ok(solver.solve_observed::<[f64], _, _>(&self.a, &gradient, &self.b[..], x, |p| {
            watch(p.iteration, p.max_iters, Some(lambda));
            ControlFlow::Continue(())
        })?)
    }

    fn finish(
        &self,
        x: Vec<f64>,
        report: Report,
        why: String,
        trials: Vec<(f64, f64)>,
        warning: Option<String>,
    ) -> Result<Restored> {
        let image = Array2::from_shape_vec(self.shape, x).map_err(|e| Failure::failed(e.to_string()))?;
        if matches!(report.stop, StopReason::VanishingPrediction | StopReason::NegativePrediction) {
            return Err(Failure::failed(format!(
                "{}: Richardson-Lucy needs a non-negative PSF and boundary; use another --method",
                report.stop
            )));
        }
        Ok(Restored { image, report, why, target: self.target, trials, warning })
    }
}
