//! Which outputs are kept, what stands beyond the ends, and how steps are taken: everything but the numbers.

use super::bank::Beyond;
use crate::band::{Band, ConvMode, Convention};
use crate::boundary::Boundary;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::stencil::Axis;

/// How an image or volume becomes a vector, and a vector an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// The last axis varies fastest (C, NumPy).
    #[default]
    RowMajor,
    /// The first axis varies fastest: MATLAB's `X(:)`.
    ColumnMajor,
}

/// Everything about a convolution but its kernel and the size of its signal.
///
/// Begins with the part that is kept, [`Geometry::full`], [`same`](Geometry::same), [`valid`](Geometry::valid) or
/// an explicit [`window`](Geometry::window); the setters change the rest. A [`ConvMode`] alone converts into it.
///
/// # Examples
/// ```
/// use convmtx::{Boundary, Conv1d, ConvMode, Geometry};
/// let k = [1.0, 2.0, 1.0];
/// let plain = Conv1d::new(&k, 100, ConvMode::Same)?;
/// let mirrored = Conv1d::new(&k, 100, Geometry::same().boundary(Boundary::Symmetric))?;
/// assert_eq!(plain.output_shape(), mirrored.output_shape());
/// assert_ne!(plain, mirrored);
/// # Ok::<(), convmtx::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry<T, const D: usize> {
    kept: Kept<D>,
    convention: Convention,
    boundaries: [Boundary<T>; D],
    strides: [usize; D],
    dilations: [usize; D],
    correlate: bool,
    order: Order,
}

/// Which outputs are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept<const D: usize> {
    Mode(ConvMode),
    Window { offset: [i64; D], len: [usize; D] },
}

impl<T: Scalar, const D: usize> From<ConvMode> for Geometry<T, D> {
    fn from(mode: ConvMode) -> Self {
        Self::keeping(Kept::Mode(mode))
    }
}

impl<T: Scalar, const D: usize> Geometry<T, D> {
    fn keeping(kept: Kept<D>) -> Self {
        Geometry {
            kept,
            convention: Convention::Matlab,
            boundaries: [Boundary::Zero; D],
            strides: [1; D],
            dilations: [1; D],
            correlate: false,
            order: Order::RowMajor,
        }
    }

    /// Every output that the kernel reaches: n + K − 1 per axis.
    pub fn full() -> Self {
        ConvMode::Full.into()
    }

    /// As many outputs as samples, from ⌊K/2⌋ on (in MATLAB's convention).
    pub fn same() -> Self {
        ConvMode::Same.into()
    }

    /// Only outputs for which the kernel lies inside the signal: n − K + 1 per axis, none for longer kernels.
    pub fn valid() -> Self {
        ConvMode::Valid.into()
    }

    /// `len` outputs per axis beginning at `offset` of the full convolution, which may be negative.
    ///
    /// `len` counts after decimation. `window([0], [n])` is the causal filter, PyLops' `offset = 0`.
    pub fn window(offset: [i64; D], len: [usize; D]) -> Self {
        Self::keeping(Kept::Window { offset, len })
    }

    /// Whose definition of same and valid: they differ for even kernels. Default MATLAB's.
    pub fn convention(self, convention: Convention) -> Self {
        Geometry { convention, ..self }
    }

    /// What stands beyond the ends, the same along every axis. Default zeros.
    pub fn boundary(self, boundary: Boundary<T>) -> Self {
        self.boundaries([boundary; D])
    }

    /// What stands beyond the ends, axis by axis.
    ///
    /// Axes are extended in the order 0, 1, 2: in the corners the later axis decides.
    pub fn boundaries(self, boundaries: [Boundary<T>; D]) -> Self {
        Geometry { boundaries, ..self }
    }

    /// Keeps every `stride`-th output along every axis, beginning with the first.
    pub fn stride(self, stride: usize) -> Self {
        self.strides([stride; D])
    }

    /// Keeps every `strides[a]`-th output along axis a.
    pub fn strides(self, strides: [usize; D]) -> Self {
        Geometry { strides, ..self }
    }

    /// Spreads the taps: `dilation − 1` zeros between neighbours, along every axis.
    pub fn dilation(self, dilation: usize) -> Self {
        self.dilations([dilation; D])
    }

    /// Spreads the taps axis by axis.
    pub fn dilations(self, dilations: [usize; D]) -> Self {
        Geometry { dilations, ..self }
    }

    /// Correlation instead of convolution: the kernel reversed along every axis, not conjugated, in the same window.
    pub fn correlate(self) -> Self {
        Geometry { correlate: true, ..self }
    }

    /// How arrays become vectors. Default row-major.
    pub fn order(self, order: Order) -> Self {
        Geometry { order, ..self }
    }

    pub(crate) fn is_correlation(&self) -> bool {
        self.correlate
    }

    pub(crate) fn vec_order(&self) -> Order {
        self.order
    }

    /// The constants beyond the ends.
    pub(crate) fn beyond(&self) -> Beyond<T, D> {
        let constants = self.boundaries.map(|b| match b {
            Boundary::Constant(c) if !c.is_zero() => Some(c),
            _ => None,
        });
        let callers_axes = std::array::from_fn(|a| a);
        Beyond { constants: self.in_memory_order(constants), extended: self.in_memory_order(callers_axes) }
    }

    /// Reverses the axes for column-major vectors; its own inverse.
    pub(crate) fn in_memory_order<A: Copy>(&self, mut per_axis: [A; D]) -> [A; D] {
        if self.order == Order::ColumnMajor {
            per_axis.reverse();
        }
        per_axis
    }

    /// The axes for a kernel and a signal of these shapes, in memory order.
    ///
    /// # Errors
    /// Empty kernel or signal, zero steps, sizes beyond 2⁶¹, a non-finite constant, a kernel that SciPy's or NumPy's
    /// `valid` cannot swap with the signal because it is longer along some axes and shorter along others.
    pub(crate) fn axes(&self, kernel: [usize; D], signal: [usize; D]) -> Result<[Axis; D]> {
        if kernel.contains(&0) {
            return Err(Error::Empty { what: "the kernel" });
        }
        if signal.contains(&0) {
            return Err(Error::Empty { what: "the signal" });
        }
        for boundary in self.boundaries {
            if let Boundary::Constant(c) = boundary
                && !c.finite()
            {
                return Err(Error::value("the boundary constant", "a finite number", c));
            }
        }
        let mut axes = Vec::with_capacity(D);
        for a in 0..D {
            let taps = (kernel[a], self.dilations[a]);
            let band = match self.kept {
                Kept::Mode(mode) => Band::of_mode(mode, self.convention, signal[a], taps, self.strides[a])?,
                Kept::Window { offset, len } => {
                    Band::with_steps((signal[a], 1), taps, (len[a], self.strides[a]), offset[a])?
                }
            };
            axes.push(Axis::new(band, self.boundaries[a].extension()));
        }
        if self.kept == Kept::Mode(ConvMode::Valid) && self.convention != Convention::Matlab {
            let longer = |a: &Axis| a.band().span() > a.band().input();
            let shorter = |a: &Axis| a.band().span() < a.band().input();
            if axes.iter().any(longer) && axes.iter().any(shorter) {
                return Err(Error::Unsupported {
                    what: "SciPy's valid convolution",
                    reason: format!(
                        "the kernel {kernel:?} is longer than the signal {signal:?} along some axes and shorter along \
                         others, so neither fits into the other; MATLAB's convention gives an empty result"
                    ),
                });
            }
        }
        let axes: [Axis; D] = axes.try_into().expect("one axis per dimension");
        Ok(self.in_memory_order(axes))
    }
}
