//! `convmtx matrix`: the matrix of a convolution, printed, saved, drawn.

use crate::cli::arguments::{AnyConv, GeometryArgs, Precision, Size, VecOrder, each_conv};
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{KernelArgs, cast};
use crate::cli::output::{bytes, check_figure, check_writable, extension, print, sizes, write_figure};
use crate::cli::overflow::{all_finite, refusal};
use crate::cli::progress::Progress;
use crate::io::{AnyArray, Element, FileIndex, write_matrix_market, write_npz};
use crate::ndarray::ArrayD;
use crate::plot::{Spy, SpyPanel};
use crate::sprs::CsMatI;
use crate::{Conv, Order, Real, Scalar};
use clap::Args;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The widest matrix that is printed whole, in characters; of larger ones the corners are.
const WIDTH: usize = 110;
/// The most rows that are printed.
const HEIGHT: usize = 60;
/// Rows printed at either end of a taller matrix.
const END: usize = 8;

/// The matrix A with A x equal to the convolution of x: print it, save it, draw it
///
/// Shape (m, n): one row per output, one column per sample. Images are vectors of their pixels, row by row unless
/// --order F. Zero taps are not stored unless --keep-zeros.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx matrix --kernel 1,2,3 --size 5 --shape valid\n  \
    convmtx matrix --kernel 1,4,6,4,1 --scale 0.0625 --size 50 --shape same -o K.npz --spy K.svg\n  \
    convmtx matrix --kernel psf.npy --size 64x64 --shape same --boundary symmetric -o K.mtx\n\n\
    K.npz opens with scipy.sparse.load_npz, K.mtx with MATLAB's mmread and scipy.io.mmread.")]
pub struct MatrixArgs {
    #[command(flatten)]
    kernel: KernelArgs,

    /// Samples of the signal: 50, 512x512 (rows x columns), 8x8x8
    #[arg(long, allow_hyphen_values = true)]
    size: Size,

    #[command(flatten)]
    geometry: GeometryArgs,

    /// How images become vectors
    #[arg(long, value_enum, default_value = "C", help_heading = "Matrix")]
    order: VecOrder,

    /// Stores an entry wherever a tap meets a sample, zero or not: one pattern for all kernels of this size
    #[arg(long, help_heading = "Matrix")]
    keep_zeros: bool,

    /// Precision of the entries
    #[arg(long, value_enum, default_value = "f64", help_heading = "Matrix")]
    dtype: Precision,

    /// Saves the matrix: .npz (SciPy) or .mtx (MatrixMarket)
    #[arg(long, short, value_name = "K.npz|K.mtx", help_heading = "Output")]
    output: Option<PathBuf>,

    /// Draws where the non-zeros are: .png or .svg
    #[arg(long, value_name = "K.png|K.svg", help_heading = "Output")]
    spy: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &MatrixArgs) -> Result<()> {
    if let Some(path) = &args.output {
        if !matches!(extension(path).as_str(), "npz" | "mtx") {
            let path = path.display();
            return Err(Failure::usage(format!(
                "{path}: unknown kind of matrix file, expected .npz or .mtx"
            )));
        }
        check_writable(path)?;
    }
    if let Some(path) = &args.spy {
        check_figure(path)?;
    }
    let kernel = args.kernel.load()?.array;
    match cast(kernel, (false, args.dtype == Precision::F64))? {
        AnyArray::F32(kernel) => with_type(args, &kernel),
        AnyArray::F64(kernel) => with_type(args, &kernel),
        AnyArray::C64(kernel) => with_type(args, &kernel),
        AnyArray::C128(kernel) => with_type(args, &kernel),
    }
}

fn with_type<T: Element>(args: &MatrixArgs, kernel: &ArrayD<T>) -> Result<()> {
    let order = match args.order {
        VecOrder::C => Order::RowMajor,
        VecOrder::F => Order::ColumnMajor,
    };
    let conv = AnyConv::new(kernel, &args.size.0, &args.geometry, order)?;
    let finite = all_finite(kernel);
    each_conv!(&conv, conv => build(args, conv, finite))
}

/// Builds the matrix with 32-bit indices, or with 64-bit ones where those do not suffice.
fn build<T: Element, const D: usize>(args: &MatrixArgs, conv: &Conv<T, D>, finite: bool) -> Result<()> {
    let progress = Progress::waiting("building the matrix");
    let narrow = if args.keep_zeros { conv.to_csr_keeping_zeros() } else { conv.to_csr() };
    match narrow {
        Err(crate::Error::Overflow { .. }) if !args.keep_zeros => {
            let wide = conv.to_csr_wide()?;
            drop(progress);
            check_finite(&wide, finite)?;
            show(args, conv, &wide)
        }
        matrix => {
            let matrix = matrix?;
            drop(progress);
            check_finite(&matrix, finite)?;
            show(args, conv, &matrix)
        }
    }
}

