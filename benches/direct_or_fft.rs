//! Where do transforms overtake the definition? Times of both engines on one thread, and what the planner predicts.
//!
//! `cargo bench --bench direct_or_fft` prints one line per size: seconds measured and predicted, the ratio direct/FFT, and
//! the engine that `plan()` takes. The constants of `src/plan/cost.rs` come from this table.

use convmtx::op::LinearOperator;
use convmtx::plan::{Engine, Plan};
use convmtx::{Conv1d, Conv2d, Conv3d, ConvMode, RowwiseConv, Scalar};
use ndarray::{Array2, Array3};
use num_complex::Complex;
use std::time::Instant;

/// Seconds of a forward product, the best of several.
fn seconds<T: Scalar>(a: &impl LinearOperator<[T]>) -> f64 {
    let (m, n) = a.shape();
    let (x, mut y, mut scratch) = (numbers::<T>(n), vec![T::zero(); m], vec![T::zero(); a.scratch_len()]);
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    for round in 0..1000 {
        let start = Instant::now();
        a.forward(&x, &mut y, &mut scratch).expect("a product");
        best = best.min(start.elapsed().as_secs_f64());
        if round >= 2 && begin.elapsed().as_secs_f64() > 0.3 {
            break;
        }
    }
    best
}

fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    let part = |i: usize| convmtx::Real::of((i * 37 % 101) as f64 / 101.0 - 0.5);
    (0..len).map(|i| T::from_parts(part(i), part(i + 7))).collect()
}

fn line<T: Scalar, const D: usize>(what: String, plan: Plan<T, D>) {
    let engines = [Engine::Direct, Engine::Fft];
    let measured = engines.map(|e| seconds(&plan.clone().with(e).build().expect("an operator")));
    let predicted =
        engines.map(|e| plan.candidates().iter().find(|c| c.engine == e).map_or(f64::NAN, |c| c.seconds));
    println!(
        "{:10} {what:26} direct {:.2e} ({:.2e})  fft {:.2e} ({:.2e})  ratio {:7.2} ({:7.2})  {:?}",
        T::NAME,
        measured[0],
        predicted[0],
        measured[1],
        predicted[1],
        measured[0] / measured[1],
        predicted[0] / predicted[1],
        plan.engine()
    );
}

fn table<T: Scalar>() {
    for (n, k) in [
        (1000, 31),
        (1000, 301),
        (100_000, 31),
        (100_000, 129),
        (100_000, 1025),
        (1_000_000, 129),
        (1_000_000, 4097),
    ] {
        let conv = Conv1d::new(&numbers::<T>(k), n, ConvMode::Same).expect("sizes");
        line(format!("{n} by {k}"), conv.plan());
    }
    for (n, k) in [(64, 5), (256, 5), (256, 15), (256, 31), (512, 63), (1024, 15), (1024, 31)] {
        let psf = Array2::from_shape_vec((k, k), numbers::<T>(k * k)).expect("shape");
        let conv = Conv2d::new(&psf, [n, n], ConvMode::Same).expect("sizes");
        line(format!("{n}^2 by {k}^2"), conv.plan());
    }
    let kernel = Array3::from_shape_vec((9, 9, 9), numbers::<T>(729)).expect("shape");
    let conv = Conv3d::new(&kernel, [64, 64, 64], ConvMode::Same).expect("sizes");
    line("64^3 by 9^3".into(), conv.plan());
    let kernels = Array2::from_shape_vec((100, 257), numbers::<T>(25_700)).expect("shape");
    let conv = RowwiseConv::new(kernels.view(), (100, 4000), ConvMode::Full).expect("sizes");
    line("100 rows, 4000 by 257".into(), conv.plan());
}

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    one.install(|| {
        table::<f64>();
        table::<f32>();
        table::<Complex<f64>>();
        table::<Complex<f32>>();
    });
}
