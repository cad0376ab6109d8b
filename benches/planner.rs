//! Does the planner take the engine that is fastest, or nearly so?
//!
//! `cargo bench --bench planner` measures every engine on a grid of more than 300 cases, on one thread and with rates
//! measured on this machine first, and prints each case in which the engine that `plan()` takes needs more than 1.3 times the
//! time of the best, and the fraction of the others. It fails below 95 %. With `-- all` it prints every case, which is what the
//! constants of `src/plan/cost.rs` are fitted to.

use convmtx::op::LinearOperator;
use convmtx::plan::{Engine, Plan, Rates};
use convmtx::{Boundary, Conv1d, Conv2d, Conv3d, Geometry, Real, RowwiseConv, Scalar};
use ndarray::{Array2, Array3};
use num_complex::Complex;
use std::time::Instant;

/// How much slower than the best engine a good choice may be.
const CLOSE: f64 = 1.3;

/// The fraction of good choices that is claimed.
const CLAIM: f64 = 0.95;

/// Seconds of a forward product, the best of several.
fn seconds<T: Scalar>(a: &impl LinearOperator<[T]>) -> f64 {
    let (m, n) = a.shape();
    let (x, mut y, mut scratch) = (numbers::<T>(n), vec![T::zero(); m], vec![T::zero(); a.scratch_len()]);
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    for round in 0..10_000 {
        let start = Instant::now();
        a.forward(&x, &mut y, &mut scratch).expect("a product");
        best = best.min(start.elapsed().as_secs_f64());
        if round >= 3 && begin.elapsed().as_secs_f64() > 0.02 {
            break;
        }
    }
    best
}

/// Numbers without a pattern.
fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    let part = |i: usize| T::Real::of((i * 7919 % 10_007) as f64 / 10_007.0 - 0.4);
    (0..len).map(|i| T::from_parts(part(i), part(i + 7))).collect()
}

/// The outer product of Gaussians.
fn gaussian<T: Scalar>(len: usize, at: usize) -> T {
    let centred = (at as f64 - (len as f64 - 1.0) / 2.0) / len as f64;
    T::from_real(T::Real::of((-8.0 * centred * centred).exp()))
}

/// What was measured.
#[derive(Default)]
struct Score {
    cases: usize,
    close: usize,
}

impl Score {
    fn case<T: Scalar, const D: usize>(&mut self, what: &str, plan: &Plan<T, D>) {
        let measured: Vec<(Engine, f64, f64)> = plan
            .candidates()
            .iter()
            // What is predicted to be far too slow is not worth minutes.
            .filter(|c| c.seconds < 0.2 || c.engine == plan.engine())
            .map(|c| {
                let operator = plan.clone().with(c.engine).build().expect("an operator");
                (c.engine, seconds(&operator), c.seconds)
            })
            .collect();
        let best = measured.iter().map(|m| m.1).fold(f64::INFINITY, f64::min);
        let taken = measured.iter().find(|m| m.0 == plan.engine()).map_or(f64::NAN, |m| m.1);
        self.cases += 1;
        let close = taken <= CLOSE * best;
        self.close += usize::from(close);
        let all = std::env::args().any(|word| word == "all");
        if close && !all {
            return;
        }
        print!("{:10} {what:30} takes {} at {:.2} of the best:", T::NAME, plan.engine(), taken / best);
        measured.iter().for_each(|(e, is, was)| print!("  {e} {is:.2e} (predicted {was:.2e})"));
        println!();
        for c in plan.candidates().iter().filter(|_| all) {
            println!("    {}: {:.4e} flops, {:.4e} bytes, {}", c.engine, c.flops, c.bytes, c.detail);
        }
    }

    fn signals<T: Scalar>(&mut self) {
        for n in [300, 3000, 30_011, 300_000] {
            for k in [2, 5, 9, 17, 31, 65, 129, 301, 1001, 3001] {
                for boundary in [Boundary::Zero, Boundary::Symmetric] {
                    let geometry = Geometry::same().boundary(boundary);
                    let conv = Conv1d::new(&numbers::<T>(k), n, geometry).expect("sizes");
                    self.case(&format!("{n} by {k} {boundary:?}"), &conv.plan());
                }
            }
        }
        for (rows, n, k) in
            [(64, 100, 9), (64, 1000, 31), (200, 500, 499), (16, 20_000, 257), (8, 50_000, 2000)]
        {
            let kernels = Array2::from_shape_vec((rows, k), numbers::<T>(rows * k)).expect("shape");
            let conv = RowwiseConv::new(kernels.view(), (rows, n), Geometry::full()).expect("sizes");
            self.case(&format!("{rows} rows, {n} by {k}"), &conv.plan());
        }
    }

    fn images<T: Scalar>(&mut self) {
        for size in [[32, 32], [100, 130], [256, 256], [1000, 517]] {
            for k in [3, 5, 9, 15, 21, 31, 47, 63] {
                if k > size[0] {
                    continue;
                }
                let dense = Array2::from_shape_vec((k, k), numbers::<T>(k * k)).expect("shape");
                let smooth =
                    Array2::from_shape_fn((k, k), |(i, j)| gaussian::<T>(k, i) * gaussian::<T>(k, j));
                for (name, psf) in [("dense", dense), ("gaussian", smooth)] {
                    let conv = Conv2d::new(&psf, size, Geometry::same()).expect("sizes");
                    self.case(&format!("{size:?} by {k}, {name}"), &conv.plan());
                }
            }
        }
        for (n, k) in [(20, 3), (20, 7), (48, 5), (48, 11), (48, 21)] {
            let kernel = Array3::from_shape_vec((k, k, k), numbers::<T>(k * k * k)).expect("shape");
            let conv = Conv3d::new(&kernel, [n, n, n], Geometry::same()).expect("sizes");
            self.case(&format!("{n} cubed by {k}"), &conv.plan());
        }
    }

    fn all<T: Scalar>(&mut self) {
        self.signals::<T>();
        self.images::<T>();
    }
}

/// Set in the process that measures.
const CHILD: &str = "CONVMTX_PLANNER_BENCH";

/// Plans read the rates once, so that they must be there before the process that plans begins.
fn with_rates_of_this_machine() {
    let file = std::env::temp_dir().join(format!("convmtx-rates-{}", std::process::id()));
    std::fs::write(&file, Rates::measure().expect("rates").to_string()).expect("a file");
    let program = std::env::current_exe().expect("this program");
    let child = std::process::Command::new(program)
        .args(std::env::args().skip(1))
        .env("CONVMTX_RATES", &file)
        .env(CHILD, "1")
        .status();
    std::fs::remove_file(&file).expect("the file");
    assert!(child.expect("a process").success(), "the planner is not as good as claimed");
}

fn main() {
    if std::env::var_os(CHILD).is_none() {
        return with_rates_of_this_machine();
    }
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let mut score = Score::default();
    one.install(|| {
        score.all::<f64>();
        score.all::<f32>();
        score.all::<Complex<f64>>();
    });
    let fraction = score.close as f64 / score.cases as f64;
    println!("{:.1} % of {} cases within {CLOSE} of the best engine", 100.0 * fraction, score.cases);
    assert!(score.cases >= 300 && fraction >= CLAIM, "claimed are {:.0} %", 100.0 * CLAIM);
}