/// Refuses sums of taps that have overflown, where the taps themselves are `finite`.
fn check_finite<T: Element, I: FileIndex>(matrix: &CsMatI<T, I>, finite: bool) -> Result<()> {
    match matrix.iter().find(|(value, _)| finite && !value.finite()) {
        None => Ok(()),
        Some((value, (i, j))) => {
            let place = format!("row {}, column {}", i.index(), j.index());
            Err(refusal::<T::Real>("the matrix", value, &place))
        }
    }
}

fn show<T: Element, I: FileIndex, const D: usize>(
    args: &MatrixArgs,
    conv: &Conv<T, D>,
    matrix: &CsMatI<T, I>,
) -> Result<()> {
    let progress = Progress::waiting("writing the matrix");
    if let Some(path) = &args.output {
        if extension(path) == "npz" { write_npz(path, matrix)? } else { write_matrix_market(path, matrix)? }
    }
    if let Some(path) = &args.spy {
        draw(args, conv, matrix, path)?;
    }
    drop(progress);
    print(summary(args, conv, matrix))?;
    if matrix.rows() > 0 && matrix.cols() > 0 {
        print(format!("\n{}", excerpt(matrix)))?;
    }
    for path in args.output.iter().chain(&args.spy) {
        print(format!("wrote {}", path.display()))?;
    }
    Ok(())
}

/// The numbers about a matrix.
fn summary<T: Element, I: FileIndex, const D: usize>(
    args: &MatrixArgs,
    conv: &Conv<T, D>,
    matrix: &CsMatI<T, I>,
) -> String {
    let (rows, cols) = matrix.shape();
    let size = (matrix.nnz() * (I::BYTES + size_of::<T>()) + (rows + 1) * I::BYTES) as u64; // widening
    let mut lines = vec![
        args.geometry.words(),
        format!("signal  {}, kernel {}", sizes(&conv.input_shape()), sizes(&conv.kernel_shape())),
        format!("output  {}", sizes(&conv.output_shape())),
        format!(
            "matrix  {rows} × {cols}, {} entries, {} ({}, {}-bit indices)",
            matrix.nnz(),
            bytes(size),
            T::NAME,
            8 * I::BYTES
        ),
        format!("band    {}", band(matrix)),
    ];
    if D > 1 {
        lines.push(match args.order {
            VecOrder::C => "order   C: pixels row by row, as NumPy's ravel (--order F: MATLAB's X(:))".into(),
            VecOrder::F => "order   F: pixels column by column, as MATLAB's X(:)".into(),
        });
    }
    if matches!(conv.constant_term(), Ok(Some(_))) {
        lines.push(
            "the boundary constant adds a vector d to A x; the matrix is A, with zeros beyond the ends"
                .into(),
        );
    }
    lines.join("\n")
}

/// How far the entries reach from the diagonal.
fn band<T: Scalar, I: FileIndex>(matrix: &CsMatI<T, I>) -> String {
    let reach = matrix.outer_iterator().enumerate().fold(None, |reach: Option<(i128, i128)>, (i, row)| {
        match (row.indices().first(), row.indices().last()) {
            (Some(first), Some(last)) => {
                // Widening; columns ascend.
                let (low, high) = (first.index() as i128 - i as i128, last.index() as i128 - i as i128);
                Some(reach.map_or((low, high), |r| (r.0.min(low), r.1.max(high))))
            }
            _ => reach,
        }
    });
    match reach {
        Some((low, high)) => format!("{} below, {} above the diagonal", (-low).max(0), high.max(0)),
        None => "no entries".into(),
    }
}

