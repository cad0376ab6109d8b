//! One kernel, many signals: Y = K X, with the matrix and without, and that all of them agree.
//!
//! `cargo run --release --example csr_batch`

use convmtx::csr::CsrOperator;
use convmtx::ndarray::Array2;
use convmtx::op::Apply;
use convmtx::{Boundary, Conv1d, Geometry, Result, Summation};
use std::time::Instant;

fn main() -> Result<()> {
    let (n, signals) = (20_000, 256);
    let kernel = [1.0, 4.0, 6.0, 4.0, 1.0].map(|k| k / 16.0);
    let conv = Conv1d::new(&kernel, n, Geometry::same().boundary(Boundary::Symmetric))?;

    // One signal per column; rows are contiguous, so that the product runs across the batch.
    let x = Array2::from_shape_fn((n, signals), |(i, s)| ((i + 37 * s) as f64 * 0.01).sin());

    // Both engines are asked to add the terms in the order of the definition: then no bit may differ.
    let matrix = CsrOperator::new(conv.to_csr()?)?.with_summation(Summation::Ascending);
    let start = Instant::now();
    let together = matrix.apply_batch(x.view())?;
    let product = start.elapsed();

    let columns: Vec<Vec<f64>> = x.columns().into_iter().map(|c| c.to_vec()).collect();
    let start = Instant::now();
    let one_by_one = columns.iter().map(|x| matrix.apply(x)).collect::<Result<Vec<_>>>()?;
    let separate = start.elapsed();

    let direct = conv.to_direct()?.with_summation(Summation::Ascending);
    let start = Instant::now();
    let without_matrix = direct.apply_batch(x.view())?;
    let matrix_free = start.elapsed();

    println!("{} × {} matrix, {} non-zeros, {signals} signals", n, n, matrix.matrix().nnz());
    println!("K X in one product          {product:>10.1?}");
    println!("{signals} products of one signal  {separate:>10.1?}");
    println!("the same without a matrix   {matrix_free:>10.1?}");

    // Not nearly equal: equal, to the last bit.
    assert_eq!(together, without_matrix);
    for (column, single) in together.columns().into_iter().zip(&one_by_one) {
        assert!(column.iter().eq(single));
    }

    // The adjoint of the batch, proven by ⟨K X, Y⟩ = ⟨X, Kᴴ Y⟩ on integers.
    let x = Array2::from_shape_fn((n, 3), |(i, s)| (i * (s + 2) % 7) as f64);
    let y = Array2::from_shape_fn((n, 3), |(i, s)| (i * (s + 3) % 5) as f64 * 16.0);
    let (kx, ky) = (direct.apply_batch(x.view())?, direct.apply_adjoint_batch(y.view())?);
    assert_eq!((&kx * &y).sum(), (&x * &ky).sum());
    Ok(())
}
