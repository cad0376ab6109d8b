//! `convmtx apply`: the convolution of a file, or its adjoint.

use crate::Order;
use crate::cli::arguments::{AnyConv, Engine, GeometryArgs, Shape, Size, word};
use crate::cli::failure::{Failure, Result};
use crate::cli::kernel::{Kernel, KernelArgs, cast, is_npy, kind};
use crate::cli::output::{check_picture, check_writable, print, sizes, write_picture};
use crate::cli::overflow::{all_finite, check_array};
use crate::cli::picture::read_picture;
use crate::cli::progress::Progress;
use crate::io::{AnyArray, Element, read_npy, write_npy};
use crate::ndarray::{Array2, ArrayD, ArrayView2, Ix2};
use crate::op::Apply;
use clap::Args;
use std::path::PathBuf;

/// The convolution y = A x of an array or a picture, or the adjoint x = Aᴴ y
///
/// x is a .npy file of 1, 2 or 3 axes, as many as the kernel has. With a kernel of one axis and an array of two, every
/// column is a signal: (n, S) becomes (m, S). A picture is convolved channel by channel; alpha is not.
///
/// The element type of x is kept: float32, float64, complex64, complex128 (integers become float64). Typed kernels,
/// PSFs and pictures follow it; a kernel from a .npy file promotes the result as in NumPy (float32 with float64 gives
/// float64). A boundary constant adds its term d: the result is A x + d.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    convmtx apply --kernel 1,4,6,4,1 --scale 0.0625 --shape same --boundary reflect x.npy -o y.npy\n  \
    convmtx apply --kernel 1,-1 --shape valid signals.npy -o differences.npy\n  \
    convmtx apply --kernel=\"0,1,0;1,-4,1;0,1,0\" --shape same photo.png -o edges.npy\n  \
    convmtx apply --kernel 1,2,3 --shape full --adjoint y.npy -o x.npy\n\n\
    The output may be the input: it is written to a temporary file and renamed.")]
pub struct ApplyArgs {
    /// x (or y, with --adjoint): .npy, or a picture (PNG, JPEG, TIFF, PNM)
    #[arg(value_name = "x.npy")]
    input: PathBuf,

    /// Where the result goes: .npy, or a picture format for a picture
    #[arg(long, short, value_name = "y.npy", help_heading = "Output")]
    output: PathBuf,

    #[command(flatten)]
    kernel: KernelArgs,

    #[command(flatten)]
    geometry: GeometryArgs,

    /// The adjoint x = Aᴴ y, the exact conjugate transpose, boundary included
    #[arg(long, help_heading = "Product")]
    adjoint: bool,

    /// With --adjoint: the size of x, where stride or window leave it open
    #[arg(long, requires = "adjoint", allow_hyphen_values = true, help_heading = "Product")]
    size: Option<Size>,

    /// How the product is computed; the results differ by rounding at most
    #[arg(long, value_enum, default_value = "direct", help_heading = "Product")]
    engine: Engine,
}

/// Runs the command.
pub fn run(args: &ApplyArgs) -> Result<()> {
    let kernel = args.kernel.load()?;
    if !is_npy(&args.input) {
        return picture(args, kernel);
    }
    if !is_npy(&args.output) {
        let path = args.output.display();
        return Err(Failure::usage(format!(
            "{path}: the result of an array is an array, expected a .npy file"
        )));
    }
    check_writable(&args.output)?;
    let x = read_npy(&args.input)?;
    let ((complex, double), (kernel_complex, kernel_double)) = (kind(&x), kind(&kernel.array));
    let common = (complex || kernel_complex, double || (kernel_double && kernel.has_type));
    let (x, kernel) = (cast(x, common)?, cast(kernel.array, common)?);
    match (x, kernel) {
        (AnyArray::F32(x), AnyArray::F32(kernel)) => array(args, x, &kernel),
        (AnyArray::F64(x), AnyArray::F64(kernel)) => array(args, x, &kernel),
        (AnyArray::C64(x), AnyArray::C64(kernel)) => array(args, x, &kernel),
        (AnyArray::C128(x), AnyArray::C128(kernel)) => array(args, x, &kernel),
        _ => Err(Failure::failed("the types of x and kernel differ after promotion")),
    }
}

/// An array of any type: a signal, an image, a volume, or signals in columns.
fn array<T: Element>(args: &ApplyArgs, x: ArrayD<T>, kernel: &ArrayD<T>) -> Result<()> {
    let progress = Progress::waiting(format!("{} product", word(args.engine)));
    let batch = kernel.ndim() == 1 && x.ndim() == 2;
    let y = if batch {
        let x = x.view().into_dimensionality::<Ix2>().map_err(|e| Failure::failed(e.to_string()))?;
        columns(args, x, kernel)?.into_dyn()
    } else {
        product(args, &x, kernel)?
    };
    // In this order: most results are finite, and then nothing else is read.
    if !all_finite(&y) && all_finite(&x) && all_finite(kernel) {
        check_array("the result", &y)?;
    }
    write_npy(&args.output, &y)?;
    drop(progress);
    let what = if args.adjoint { "adjoint of the " } else { "" };
    print(format!(
        "wrote {}: {}, {} ({what}{}, {} engine{})",
        args.output.display(),
        T::NAME,
        sizes(y.shape()),
        args.geometry.words(),
        word(args.engine),
        if batch { ", columns are signals" } else { "" },
    ))
}

