//! Options that several commands share: words become enums here, numbers are checked here.

use crate::cli::failure::{Failure, Result};
use crate::io::Element;
use crate::ndarray::{ArrayD, Ix2, Ix3};
use crate::{Boundary, Conv, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Geometry, Order, Real, Scalar};
use clap::{Args, ValueEnum};
use std::str::FromStr;

/// Which outputs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Every output that the kernel reaches: n + K − 1 per axis
    Full,
    /// As many outputs as samples: n per axis
    Same,
    /// Only outputs with the kernel inside the signal: n − K + 1 per axis
    Valid,
}

/// Whose definition of same and valid; they differ for even kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Whose {
    /// conv, conv2, GNU Octave, scipy.ndimage: `same` starts at ⌊K/2⌋
    Matlab,
    /// scipy.signal: `same` starts at ⌊(K−1)/2⌋
    Scipy,
    /// numpy.convolve
    Numpy,
}

/// The algorithm of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// From the definition, no matrix in memory
    Direct,
    /// With the sparse matrix
    Csr,
}

/// How an image becomes a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VecOrder {
    /// Row by row, as NumPy's ravel
    #[value(name = "C", alias = "c")]
    C,
    /// Column by column, as MATLAB's X(:)
    #[value(name = "F", alias = "f")]
    F,
}

/// Bytes per number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// Single precision (float32, complex64)
    F32,
    /// Double precision (float64, complex128)
    F64,
}

/// The length of every axis: `50`, `512x512`, `8x8x8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size(pub Vec<usize>);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("size is {text:?}, expected lengths above 0 such as 50, 512x512 or 8x8x8");
        let lengths = text.split(['x', 'X', '×']).map(|n| n.trim().parse::<usize>().ok().filter(|&n| n > 0));
        let lengths: Vec<usize> = lengths.collect::<Option<_>>().ok_or_else(wrong)?;
        if lengths.len() <= 3 { Ok(Size(lengths)) } else { Err(wrong()) }
    }
}

/// A finite number of at least 0.
pub fn not_negative(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text} is not a finite number of at least 0");
    text.trim().parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0).ok_or_else(wrong)
}

/// A finite number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .ok()
        .filter(|&v| v > 0.0)
        .ok_or_else(|| format!("{text} is not a finite number above 0"))
}

/// A finite number.
pub fn finite(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text} is not a finite number");
    text.trim().parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(wrong)
}

/// An integer of at least 1.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| format!("{text} is not an integer of at least 1"))
}

/// Everything about a convolution but its kernel and the size of the signal.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which convolution")]
pub struct GeometryArgs {
    /// Which outputs are kept
    #[arg(long, value_enum, default_value = "full")]
    pub shape: Shape,

    /// Whose definition of same and valid (they differ for even kernels)
    #[arg(long, value_enum, default_value = "matlab")]
    pub convention: Whose,

    /// Beyond the ends: zero, constant=C, periodic, symmetric (… b a | a b c), reflect (… c b | a b c), replicate,
    /// antireflective; one for all axes, or one per axis with commas
    #[arg(long, default_value = "zero", value_delimiter = ',', value_parser = <Boundary<f64>>::from_str)]
    pub boundary: Vec<Boundary<f64>>,

    /// Keeps every S-th output; one number, or one per axis with commas
    #[arg(long, default_value = "1", value_name = "S", value_delimiter = ',', allow_hyphen_values = true, value_parser = at_least_one)]
    pub stride: Vec<usize>,

    /// Spreads the taps D apart; one number, or one per axis with commas
    #[arg(long, default_value = "1", value_name = "D", value_delimiter = ',', allow_hyphen_values = true, value_parser = at_least_one)]
    pub dilation: Vec<usize>,

    /// An explicit window instead of --shape: the first kept sample of the full convolution, per axis
    #[arg(
        long,
        requires = "length",
        conflicts_with = "shape",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub offset: Option<Vec<i64>>,

    /// The number of outputs of the explicit window, per axis
    #[arg(long, requires = "offset", value_delimiter = ',')]
    pub length: Option<Vec<usize>>,

    /// Correlation: the kernel is turned round (not conjugated)
    #[arg(long)]
    pub correlate: bool,
}

impl GeometryArgs {
    /// The geometry for `D` axes.
    pub fn build<T: Scalar, const D: usize>(&self, order: Order) -> Result<Geometry<T, D>> {
        let geometry = match (&self.offset, &self.length) {
            (Some(offset), Some(length)) => {
                Geometry::window(per_axis("--offset", offset)?, per_axis("--length", length)?)
            }
            _ => Geometry::from(match self.shape {
                Shape::Full => ConvMode::Full,
                Shape::Same => ConvMode::Same,
                Shape::Valid => ConvMode::Valid,
            }),
        };
        let geometry = geometry
            .convention(match self.convention {
                Whose::Matlab => Convention::Matlab,
                Whose::Scipy => Convention::Scipy,
                Whose::Numpy => Convention::Numpy,
            })
            .boundaries(per_axis("--boundary", &self.boundary)?.map(in_type))
            .strides(per_axis("--stride", &self.stride)?)
            .dilations(per_axis("--dilation", &self.dilation)?)
            .order(order);
        Ok(if self.correlate { geometry.correlate() } else { geometry })
    }

    /// The convolution in words: `same correlation, boundary symmetric, stride 2`.
    pub fn words(&self) -> String {
        let kind = if self.correlate { "correlation" } else { "convolution" };
        let mut words = match (&self.offset, &self.length) {
            (Some(offset), Some(length)) => {
                format!("{kind}, outputs {} on, {} of them", list(offset), list(length))
            }
            _ => format!("{} {kind}", word(self.shape)),
        };
        words += &format!(", boundary {}", list(&self.boundary));
        for (name, steps) in [("stride", &self.stride), ("dilation", &self.dilation)] {
            if steps.iter().any(|&s| s != 1) {
                words += &format!(", {name} {}", list(steps));
            }
        }
        words
    }
}