/// The matrix as text; of one too large for a page the corners.
fn excerpt<T: Scalar, I: FileIndex>(matrix: &CsMatI<T, I>) -> String {
    let (rows, cols) = matrix.shape();
    let corners = |cols_shown: usize| (ends(rows, 2 * END), ends(cols, cols_shown));
    let whole = rows <= HEIGHT && cols <= WIDTH / 2;
    let (shown_rows, shown_cols) =
        if whole { (ends(rows, rows), ends(cols, cols)) } else { corners(WIDTH / 2) };
    let width = widest(matrix, &shown_rows, &shown_cols);
    let room = WIDTH / (width + 1);
    let (shown_rows, shown_cols) = if shown_cols.len() <= room {
        (shown_rows, shown_cols)
    } else {
        corners(room.saturating_sub(1).max(2))
    };
    let line = |i: &Option<usize>| {
        let cell = |j: &Option<usize>| match (i, j) {
            (Some(i), Some(j)) => matrix.get(*i, *j).map_or_else(|| "·".into(), |v| short(*v)),
            (Some(_), None) => "…".into(),
            (None, _) => "⋮".into(),
        };
        let cells: Vec<String> = shown_cols.iter().map(|j| format!("{:>width$}", cell(j))).collect();
        cells.join(" ")
    };
    shown_rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Characters of the longest entry in these rows and columns.
fn widest<T: Scalar, I: FileIndex>(
    matrix: &CsMatI<T, I>,
    rows: &[Option<usize>],
    cols: &[Option<usize>],
) -> usize {
    let entries =
        rows.iter().flatten().flat_map(|&i| cols.iter().flatten().filter_map(move |&j| matrix.get(i, j)));
    entries.map(|v| short(*v).chars().count()).max().unwrap_or(1)
}

/// The first and the last of `0..len`, `count` in all, with `None` for the gap.
fn ends(len: usize, count: usize) -> Vec<Option<usize>> {
    if len <= count {
        return (0..len).map(Some).collect();
    }
    let tail = count / 2;
    (0..count - tail).map(Some).chain([None]).chain((len - tail..len).map(Some)).collect()
}

/// A number in a few characters, rounded where it needs more.
fn short<T: Scalar>(value: T) -> String {
    let real = |v: f64| {
        let plain = format!("{v}");
        match v.abs() {
            _ if plain.len() <= 7 => plain,
            size if (1e-3..1e4).contains(&size) => format!("{v:.4}"),
            _ => format!("{v:.2e}"),
        }
    };
    let (re, im) = (value.re().as_f64(), value.im().as_f64());
    match (T::IS_COMPLEX, im < 0.0) {
        (false, _) => real(re),
        (true, negative) => format!("{}{}{}i", real(re), if negative { "-" } else { "+" }, real(im.abs())),
    }
}

fn draw<T: Element, I: FileIndex, const D: usize>(
    args: &MatrixArgs,
    conv: &Conv<T, D>,
    matrix: &CsMatI<T, I>,
    path: &Path,
) -> Result<()> {
    let title = args.geometry.words();
    let label = if title.contains("boundary zero") {
        "rows cut off by an end"
    } else {
        "rows reached by the boundary"
    };
    let reached = boundary_rows(conv, args.order);
    let panel = SpyPanel::new(title, matrix.shape(), entries(matrix)).boundary_rows(reached);
    write_figure(path, &Spy::new().panel(panel).boundary_label(label).draw()?)
}

/// Row, column and magnitude of every stored entry.
pub fn entries<T: Scalar, I: FileIndex>(matrix: &CsMatI<T, I>) -> impl Iterator<Item = (usize, usize, f64)> {
    matrix.iter().map(|(value, (i, j))| (i.index(), j.index(), value.modulus().as_f64()))
}

/// Whether a row of the matrix belongs to an output whose kernel reaches beyond the signal.
pub fn boundary_rows<T: Element, const D: usize>(
    conv: &Conv<T, D>,
    order: VecOrder,
) -> impl Fn(usize) -> bool + use<T, D> {
    let mut axes: Vec<(usize, Range<usize>)> =
        conv.axes().iter().map(|a| (a.band().output(), a.band().inside())).collect();
    if order == VecOrder::C {
        axes.reverse(); // the fastest axis first
    }
    move |row| {
        let mut rest = row;
        axes.iter().any(|(len, inside)| {
            let i = rest % (*len).max(1);
            rest /= (*len).max(1);
            !inside.contains(&i)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num_complex::Complex;
    use crate::{Conv1d, Conv2d, ConvMode};

    #[test]
    fn small_matrices_are_aligned_with_dots_for_zeros() -> crate::Result<()> {
        let a = Conv1d::new(&[1.0, 20.0, 0.125], 3, ConvMode::Full)?.to_csr()?;
        let text =
            "    1     ·     ·\n   20     1     ·\n0.125    20     1\n    · 0.125    20\n    ·     · 0.125";
        assert_eq!(excerpt(&a), text);
        Ok(())
    }

    #[test]
    fn large_matrices_show_their_corners() -> crate::Result<()> {
        let a = Conv1d::new(&[1.0, 2.0], 1000, ConvMode::Full)?.to_csr()?;
        let text = excerpt(&a);
        assert_eq!(text.lines().count(), 2 * END + 1);
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH));
        assert!(text.starts_with("1 ·") && text.ends_with(" 2"));
        Ok(())
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.0625, -1.0 / 3.0, 1e-9 / 3.0, 123456.789].map(short),
            ["0.0625", "-0.3333", "3.33e-10", "1.23e5"]
        );
        assert_eq!(short(Complex::new(1.0_f32, -2.5)), "1-2.5i");
    }

    #[test]
    fn boundary_rows_follow_the_order_of_the_pixels() -> crate::Result<()> {
        let kernel = crate::ndarray::array![[1.0, 1.0, 1.0]];
        let conv = Conv2d::new(&kernel, [2, 4], ConvMode::Same)?;
        let rows = |order| (0..8).filter(|&r| boundary_rows(&conv, order)(r)).collect::<Vec<_>>();
        assert_eq!(rows(VecOrder::C), [0, 3, 4, 7]);
        assert_eq!(rows(VecOrder::F), [0, 1, 6, 7]);
        Ok(())
    }
}