/// The convolution for data of this shape, which is that of y with `--adjoint`.
fn description<T: Element>(args: &ApplyArgs, shape: &[usize], kernel: &ArrayD<T>) -> Result<AnyConv<T>> {
    let size = match (&args.size, args.adjoint) {
        (Some(size), true) => size.0.clone(),
        (None, true) => signal_size(args, shape, kernel)?,
        (_, false) => shape.to_vec(),
    };
    let conv = AnyConv::new(kernel, &size, &args.geometry, Order::RowMajor)?;
    if args.adjoint && conv.output_shape() != shape {
        let (got, expected) = (sizes(shape), sizes(&conv.output_shape()));
        let size = sizes(&size);
        return Err(Failure::failed(format!(
            "y has shape {got}, expected {expected} for signals of {size}; give the size of x with --size"
        )));
    }
    Ok(conv)
}

/// The size of x whose result has this shape, for named shapes without stride.
fn signal_size<T: Element>(args: &ApplyArgs, shape: &[usize], kernel: &ArrayD<T>) -> Result<Vec<usize>> {
    let g = &args.geometry;
    let open = g.offset.is_some() || g.stride.iter().any(|&s| s != 1);
    let sizes = shape.iter().zip(kernel.shape()).enumerate().map(|(a, (&m, &taps))| {
        let dilation = g.dilation.get(a).or(g.dilation.first()).copied().unwrap_or(1);
        let reach = (taps.max(1) - 1).checked_mul(dilation)?;
        let n = match g.shape {
            Shape::Full => m.checked_sub(reach),
            Shape::Same => Some(m),
            Shape::Valid => m.checked_add(reach),
        };
        n.filter(|&n| n > 0)
    });
    let sizes = sizes.collect::<Option<Vec<usize>>>().filter(|_| !open && shape.len() == kernel.ndim());
    sizes.ok_or_else(|| {
        Failure::usage(format!(
            "the size of x does not follow from that of y, {}; give it with --size",
            crate::cli::output::sizes(shape)
        ))
    })
}

/// One signal, image or volume.
fn product<T: Element>(args: &ApplyArgs, x: &ArrayD<T>, kernel: &ArrayD<T>) -> Result<ArrayD<T>> {
    let conv = description(args, x.shape(), kernel)?;
    let x = x.as_standard_layout();
    let x = x.as_slice().unwrap_or_default(); // contiguous, see above
    let operator = conv.operator(args.engine)?;
    let (y, shape) = if args.adjoint {
        (operator.apply_adjoint(x)?, conv.input_shape())
    } else {
        let mut y = operator.apply(x)?;
        for (y, d) in y.iter_mut().zip(conv.constant_term()?.unwrap_or_default()) {
            *y += d;
        }
        (y, conv.output_shape())
    };
    ArrayD::from_shape_vec(shape, y).map_err(|e| Failure::failed(e.to_string()))
}

/// Signals in the columns of a matrix.
fn columns<T: Element>(args: &ApplyArgs, x: ArrayView2<T>, kernel: &ArrayD<T>) -> Result<Array2<T>> {
    let conv = description(args, &[x.nrows()], kernel)?;
    let operator = conv.operator(args.engine)?;
    if args.adjoint {
        return Ok(operator.apply_adjoint_batch(x)?);
    }
    let mut y = operator.apply_batch(x)?;
    for (mut y, d) in y.rows_mut().into_iter().zip(conv.constant_term()?.unwrap_or_default()) {
        y.map_inplace(|y| *y += d);
    }
    Ok(y)
}

/// A picture, channel by channel.
fn picture(args: &ApplyArgs, kernel: Kernel) -> Result<()> {
    let mut image = read_picture(&args.input)?;
    check_picture(&args.output, &image)?;
    let kernel = kernel.array.into_f64()?;
    let progress = Progress::waiting(format!("{} product", word(args.engine)));
    for plane in &mut image.planes {
        let y = product(args, &plane.clone().into_dyn(), &kernel)?;
        *plane = y.into_dimensionality::<Ix2>().map_err(|e| Failure::failed(e.to_string()))?;
    }
    if image.alpha.as_ref().is_some_and(|alpha| alpha.dim() != image.shape()) {
        let path = args.input.display();
        return Err(Failure::failed(format!(
            "{path}: alpha cannot follow to the size {}; use --shape same, or remove alpha",
            sizes(&[image.shape().0, image.shape().1])
        )));
    }
    write_picture(&args.output, &image)?;
    drop(progress);
    let (rows, cols) = image.shape();
    print(format!("wrote {}: {rows} × {cols} pixels ({})", args.output.display(), args.geometry.words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConvMode;

    #[test]
    fn the_size_of_x_is_the_one_with_this_result() {
        for (shape, mode) in
            [(Shape::Full, ConvMode::Full), (Shape::Same, ConvMode::Same), (Shape::Valid, ConvMode::Valid)]
        {
            for (taps, n, dilation) in [(1, 1, 1), (4, 9, 1), (3, 9, 2)] {
                let kernel = ArrayD::<f64>::ones(vec![taps]);
                let conv =
                    crate::Conv1d::new(&vec![1.0; taps], n, crate::Geometry::from(mode).dilation(dilation));
                let m = conv.unwrap().output_shape();
                let geometry = GeometryArgs {
                    shape,
                    convention: crate::cli::arguments::Whose::Matlab,
                    boundary: vec![crate::Boundary::Zero],
                    stride: vec![1],
                    dilation: vec![dilation],
                    offset: None,
                    length: None,
                    correlate: false,
                };
                let args = ApplyArgs {
                    input: PathBuf::new(),
                    output: PathBuf::new(),
                    kernel: KernelArgs { kernel: "1".parse().unwrap(), scale: 1.0 },
                    geometry,
                    adjoint: true,
                    size: None,
                    engine: Engine::Direct,
                };
                assert_eq!(signal_size(&args, &m, &kernel), Ok(vec![n]));
            }
        }
    }
}