/// The word of an option's value.
pub fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

fn list(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// One value for every axis, from one for all or one for each.
fn per_axis<A: Copy, const D: usize>(option: &str, values: &[A]) -> Result<[A; D]> {
    match values {
        [one] => Ok([*one; D]),
        each => each.try_into().map_err(|_| {
            let count = each.len();
            Failure::usage(format!(
                "{option} has {count} values, expected 1 for all axes, or {D}, one for each"
            ))
        }),
    }
}

/// A boundary whose constant is of type `T`, rounded to its precision.
fn in_type<T: Scalar>(boundary: Boundary<f64>) -> Boundary<T> {
    match boundary {
        Boundary::Zero => Boundary::Zero,
        Boundary::Constant(c) => Boundary::Constant(T::from_real(T::Real::of(c))),
        Boundary::Periodic => Boundary::Periodic,
        Boundary::Symmetric => Boundary::Symmetric,
        Boundary::Reflect => Boundary::Reflect,
        Boundary::Replicate => Boundary::Replicate,
        Boundary::Antireflective => Boundary::Antireflective,
    }
}

/// A convolution whose number of axes was found on the command line.
pub enum AnyConv<T> {
    /// A signal.
    One(Conv1d<T>),
    /// An image.
    Two(Conv2d<T>),
    /// A volume.
    Three(Conv3d<T>),
}

/// The same expression for whichever number of axes the convolution has.
macro_rules! each_conv {
    ($any:expr, $conv:ident => $result:expr) => {
        match $any {
            $crate::cli::arguments::AnyConv::One($conv) => $result,
            $crate::cli::arguments::AnyConv::Two($conv) => $result,
            $crate::cli::arguments::AnyConv::Three($conv) => $result,
        }
    };
}
pub(crate) use each_conv;

impl<T: Element> AnyConv<T> {
    /// The convolution of signals of this size; kernel and size must have the same number of axes.
    pub fn new(kernel: &ArrayD<T>, size: &[usize], geometry: &GeometryArgs, order: Order) -> Result<Self> {
        let disagree = || {
            let (taps, size) = (crate::cli::output::sizes(kernel.shape()), crate::cli::output::sizes(size));
            Failure::usage(format!(
                "the kernel has size {taps}, the signal {size}: give both as many axes, 1 to 3"
            ))
        };
        if kernel.is_empty() {
            return Err(crate::Error::Empty { what: "the kernel" }.into());
        }
        Ok(match (kernel.ndim(), size) {
            (1, &[n]) => {
                let taps: Vec<T> = kernel.iter().copied().collect();
                AnyConv::One(Conv1d::new(&taps, n, geometry.build(order)?)?)
            }
            (2, &[r, c]) => {
                let kernel = kernel.view().into_dimensionality::<Ix2>().map_err(|_| disagree())?;
                AnyConv::Two(Conv2d::new(kernel, [r, c], geometry.build(order)?)?)
            }
            (3, &[a, b, c]) => {
                let kernel = kernel.view().into_dimensionality::<Ix3>().map_err(|_| disagree())?;
                AnyConv::Three(Conv3d::new(kernel, [a, b, c], geometry.build(order)?)?)
            }
            _ => return Err(disagree()),
        })
    }

    /// Samples per axis.
    pub fn input_shape(&self) -> Vec<usize> {
        each_conv!(self, c => c.input_shape().to_vec())
    }

    /// Outputs per axis.
    pub fn output_shape(&self) -> Vec<usize> {
        each_conv!(self, c => c.output_shape().to_vec())
    }

    /// What a boundary constant adds to every result.
    pub fn constant_term(&self) -> crate::Result<Option<Vec<T>>> {
        each_conv!(self, c => c.constant_term())
    }

    /// The operator that this engine makes of it.
    pub fn operator(&self, engine: Engine) -> Result<crate::op::BoxedOperator<'static, T>> {
        use crate::csr::CsrOperator;
        fn boxed<T: Scalar, const D: usize>(
            conv: &Conv<T, D>,
            engine: Engine,
        ) -> crate::Result<crate::op::BoxedOperator<'static, T>> {
            Ok(match engine {
                Engine::Direct => Box::new(conv.to_direct()?),
                Engine::Csr => match conv.to_csr() {
                    Err(crate::Error::Overflow { .. }) => Box::new(CsrOperator::new(conv.to_csr_wide()?)?),
                    matrix => Box::new(CsrOperator::new(matrix?)?),
                },
            })
        }
        Ok(each_conv!(self, c => boxed(c, engine))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_one_to_three_positive_lengths() {
        assert_eq!("512x3".parse(), Ok(Size(vec![512, 3])));
        for wrong in ["", "0", "3x", "-1", "2x2x2x2", "1e3", "99999999999999999999"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        for wrong in ["-1", "NaN", "inf", "x", ""] {
            assert!(not_negative(wrong).is_err() && positive(wrong).is_err(), "{wrong}");
        }
        assert!(not_negative("0").is_ok() && positive("0").is_err());
        assert!(at_least_one("0").is_err() && at_least_one("-3").is_err());
    }

    #[test]
    fn values_are_for_all_axes_or_for_each() {
        assert_eq!(per_axis::<_, 3>("--stride", &[2]), Ok([2, 2, 2]));
        assert_eq!(per_axis::<_, 2>("--stride", &[2, 3]), Ok([2, 3]));
        assert!(per_axis::<_, 2>("--stride", &[1, 2, 3]).is_err());
    }
}
