//! What every description boils down to: kernels, axes, and which channel goes where.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::stencil::Axis;
use crate::stencil::Side;

/// Which input channels an output channel sums, and through which kernel.
///
/// Channels come in groups; output `o` of a group is the sum over the inputs `c` of the same group, each convolved with
/// kernel `(g·outputs + o)/div·per_output + c·per_input`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channels {
    pub groups: usize,
    /// Inputs of one group.
    pub inputs: usize,
    /// Outputs of one group.
    pub outputs: usize,
    /// Consecutive output channels with the same kernels.
    pub div: usize,
    pub per_output: usize,
    pub per_input: usize,
}

impl Channels {
    /// A kernel for every pair of an output and an input of the same group.
    pub(crate) fn dense(groups: usize, inputs: usize, outputs: usize) -> Self {
        Channels { groups, inputs, outputs, div: 1, per_output: inputs, per_input: 1 }
    }

    /// Groups that all use kernel 0.
    pub(crate) fn shared_kernel(groups: usize) -> Self {
        Channels { groups, inputs: 1, outputs: 1, div: 1, per_output: 0, per_input: 0 }
    }

    /// The kernel between output channel `out` (of all) and input `c` (of its group).
    pub(crate) fn kernel(&self, out: usize, c: usize) -> usize {
        out / self.div * self.per_output + c * self.per_input
    }

    /// Channels of one group that a product of `side` reads, and those that it writes.
    #[cfg(feature = "fft")]
    pub(crate) fn flow(&self, side: Side) -> (usize, usize) {
        match side {
            Side::Forward => (self.inputs, self.outputs),
            Side::Adjoint => (self.outputs, self.inputs),
        }
    }

    /// The kernel through which a product of `side` takes source `source` of the group to result `result` (of all).
    #[cfg(feature = "fft")]
    pub(crate) fn kernel_between(&self, side: Side, result: usize, source: usize) -> usize {
        match side {
            Side::Forward => self.kernel(result, source),
            Side::Adjoint => {
                let (group, input) = (result / self.inputs, result % self.inputs);
                self.kernel(group * self.outputs + source, input)
            }
        }
    }

    /// Calls `f(source, kernel)` for the channels that channel `result` of `side` sums, and the kernels between them.
    pub(crate) fn for_each_source(&self, side: Side, result: usize, mut f: impl FnMut(usize, usize)) {
        match side {
            Side::Forward => {
                let group = result / self.outputs;
                (0..self.inputs).for_each(|c| f(group * self.inputs + c, self.kernel(result, c)));
            }
            Side::Adjoint => {
                let (group, c) = (result / self.inputs, result % self.inputs);
                let outs = group * self.outputs..(group + 1) * self.outputs;
                outs.for_each(|out| f(out, self.kernel(out, c)));
            }
        }
    }

    /// Number of kernels that [`Channels::kernel`] refers to.
    pub(crate) fn kernels(&self) -> usize {
        match (self.groups * self.outputs, self.inputs) {
            (0, _) | (_, 0) => usize::from(self.per_output == 0), // a shared kernel that nobody uses
            (outputs, inputs) => self.kernel(outputs - 1, inputs - 1) + 1,
        }
    }
}

/// Kernels that share their axes, and the channels they connect.
///
/// Kernels are stored one after the other, row-major in the order of the axes, as taps of a true convolution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bank<T, const D: usize> {
    kernels: Vec<T>,
    axes: [Axis; D],
    beyond: Beyond<T, D>,
    channels: Channels,
    shape: (usize, usize),
}

/// The constants that stand beyond the ends, per axis in memory order; `None` where zeros or samples do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beyond<T, const D: usize> {
    pub constants: [Option<T>; D],
    /// Axes in the order in which the signal is extended along them: in the corners the last one decides.
    pub extended: [usize; D],
}

impl<T: Scalar, const D: usize> Beyond<T, D> {
    /// No constants.
    pub(crate) fn nothing() -> Self {
        Beyond { constants: [None; D], extended: std::array::from_fn(|a| a) }
    }
}

impl<T: Scalar, const D: usize> Bank<T, D> {
    /// Checks that the number of taps fits, and that rows and columns can be counted.
    pub(crate) fn new(
        kernels: Vec<T>,
        axes: [Axis; D],
        beyond: Beyond<T, D>,
        channels: Channels,
    ) -> Result<Self> {
        const { assert!(D > 0, "a convolution has at least one axis") };
        let taps = axes.iter().map(|a| a.band().taps()).product::<usize>();
        if taps == 0 {
            return Err(Error::Empty { what: "the kernel" });
        }
        crate::error::check_len("the kernel", taps * channels.kernels(), kernels.len())?;
        let count = |what, channels: Option<usize>, len: fn(&Axis) -> usize| {
            let all = axes.iter().try_fold(channels, |all, axis| Some(all?.checked_mul(len(axis)))).flatten();
            all.filter(|&all| isize::try_from(all).is_ok()).ok_or_else(|| Error::Overflow {
                what,
                detail: format!("{:?}", axes.each_ref().map(len)),
                hint: "split the problem into smaller ones",
            })
        };
        let rows = channels.groups.checked_mul(channels.outputs);
        let cols = channels.groups.checked_mul(channels.inputs);
        let shape = (
            count("the output", rows, |a| a.band().output())?,
            count("the input", cols, |a| a.band().input())?,
        );
        Ok(Bank { kernels, axes, beyond, channels, shape })
    }

    /// All kernels, one after the other.
    pub(crate) fn kernels(&self) -> &[T] {
        &self.kernels
    }

    /// The axes, in memory order.
    pub(crate) fn axes(&self) -> &[Axis; D] {
        &self.axes
    }

    /// Constants beyond the ends.
    pub(crate) fn beyond(&self) -> &Beyond<T, D> {
        &self.beyond
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// `(rows, cols)` of the matrix.
    pub(crate) fn shape(&self) -> (usize, usize) {
        self.shape
    }
}
