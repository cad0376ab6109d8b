//! How near the limit of this machine is a product?
//!
//! `cargo bench --bench limits` takes three times in turn, for every case: the product, a copy by the C library of as many bytes as
//! the product reads and writes, and as many multiply-adds in registers as its engine needs (none for transforms). The limit is
//! the larger of the last two; it is no bound in the strict sense, since one may read faster than copy, and since a product whose
//! operands lie in a cache copies nothing. All three run on as many threads (`-- 2`; 1 by default), because a machine that is
//! shared gives two threads less than twice what it gives one, and at times nothing. Where a share of the limit is promised, it
//! stands in the last column, and the command fails if it is missed; `-- 1 stacked` measures the cases whose names contain
//! that word.

use convmtx::csr::CsrOperator;
use convmtx::ndarray::{Array, Array2, ShapeBuilder};
use convmtx::op::BatchOperator;
use convmtx::plan::Engine;
use convmtx::{Conv1d, Conv2d, ConvMode, FilterBank, Layer, Real, Result, Scalar};
use rayon::prelude::*;
use sprs::CsMatI;
use std::hint::black_box;
use std::time::Instant;

/// Measurements of each kind, of which the median counts, and seconds of one.
const ROUNDS: usize = 9;
const SPENT: f64 = 2e-3;

/// Seconds of `work`: the mean of as many calls as fill some time.
fn seconds(mut work: impl FnMut()) -> f64 {
    let (begin, mut calls) = (Instant::now(), 0);
    loop {
        work();
        calls += 1;
        let elapsed = begin.elapsed().as_secs_f64();
        if elapsed >= SPENT {
            return elapsed / f64::from(calls);
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Multiply-adds of some numbers in registers, so many times.
#[inline(always)]
fn chains<T: Scalar, const LANES: usize>(rounds: usize) {
    let (factor, term) = (black_box(T::from_real(Real::of(0.999))), black_box(T::one()));
    let mut sums = [T::zero(); LANES];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.fused(factor, term);
        }
    }
    black_box(&mut sums);
}

/// The same in the widest registers of this machine; seconds of a multiply-add of one thread while all are at it.
fn arithmetic<T: Scalar>() -> f64 {
    const ROUNDS: usize = 500_000;
    const WIDEST: usize = 128;
    const WIDE: usize = 32;
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,fma")]
        fn widest<T: Scalar>() {
            chains::<T, WIDEST>(ROUNDS);
        }
        #[target_feature(enable = "avx2,fma")]
        fn wide<T: Scalar>() {
            chains::<T, WIDE>(ROUNDS);
        }
        let has_fma = is_x86_feature_detected!("fma");
        let has_widest = has_fma && is_x86_feature_detected!("avx512f");
        assert!(
            has_fma && is_x86_feature_detected!("avx2"),
            "no fused multiply-add: nothing to compare with"
        );
        let work = || match has_widest {
            // SAFETY: this processor has the instructions, as found above.
            true => unsafe { widest::<T>() },
            // SAFETY: as above.
            false => unsafe { wide::<T>() },
        };
        let lanes = if has_widest { WIDEST } else { WIDE };
        seconds(|| drop(rayon::broadcast(|_| work()))) / (lanes * ROUNDS) as f64
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        seconds(|| drop(rayon::broadcast(|_| chains::<T, WIDE>(ROUNDS)))) / (WIDE * ROUNDS) as f64
    }
}

/// A product, and what it needs at least.
struct Case<'a> {
    /// Where it was chosen.
    engine: Option<Engine>,
    /// The share of the limit that it is to reach.
    asked: Option<f64>,
    /// Bytes read and written.
    bytes: usize,
    /// Multiply-adds of the engine that was chosen.
    products: usize,
    work: Box<dyn FnMut() + 'a>,
}

