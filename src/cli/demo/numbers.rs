//! Dot tests and timings.

use super::photo::Photo;
use super::shapes::{KERNEL, SAMPLES, SHAPES};
use crate::cli::failure::Result;
use crate::csr::CsrOperator;
use crate::ndarray::{Array2, Axis};
use crate::op::{Apply, DotTest, LinearOperator, dottest};
use crate::{Boundary, Conv, Conv1d, Geometry};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Signals and samples per signal of the timings.
const SIGNALS: usize = 256;
const LENGTH: usize = 10_000;

/// Repetitions; the median is printed.
const ROUNDS: usize = 9;

/// What the timings are.
pub const TIMINGS: &str =
    "K X for 256 signals of 10000 samples, K the `same` matrix of [1 4 6 4 1]/16 (median of 9)";

/// Product and adjoint of every operator of the demo, by matrix and by direct engine; and whether all belong together.
pub fn dot_tests(photo: &Photo) -> Result<(Vec<Vec<String>>, bool)> {
    let header = ["operator", "rows × columns", "non-zeros", "matrix", "direct", "bound"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut passed = true;
    let mut add = |name: String, (shape, nnz, matrix, direct): Tested| {
        passed &= matrix.passed() && direct.passed();
        let number = |v: f64| if v == 0.0 { "0".to_owned() } else { format!("{v:.1e}") };
        rows.push(vec![
            name,
            format!("{} × {}", shape.0, shape.1),
            nnz.to_string(),
            number(matrix.relative),
            number(direct.relative),
            number(direct.bound),
        ]);
    };
    for (name, mode) in SHAPES {
        add(format!("{name}, zero boundary"), tested(&Conv1d::new(&KERNEL, SAMPLES, mode)?)?);
    }
    for boundary in [Boundary::Symmetric, Boundary::Antireflective] {
        let conv = Conv1d::new(&KERNEL, SAMPLES, Geometry::same().boundary(boundary))?;
        add(format!("same, {boundary} boundary"), tested(&conv)?);
    }
    add("photo, symmetric boundary".into(), tested(&photo.model(Boundary::Symmetric)?)?);
    Ok((rows, passed))
}

/// Shape, non-zeros, and the tests of matrix and direct engine.
type Tested = ((usize, usize), usize, DotTest<f64>, DotTest<f64>);

fn tested<const D: usize>(conv: &Conv<f64, D>) -> Result<Tested> {
    let matrix = CsrOperator::new(conv.to_csr()?)?;
    let direct = conv.to_direct()?;
    let nnz = matrix.matrix().nnz();
    Ok((matrix.shape(), nnz, dottest(&matrix, 1)?, dottest(&direct, 1)?))
}

/// One product with all signals against one product per signal.
pub fn timings() -> Result<Vec<Vec<String>>> {
    let conv = Conv1d::new(&KERNEL, LENGTH, Geometry::same())?;
    let (matrix, direct) = (CsrOperator::new(conv.to_csr()?)?, conv.to_direct()?);
    let stacked = Array2::from_shape_fn((LENGTH, SIGNALS), |(i, j)| ((i * 7 + j * 13) % 101) as f64); // below 101
    let separate: Vec<Vec<f64>> = stacked.axis_iter(Axis(1)).map(|c| c.to_vec()).collect();
    let mut y = Array2::zeros((LENGTH, SIGNALS));
    let mut each = vec![vec![0.0; LENGTH]; SIGNALS];

    let header = ["how", "ms", "times as long"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let batch = median(|| matrix.apply_batch_into(stacked.view(), y.view_mut()))?;
    let mut add = |name: &str, time: Duration| {
        let ratio = time.as_secs_f64() / batch.as_secs_f64().max(1e-9);
        rows.push(vec![name.to_owned(), format!("{:.2}", 1e3 * time.as_secs_f64()), format!("{ratio:.1}")]);
    };
    add("K X, matrix, one product", batch);
    add("K X, direct engine, one product", median(|| direct.apply_batch_into(stacked.view(), y.view_mut()))?);
    let one_by_one = |op: &dyn LinearOperator<[f64]>, each: &mut [Vec<f64>]| {
        separate.iter().zip(each).try_for_each(|(x, y)| op.apply_into(x, y))
    };
    add("K x 256 times, matrix", median(|| one_by_one(&matrix, &mut each))?);
    add("K x 256 times, direct engine", median(|| one_by_one(&direct, &mut each))?);
    let sprs = matrix.matrix();
    add(
        "K X by sprs, one product",
        median(|| {
            black_box(sprs * &stacked);
            Ok(())
        })?,
    );
    Ok(rows)
}

/// The median time of [`ROUNDS`] calls, after one to warm up.
fn median(mut work: impl FnMut() -> crate::Result<()>) -> Result<Duration> {
    work()?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUNDS / 2])
}
