//! Many kernels, many channels: filter banks, convolution layers, transposed layers.

use super::bank::{Bank, Beyond, Channels};
use super::geometry::Geometry;
use super::kernel_operator::KernelOperator;
use crate::band::Band;
use crate::boundary::Extension;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::stencil::Axis;
use ndarray::ArrayViewD;

/// Sums of convolutions between channels: `Y[o] = Σ_c conv(X[c], K[o, c])` within groups of channels.
///
/// Vectors are row-major `(channels, axes …)`. Three constructors: [`FilterBank::new`] applies many kernels to one
/// image, [`FilterBank::layer`] is the layer of a neural network (cross-correlation, padding, groups), and
/// [`FilterBank::transposed_layer`] its transpose with the same parameters.
///
/// # Examples
/// ```
/// use convmtx::{ConvMode, FilterBank};
/// use ndarray::{Array, IxDyn};
/// let kernels = Array::from_shape_vec(IxDyn(&[2, 2]), vec![1.0, 1.0, 1.0, -1.0]).unwrap();
/// let bank = FilterBank::new(kernels.view(), [3], ConvMode::Valid)?; // sums and differences of neighbours
/// assert_eq!(bank.apply(&[1.0, 4.0, 9.0])?, [5.0, 13.0, 3.0, 5.0]);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FilterBank<T, const D: usize> {
    bank: Bank<T, D>,
    given: Given,
}

/// How the caller's kernels lie, compared with the convolution kernels that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The same way.
    Convolution,
    /// Every kernel reversed: correlation was asked for.
    Correlation,
    /// Within a group inputs before outputs, as a transposed layer has them.
    InputsFirst,
}

/// Padding, steps and groups of a convolution layer, with the meaning and the defaults of torch's `conv1d`…`conv3d`.
///
/// # Examples
/// ```
/// use convmtx::Layer;
/// let layer = Layer::<2>::new().padding([1, 1]).stride([2, 2]).groups(4);
/// # let _ = layer;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer<const D: usize> {
    stride: [usize; D],
    padding: [usize; D],
    output_padding: [usize; D],
    dilation: [usize; D],
    groups: usize,
    extension: Extension,
}

impl<const D: usize> Default for Layer<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const D: usize> Layer<D> {
    /// Unit stride and dilation, no padding, one group.
    pub fn new() -> Self {
        Layer {
            stride: [1; D],
            padding: [0; D],
            output_padding: [0; D],
            dilation: [1; D],
            groups: 1,
            extension: Extension::Zero,
        }
    }

    /// Keeps every `stride`-th output.
    pub fn stride(self, stride: [usize; D]) -> Self {
        Layer { stride, ..self }
    }

    /// Samples added before and after the signal.
    pub fn padding(self, padding: [usize; D]) -> Self {
        Layer { padding, ..self }
    }

    /// What the padding consists of, zeros by default.
    pub fn padding_mode(self, extension: Extension) -> Self {
        Layer { extension, ..self }
    }

    /// Distance between taps.
    pub fn dilation(self, dilation: [usize; D]) -> Self {
        Layer { dilation, ..self }
    }

    /// Number of groups that channels are divided into.
    pub fn groups(self, groups: usize) -> Self {
        Layer { groups, ..self }
    }

    /// Extra outputs at the end of a transposed layer: chooses among the input lengths that a strided layer maps to the
    /// same output length.
    pub fn output_padding(self, output_padding: [usize; D]) -> Self {
        Layer { output_padding, ..self }
    }

    /// The bands of the layer in convolution form, for signals of shape `n` and kernels of shape `k`.
    fn axes(&self, n: [usize; D], k: [usize; D]) -> Result<[Axis; D]> {
        let mut axes = Vec::with_capacity(D);
        for a in 0..D {
            // Validates sizes and steps before they are used.
            let taps = (k[a], self.dilation[a]);
            let span = Band::with_steps((n[a], 1), taps, (0, self.stride[a]), 0)?.span();
            let padded = n[a].saturating_add(self.padding[a].saturating_mul(2));
            let Some(room) = padded.checked_sub(span) else {
                let expected = format!("at most {padded}, the padded signal along axis {a}");
                return Err(Error::value("the length of the kernel", expected, span));
            };
            let offset = span as i64 - 1 - i64::try_from(self.padding[a]).unwrap_or(i64::MAX);
            let output = (room / self.stride[a] + 1, self.stride[a]);
            axes.push(Axis::new(Band::with_steps((n[a], 1), taps, output, offset)?, self.extension));
        }
        Ok(axes.try_into().expect("one axis per dimension"))
    }
}

