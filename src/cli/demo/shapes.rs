//! The classic picture: full, same and valid as matrices.

use crate::cli::arguments::VecOrder;
use crate::cli::failure::Result;
use crate::cli::matrix::{boundary_rows, entries};
use crate::cli::output::bytes;
use crate::plot::{Figure, Spy, SpyPanel};
use crate::{Conv1d, ConvMode};

/// The binomial kernel, which is a Gaussian in integers.
pub const KERNEL: [f64; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// Samples of the signal.
pub const SAMPLES: usize = 50;

/// The three shapes.
pub const SHAPES: [(&str, ConvMode); 3] =
    [("full", ConvMode::Full), ("same", ConvMode::Same), ("valid", ConvMode::Valid)];

/// The three matrices side by side, and their sizes as a table.
pub fn spy() -> Result<(Figure, Vec<Vec<String>>)> {
    let header = ["shape", "rows × columns", "non-zeros", "cut off rows", "memory"];
    let mut table = vec![header.map(str::to_owned).to_vec()];
    let mut spy = Spy::new().boundary_label("rows cut off by an end of the signal");
    for (name, mode) in SHAPES {
        let conv = Conv1d::new(&KERNEL, SAMPLES, mode)?;
        let matrix = conv.to_csr()?;
        let (rows, cols) = matrix.shape();
        let cut = boundary_rows(&conv, VecOrder::C);
        let size = matrix.nnz() * 12 + (rows + 1) * 4; // f64 with i32
        table.push(vec![
            name.to_owned(),
            format!("{rows} × {cols}"),
            matrix.nnz().to_string(),
            (0..rows).filter(|&i| cut(i)).count().to_string(),
            bytes(size as u64), // widening
        ]);
        let entries: Vec<(usize, usize, f64)> = entries(&matrix).collect();
        spy = spy.panel(SpyPanel::new(name, (rows, cols), entries).boundary_rows(cut));
    }
    Ok((spy.draw()?, table))
}
