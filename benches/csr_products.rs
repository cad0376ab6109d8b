//! What does a product with any sparse matrix cost, beside the most multiply-adds that this processor does?
//!
//! `cargo bench --bench csr_products` prints, for a band (31 diagonals) and for 20 random columns in a window of 64: GF/s of
//! A X and of Aᴴ Y with S signals side by side, and the share of the limit, which is measured by a loop that only adds
//! products in registers. A number on the command line is the number of threads, 1 by default.

use convmtx::csr::CsrOperator;
use convmtx::ndarray::Array2;
use convmtx::op::BatchOperator;
use convmtx::{Real, Scalar};
use sprs::CsMatI;
use std::hint::black_box;
use std::time::Instant;

const ROWS: usize = 20_000;

/// Seconds of `work`, the best of many.
fn seconds(mut work: impl FnMut()) -> f64 {
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    while begin.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// Multiply-adds in registers, GF/s of one thread. Chains of 8 registers each; compiled for this machine with
/// `RUSTFLAGS="-C target-cpu=native"`, otherwise for the least of its kind.
fn limit<T: Scalar>() -> f64 {
    const LANES: usize = 128;
    const ROUNDS: usize = 100_000;
    let (factor, term) = (black_box(T::from_real(Real::of(0.999))), black_box(T::one()));
    let mut sums = [T::zero(); LANES];
    let time = seconds(|| {
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum =
                    if cfg!(target_feature = "fma") { sum.fused(factor, term) } else { *sum * factor + term };
            }
        }
        black_box(&mut sums);
    });
    2e-9 * (LANES * ROUNDS) as f64 / time
}

/// Row r holds the columns r + offset that exist.
fn matrix<T: Scalar>(offsets: impl Fn(usize) -> Vec<isize>) -> CsMatI<T, i32> {
    let (mut indptr, mut indices) = (vec![0], Vec::new());
    for r in 0..ROWS {
        let columns = offsets(r).into_iter().filter_map(|o| r.checked_add_signed(o)).filter(|&c| c < ROWS);
        indices.extend(columns.map(|c| i32::try_from(c).expect("few rows")));
        indptr.push(i32::try_from(indices.len()).expect("few entries"));
    }
    let values = (0..indices.len()).map(|i| T::from_real(Real::of((i % 7 + 1) as f64))).collect();
    CsMatI::new((ROWS, ROWS), indptr, indices, values)
}

/// 20 of the 64 offsets around 0, ascending; others for every row.
fn scattered(r: usize) -> Vec<isize> {
    let mut state = r as u64 + 1;
    let mut offsets: Vec<isize> = (-32..32).collect();
    for i in 0..20 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        offsets.swap(i, i + (state >> 33) as usize % (64 - i));
    }
    offsets.truncate(20);
    offsets.sort_unstable();
    offsets
}

fn table<T: Scalar>(threads: usize) {
    let limit = limit::<T>() * threads as f64;
    println!("{}: limit {limit:.1} GF/s with {threads} threads", T::NAME);
    let kinds = [("band", matrix::<T>(|_| (-15..=15).collect())), ("window", matrix::<T>(scattered))];
    for (name, matrix) in kinds {
        let nnz = matrix.nnz();
        let a = CsrOperator::new(matrix).expect("a sorted matrix");
        for signals in [1, 2, 4, 8, 16, 64, 256] {
            let x = Array2::from_shape_fn((ROWS, signals), |(i, j)| {
                T::from_real(Real::of(((i + j) % 13) as f64))
            });
            let mut y = x.clone();
            let times = [
                seconds(|| a.forward_batch(x.view(), y.view_mut(), &mut []).expect("a product")),
                seconds(|| a.adjoint_batch(x.view(), y.view_mut(), &mut []).expect("a product")),
            ];
            let [forward, adjoint] = times.map(|t| 2e-9 * (nnz * signals) as f64 / t);
            println!(
                "  {name:6} S = {signals:3}: A X {forward:6.1} GF/s, {:3.0} %   Aᴴ Y {adjoint:6.1} GF/s, {:3.0} %",
                100.0 * forward / limit,
                100.0 * adjoint / limit
            );
        }
    }
}

fn main() {
    let threads = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        table::<f64>(threads);
        table::<f32>(threads);
    });
}