impl<T: Scalar, const D: usize> FilterBank<T, D> {
    /// One image of shape `signal`, every kernel of `kernels`, an array of shape `(F, axes …)`: F images.
    ///
    /// # Errors
    /// [`Error::Shape`] for an array without D + 1 axes; as [`Conv1d::new`](crate::Conv1d::new); column-major
    /// vectors are refused.
    pub fn new(
        kernels: ArrayViewD<T>,
        signal: [usize; D],
        geometry: impl Into<Geometry<T, D>>,
    ) -> Result<Self> {
        let geometry: Geometry<T, D> = geometry.into();
        if geometry.vec_order() == super::Order::ColumnMajor {
            return Err(Error::Unsupported {
                what: "a column-major filter bank",
                reason: "channels come first in memory; use row-major arrays".into(),
            });
        }
        let (lead, shape) = split_shape::<D, 1>("kernels", kernels.shape())?;
        let axes = geometry.axes(shape, signal)?;
        Self::build(
            kernels,
            axes,
            geometry.beyond(),
            Channels::dense(1, 1, lead[0]),
            geometry.is_correlation(),
        )
    }

    /// A layer with weights of shape `(outputs, inputs/groups, axes …)`: cross-correlation, as in torch.
    ///
    /// `y[o][i] = Σ_c Σ_t w[o, c][t]·x[c][i·stride + t·dilation − padding]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for weights without D + 2 axes; [`Error::Value`] when the groups do not divide the outputs, or the
    /// kernel is longer than the padded signal; as [`Conv1d::new`](crate::Conv1d::new).
    pub fn layer(weights: ArrayViewD<T>, signal: [usize; D], layer: Layer<D>) -> Result<Self> {
        let (lead, shape) = split_shape::<D, 2>("weights", weights.shape())?;
        refuse_empty(&lead, &shape, &signal)?;
        let outputs = per_group("the number of output channels", lead[0], layer.groups)?;
        if layer.output_padding != [0; D] {
            return Err(Error::value(
                "output_padding",
                "0 except in a transposed layer",
                format!("{:?}", layer.output_padding),
            ));
        }
        let axes = layer.axes(signal, shape)?;
        Self::build(weights, axes, Beyond::nothing(), Channels::dense(layer.groups, lead[1], outputs), true)
    }

    /// The transpose of a layer, with weights of shape `(inputs, outputs/groups, axes …)`: torch's `conv_transpose`.
    ///
    /// Maps signals of the shape that the layer puts out to signals of the shape that it takes in; where a stride leaves
    /// that open, [`Layer::output_padding`] chooses.
    ///
    /// # Errors
    /// As [`FilterBank::layer`]; zero padding only; `output_padding` must be less than stride or dilation.
    pub fn transposed_layer(weights: ArrayViewD<T>, signal: [usize; D], layer: Layer<D>) -> Result<Self> {
        let (lead, shape) = split_shape::<D, 2>("weights", weights.shape())?;
        refuse_empty(&lead, &shape, &signal)?;
        let inputs = per_group("the number of input channels", lead[0], layer.groups)?;
        if layer.extension != Extension::Zero {
            return Err(Error::Unsupported {
                what: "a transposed layer with this padding",
                reason: "only zeros have one; for the exact adjoint of another boundary use op::Adjoint"
                    .into(),
            });
        }
        let mut axes = Vec::with_capacity(D);
        for a in 0..D {
            let (s, p, extra) = (layer.stride[a], layer.padding[a], layer.output_padding[a]);
            let taps = (shape[a], layer.dilation[a]);
            let span = Band::with_steps((signal[a], 1), taps, (0, s), 0)?.span();
            if extra >= s.max(layer.dilation[a]) {
                return Err(Error::value("output_padding", "less than stride or dilation", extra));
            }
            let full = (signal[a] - 1).checked_mul(s).and_then(|full| full.checked_add(span + extra));
            let n = full.and_then(|full| full.checked_sub(p.saturating_mul(2))).filter(|&n| n > 0);
            let Some(n) = n else {
                return Err(Error::value("padding", "small enough to leave an output", p));
            };
            let offset = span as i64 - 1 - i64::try_from(p).unwrap_or(i64::MAX);
            let band = Band::with_steps((n, 1), taps, (signal[a], s), offset)?;
            axes.push(Axis::new(band.transpose(), Extension::Zero));
        }
        let axes = axes.try_into().expect("one axis per dimension");
        // A transposed correlation is a convolution.
        let taps = shape.iter().product();
        let all: Vec<T> = weights.iter().copied().collect();
        let (groups, outputs) = (layer.groups, lead[1]);
        let kernels = channels_exchanged(&all, (groups, inputs, outputs), taps);
        let bank = Bank::new(kernels, axes, Beyond::nothing(), Channels::dense(groups, inputs, outputs))?;
        Ok(FilterBank { bank, given: Given::InputsFirst })
    }