impl Case<'_> {
    /// Prints a line of the table; whether the share is what was asked.
    fn measure<T: Scalar>(mut self, name: &str) -> bool {
        let threads = rayon::current_num_threads();
        let (from, mut to) = (vec![1_u64; self.bytes / 16], vec![2_u64; self.bytes / 16]);
        let part = to.len().div_ceil(threads).clamp(1, 1 << 15);
        let mut copy =
            || to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(a, b)| a.copy_from_slice(b));
        (self.work)();
        let mut times: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            times[0].push(seconds(&mut self.work));
            times[1].push(seconds(&mut copy));
            times[2].push(arithmetic::<T>() * self.products as f64 / threads as f64);
        }
        let [ours, copied, added] = times.map(median);
        let share = copied.max(added) / ours;
        let met = self.asked.is_none_or(|asked| share >= asked);
        let asked = self
            .asked
            .map_or(String::new(), |asked| format!("{asked:.1}{}", if met { "" } else { " MISSED" }));
        println!(
            "| {name} | {} | {:.3} | {:.3} | {:.3} | {share:.2} | {asked} |",
            self.engine.map_or(String::new(), |engine| engine.to_string()),
            1e3 * ours,
            1e3 * copied,
            1e3 * added
        );
        met
    }
}

/// Numbers without a pattern.
fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_real(Real::of((i * 7919 % 10_007) as f64 / 10_007.0 + 0.1))).collect()
}

/// A product with `cols` vectors, into memory that has been written before.
fn product<'a, T: Scalar>(
    a: impl BatchOperator<T> + 'a,
    (cols, by_rows, adjoint): (usize, bool, bool),
    products: usize,
) -> Case<'a> {
    let (m, n) = if adjoint { (a.shape().1, a.shape().0) } else { a.shape() };
    let x = Array2::from_shape_vec((n, cols).set_f(!by_rows), numbers::<T>(n * cols)).expect("a shape");
    let mut y = Array2::from_shape_vec((m, cols).set_f(!by_rows), numbers::<T>(m * cols)).expect("a shape");
    let mut scratch = vec![T::zero(); a.batch_scratch_len(cols)];
    let bytes = (m + n) * cols * size_of::<T>();
    let work = Box::new(move || {
        if adjoint {
            a.adjoint_batch(x.view(), y.view_mut(), &mut scratch).expect("a product");
        } else {
            a.forward_batch(x.view(), y.view_mut(), &mut scratch).expect("a product");
        }
    });
    Case { engine: None, asked: None, bytes, products, work }
}

/// 20 entries at random places of the 64 columns around the diagonal, in each row.
fn random_band<T: Scalar>(rows: usize) -> CsMatI<T, i32> {
    let (mut indptr, mut indices, mut state) = (vec![0], Vec::new(), 1_u64);
    for r in 0..rows {
        let mut offsets: Vec<isize> = (-32..32).collect();
        for i in 0..20 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            offsets.swap(i, i + (state >> 33) as usize % (64 - i));
        }
        offsets.truncate(20);
        offsets.sort_unstable();
        let columns = offsets.into_iter().filter_map(|o| r.checked_add_signed(o)).filter(|&c| c < rows);
        indices.extend(columns.map(|c| i32::try_from(c).expect("few rows")));
        indptr.push(i32::try_from(indices.len()).expect("few entries"));
    }
    let values = numbers(indices.len());
    CsMatI::new((rows, rows), indptr, indices, values)
}

/// A product with images, by the engine that the planner takes.
fn image<'a, T: Scalar>(kernel: Array2<T>, side: usize, count: usize) -> Result<Case<'a>> {
    let a = Conv2d::new(&kernel, [side, side], ConvMode::Same)?.plan().build()?;
    let engine = a.engine();
    let taps = match engine {
        Engine::Direct => kernel.len(),
        Engine::Separable => kernel.nrows() + kernel.ncols(),
        _ => 0,
    };
    Ok(Case { engine: Some(engine), ..product(a, (count, count == 1, false), taps * count * side * side) })
}

type Make<'a> = Box<dyn Fn() -> Result<Case<'a>>>;

