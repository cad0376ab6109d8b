//! What full, same and valid are: the same band of a matrix, with more or fewer rows kept.
//!
//! `cargo run --example teaching_shapes`

use convmtx::{Boundary, Conv1d, ConvMode, Geometry, Result};

/// Prints a matrix with dots for zeros.
fn show(title: &str, a: &convmtx::nalgebra::DMatrix<f64>) {
    println!("{title}, {} × {}", a.nrows(), a.ncols());
    for row in a.row_iter() {
        let cells = row.iter().map(|v| if *v == 0.0 { "  ·".into() } else { format!("{v:3}") });
        println!("   {}", cells.collect::<String>());
    }
    println!();
}

fn main() -> Result<()> {
    let kernel = [1.0, 2.0, 3.0, 4.0];
    let n = 6;
    let matrix = |geometry: Geometry<f64, 1>| Conv1d::new(&kernel, n, geometry)?.to_dense();

    let full = matrix(ConvMode::Full.into())?;
    let same = matrix(ConvMode::Same.into())?;
    let valid = matrix(ConvMode::Valid.into())?;
    show("full", &full);
    show("same", &same);
    show("valid", &valid);

    // Same and valid are consecutive rows of full: from ⌊K/2⌋ and from K − 1.
    assert_eq!(same, full.rows(2, n).into_owned());
    assert_eq!(valid, full.rows(3, n - 4 + 1).into_owned());

    // Every diagonal is constant: a Toeplitz matrix.
    for i in 1..full.nrows() {
        for j in 1..full.ncols() {
            assert_eq!(full[(i, j)], full[(i - 1, j - 1)]);
        }
    }

    // A boundary changes the first and last rows only.
    let mirrored = matrix(Geometry::same().boundary(Boundary::Symmetric))?;
    show("same, mirrored at the ends", &mirrored);
    let changed: Vec<usize> = (0..n).filter(|&i| mirrored.row(i) != same.row(i)).collect();
    assert_eq!(changed, [0, 4, 5]);

    // The adjoint is the transpose. With zeros beyond the ends it is correlation with the same kernel …
    let backwards: Vec<f64> = kernel.iter().rev().copied().collect();
    let correlation = Conv1d::new(&backwards, n + 3, ConvMode::Valid)?.to_dense()?;
    assert_eq!(full.transpose(), correlation);
    // … but with a mirror it is not "the same with the kernel flipped": that is a different matrix.
    let flipped = Conv1d::new(&backwards, n, Geometry::window([1], [n]).boundary(Boundary::Symmetric))?;
    assert_ne!(mirrored.transpose(), flipped.to_dense()?);
    println!("All statements checked.");
    Ok(())
}