    fn build(
        kernels: ArrayViewD<T>,
        axes: [Axis; D],
        beyond: Beyond<T, D>,
        channels: Channels,
        reversed: bool,
    ) -> Result<Self> {
        let mut data: Vec<T> = kernels.iter().copied().collect();
        if reversed {
            let taps: usize = axes.iter().map(|a| a.band().taps()).product();
            data.chunks_mut(taps).for_each(<[T]>::reverse);
        }
        let given = if reversed { Given::Correlation } else { Given::Convolution };
        Ok(FilterBank { bank: Bank::new(data, axes, beyond, channels)?, given })
    }

    /// `(rows, cols)` of the matrix.
    pub fn shape(&self) -> (usize, usize) {
        self.bank.shape()
    }

    /// Number of output channels, and outputs per axis.
    pub fn output_shape(&self) -> (usize, [usize; D]) {
        let c = self.bank.channels();
        (c.groups * c.outputs, self.bank.axes().each_ref().map(|a| a.band().output()))
    }

    /// Number of input channels, and samples per axis.
    pub fn input_shape(&self) -> (usize, [usize; D]) {
        let c = self.bank.channels();
        (c.groups * c.inputs, self.bank.axes().each_ref().map(|a| a.band().input()))
    }

    /// The map from all kernels to the output, for a fixed input `x`; kernels as taps of convolutions, see
    /// [`Conv::kernel_operator`](super::Conv::kernel_operator).
    ///
    /// # Errors
    /// [`Error::Length`] when `x` does not have `shape().1` elements.
    pub fn kernel_operator(&self, x: &[T]) -> Result<KernelOperator<T, D>> {
        KernelOperator::new(&self.bank, x)
    }

    /// Taps in the order in which they are stored, in the layout in which the caller gave the kernels.
    pub(crate) fn as_given(&self, mut taps: Vec<T>) -> Vec<T> {
        let c = self.bank.channels();
        let per_kernel = taps.len() / c.kernels().max(1);
        match self.given {
            Given::Convolution => taps,
            Given::Correlation => {
                taps.chunks_mut(per_kernel.max(1)).for_each(<[T]>::reverse);
                taps
            }
            Given::InputsFirst => channels_exchanged(&taps, (c.groups, c.outputs, c.inputs), per_kernel),
        }
    }

    pub(crate) fn bank(&self) -> &Bank<T, D> {
        &self.bank
    }
}

/// Kernels of `taps` elements from order (group, a, b) to order (group, b, a), for `(groups, a, b)` of each.
fn channels_exchanged<T: Copy>(kernels: &[T], (groups, a, b): (usize, usize, usize), taps: usize) -> Vec<T> {
    let mut exchanged = Vec::with_capacity(kernels.len());
    for g in 0..groups {
        for j in 0..b {
            for i in 0..a {
                exchanged.extend_from_slice(&kernels[((g * a + i) * b + j) * taps..][..taps]);
            }
        }
    }
    exchanged
}

/// The first `L` lengths and the last `D`.
fn split_shape<const D: usize, const L: usize>(
    what: &'static str,
    shape: &[usize],
) -> Result<([usize; L], [usize; D])> {
    if shape.len() != L + D {
        return Err(Error::value(
            what,
            format!("an array with {} axes", L + D),
            format!("of shape {shape:?}"),
        ));
    }
    let (lead, rest) = shape.split_at(L);
    Ok((lead.try_into().expect("L lengths"), rest.try_into().expect("D lengths")))
}

/// `channels / groups`, if that is a whole number.
fn per_group(what: &'static str, channels: usize, groups: usize) -> Result<usize> {
    match channels.checked_div(groups) {
        Some(each) if each * groups == channels => Ok(each),
        _ => Err(Error::value(what, format!("a multiple of the {groups} groups"), channels)),
    }
}

fn refuse_empty(lead: &[usize], kernel: &[usize], signal: &[usize]) -> Result<()> {
    if lead.contains(&0) || kernel.contains(&0) {
        return Err(Error::Empty { what: "the weights" });
    }
    if signal.contains(&0) {
        return Err(Error::Empty { what: "the signal" });
    }
    Ok(())
}