/// All cases by name.
fn cases<'a, T: Scalar>() -> Vec<(String, Make<'a>)> {
    let mut all: Vec<(String, Make)> = Vec::new();
    let mut add = |name: String, make: Make<'a>| all.push((format!("{name} {}", T::NAME), make));
    const SAMPLES: usize = 100_000;
    for (taps, signals) in [5, 31, 101].into_iter().flat_map(|k| [1, 4, 16, 64, 256].map(|s| (k, s))) {
        let make = move || {
            let a = Conv1d::new(&numbers::<T>(taps), SAMPLES, ConvMode::Same)?.to_direct()?;
            let asked = (taps >= 31 && signals >= 16).then_some(0.6);
            Ok(Case { asked, ..product(a, (signals, true, false), taps * SAMPLES * signals) })
        };
        add(format!("stacked signals n={SAMPLES} K={taps} S={signals}"), Box::new(make));
    }
    const SIDE: usize = 2048;
    for taps in [3, 5, 7, 9, 15, 31] {
        let make = move || {
            let kernel = Array2::from_shape_vec((taps, taps), numbers::<T>(taps * taps)).expect("a shape");
            let case = image(kernel, SIDE, 1)?;
            Ok(Case { asked: (case.engine == Some(Engine::Direct)).then_some(0.5), ..case })
        };
        add(format!("dense image {SIDE}x{SIDE} K={taps}"), Box::new(make));
    }
    for taps in [3, 7, 15, 31] {
        let make = move || {
            let line = numbers::<T>(taps);
            image(Array2::from_shape_fn((taps, taps), |(i, j)| line[i] * line[j]), SIDE, 1)
        };
        add(format!("separable image {SIDE}x{SIDE} K={taps}"), Box::new(make));
    }
    let make = || image(Array2::from_shape_vec((15, 15), numbers::<T>(225)).expect("a shape"), 256, 64);
    add("64 images 256x256 K=15".to_owned(), Box::new(make));
    let layer = || {
        let weights = Array::from_shape_vec(vec![16, 1, 5, 5], numbers::<T>(400)).expect("a shape");
        FilterBank::layer(weights.view(), [128, 128], Layer::new().padding([2, 2]))
    };
    const LAYER: usize = 64 * 16 * 25 * 128 * 128;
    for (adjoint, what) in [(false, ""), (true, ", by input")] {
        let make = move || Ok(product(layer()?.to_direct()?, (64, false, adjoint), LAYER));
        add(format!("64 images 128x128, 16 kernels 5x5{what}"), Box::new(make));
    }
    let make = move || {
        let layer = layer()?;
        let (x, y) = (numbers::<T>(64 * 128 * 128), numbers::<T>(64 * 16 * 128 * 128));
        let bytes = (x.len() + y.len()) * size_of::<T>();
        let work = Box::new(move || drop(black_box(layer.adjoint_kernel_batch(&x, &y).expect("sizes"))));
        Ok(Case { engine: None, asked: None, bytes, products: LAYER, work })
    };
    add("64 images 128x128, 16 kernels 5x5, by kernel".to_owned(), Box::new(make));
    for (signals, adjoint) in [1, 4, 16, 64, 256].into_iter().flat_map(|s| [(s, false), (s, true)]) {
        let make = move || {
            let matrix = random_band::<T>(SAMPLES);
            let (nnz, index) = (matrix.nnz(), size_of::<i32>());
            let case = product(CsrOperator::new(matrix)?, (signals, true, adjoint), nnz * signals);
            Ok(Case { bytes: case.bytes + nnz * (size_of::<T>() + index) + SAMPLES * index, ..case })
        };
        add(format!("random band {}X S={signals}", if adjoint { "At " } else { "A " }), Box::new(make));
    }
    all
}

/// Of the cases with the word in their names how many there are, and how many miss the share asked for.
fn table<T: Scalar>(word: &str) -> Result<[usize; 2]> {
    let (mut measured, mut missed) = (0, 0);
    for (name, make) in cases::<T>() {
        if name.contains(word) {
            measured += 1;
            missed += usize::from(!make()?.measure::<T>(&name));
        }
    }
    Ok([measured, missed])
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let threads = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(1);
    let word = arguments.iter().find(|a| a.parse::<usize>().is_err()).map_or("", String::as_str);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    println!("| {threads} threads | engine | ms | copy | arithmetic | share of the limit | asked |");
    println!("|---|---|---|---|---|---|---|");
    let [single, double] =
        pool.install(|| Ok::<_, convmtx::Error>([table::<f32>(word)?, table::<f64>(word)?]))?;
    let [measured, missed] = [0, 1].map(|k| single[k] + double[k]);
    println!("{missed} of {measured} cases missed");
    std::process::exit(i32::from(missed > 0 || measured == 0));
}
