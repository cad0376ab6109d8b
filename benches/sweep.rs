//! Do sizes that nobody lists behave like their neighbours?
//!
//! `cargo bench --features plot --bench sweep -- sweep.svg` measures products of the planned engine on one thread, at sizes just
//! below, at and just above those of blocks and registers and at primes between them, and draws the time of a result over the
//! size. It names every size whose results cost more than 1.5 times those of a neighbour, and fails if there is one. With
//! `-- "K = 3, float32"` it measures only lines with this in their names, and prints every point.

use convmtx::ndarray::{Array2, ShapeBuilder};
use convmtx::op::BatchOperator;
use convmtx::plot::{Lines, Scale};
use convmtx::{Conv1d, Conv2d, ConvMode, Real, Scalar};
use std::time::Instant;

/// The ratio of neighbours that counts as a cliff.
const CLIFF: f64 = 1.5;

/// Sizes up to this factor apart are neighbours.
const NEAR: f64 = 1.13;

/// Measurements of a size before it is called a cliff: other programs disturb single ones.
const ATTEMPTS: usize = 4;

/// Seconds of one measurement.
const SPENT: f64 = 0.008;

/// Around powers of two, and a prime between each two of them.
const SIZES: [usize; 33] = [
    61, 63, 64, 65, 67, 89, 97, 127, 128, 129, 131, 179, 191, 255, 256, 257, 263, 359, 383, 511, 512, 513,
    521, 727, 769, 1023, 1024, 1025, 1031, 1447, 2047, 2048, 2049,
];

/// One line of the plot: its name, and seconds per result for every size.
struct Sweep {
    name: String,
    points: Vec<(usize, f64)>,
}

impl Sweep {
    /// `measure(size)` is the seconds of a result; nothing is measured where the name lacks what was asked for.
    fn new(name: String, sizes: impl IntoIterator<Item = usize>, measure: &dyn Fn(usize) -> f64) -> Self {
        if asked().is_some_and(|part| !name.contains(&part)) {
            return Sweep { name, points: Vec::new() };
        }
        let mut points: Vec<(usize, f64)> = sizes.into_iter().map(|size| (size, measure(size))).collect();
        for _ in 1..ATTEMPTS {
            let suspects: Vec<usize> = cliffs(&points).into_iter().flat_map(|(a, b)| [a, b]).collect();
            for at in suspects {
                points[at].1 = points[at].1.min(measure(points[at].0));
            }
        }
        Sweep { name, points }
    }
}

/// What the names of the lines to measure contain, where not all are asked for.
fn asked() -> Option<String> {
    std::env::args().skip(1).find(|a| !a.ends_with(".svg") && !a.starts_with("--"))
}

/// The neighbours, cheaper first, that are more than the allowed factor apart.
fn cliffs(points: &[(usize, f64)]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for (j, b) in points.iter().enumerate() {
            let apart = a.0.max(b.0) as f64 / a.0.min(b.0) as f64;
            if apart <= NEAR && b.1 > CLIFF * a.1 {
                found.push((i, j));
            }
        }
    }
    found
}

/// Numbers without a pattern.
fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_real(T::Real::of((i * 7919 % 10_007) as f64 / 10_007.0 + 0.1))).collect()
}

/// Seconds of one result of a product with `cols` signals, the best of several.
fn seconds<T: Scalar>(a: &dyn BatchOperator<T>, cols: usize, by_rows: bool) -> f64 {
    let (m, n) = a.shape();
    let x = Array2::from_shape_vec((n, cols).set_f(!by_rows), numbers::<T>(n * cols)).expect("a shape");
    let mut y = Array2::<T>::zeros((m, cols).set_f(!by_rows));
    let mut scratch = vec![T::zero(); a.batch_scratch_len(cols)];
    let mut product = || a.forward_batch(x.view(), y.view_mut(), &mut scratch).expect("a product");
    product(); // the first one writes into fresh pages, which cost more than the product where the allocator maps them anew
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    while begin.elapsed().as_secs_f64() < SPENT {
        let start = Instant::now();
        product();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best / (m * cols) as f64
}

fn sweeps<T: Scalar>() -> Vec<Sweep> {
    let mut all = Vec::new();
    for taps in [2, 5, 31] {
        all.push(Sweep::new(format!("signals, K = {taps}, {}", T::NAME), SIZES.map(|n| 4 * n), &|n| {
            let conv = Conv1d::new(&numbers::<T>(taps), n, ConvMode::Same).expect("sizes");
            seconds(&conv.plan().build().expect("an engine"), 1, true)
        }));
    }
    all.push(Sweep::new(format!("signals, K = 2001, {}", T::NAME), SIZES.map(|n| 32 * n), &|n| {
        let conv = Conv1d::new(&numbers::<T>(2001), n, ConvMode::Same).expect("sizes");
        seconds(&conv.plan().build().expect("an engine"), 1, true)
    }));
    for taps in [3, 7] {
        all.push(Sweep::new(format!("images, K = {taps}, {}", T::NAME), SIZES, &|n| {
            let kernel = Array2::from_shape_vec((taps, taps), numbers::<T>(taps * taps)).expect("a shape");
            let conv = Conv2d::new(&kernel, [n, n], ConvMode::Same).expect("sizes");
            seconds(&conv.plan().build().expect("an engine"), 1, true)
        }));
    }
    all.push(Sweep::new(format!("S signals in rows, K = 31, {}", T::NAME), 8..=80, &|cols| {
        let conv = Conv1d::new(&numbers::<T>(31), 2000, ConvMode::Same).expect("sizes");
        seconds(&conv.plan().build().expect("an engine"), cols, true)
    }));
    all
}

fn main() {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let all = one.install(|| sweeps::<f32>().into_iter().chain(sweeps::<f64>()).collect::<Vec<_>>());
    let mut plot = Lines::new()
        .title("Time of a result over the size, one thread")
        .x_axis("size", Scale::Log)
        .y_axis("nanoseconds per result", Scale::Log)
        .size(900.0, 560.0);
    let mut found = 0;
    for sweep in all {
        let points = &sweep.points;
        if asked().is_some() {
            points.iter().for_each(|(size, s)| println!("{}: {size:6} {:8.4} ns", sweep.name, 1e9 * s));
        }
        for (a, b) in cliffs(points) {
            let ratio = points[b].1 / points[a].1;
            println!(
                "{}: a result of size {} costs {ratio:.2} times one of {}",
                sweep.name, points[b].0, points[a].0
            );
            found += 1;
        }
        plot = plot.series(sweep.name, points.iter().map(|&(size, s)| (size as f64, 1e9 * s)));
    }
    if let Some(path) = std::env::args().skip(1).find(|a| a.ends_with(".svg")) {
        std::fs::write(&path, plot.draw().to_svg()).expect("a writable path");
        println!("{path}");
    }
    println!("{found} cliffs above {CLIFF}");
    std::process::exit(i32::from(found > 0));
}
