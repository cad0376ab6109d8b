//! The operator that a plan builds: one of the engines behind one type.

use super::Engine;
use crate::conv::Bank;
use crate::direct::DirectConv;
use crate::error::Result;
#[cfg(feature = "fft")]
use crate::fft::FftConv;
use crate::op::{BatchOperator, LinearOperator, by_columns, staging};
use crate::scalar::Scalar;
use crate::separable::SeparableConv;
use crate::simd::Summation;
use crate::stencil::Side;
use ndarray::{ArrayView2, ArrayViewMut2};

/// The operator of a [`Plan`](super::Plan).
///
/// With an engine that rounds it keeps the direct engine beside it, for the results that see NaN or infinity: transforms would
/// spread these over everything. Looking for them costs one pass over the input; where there are any, a copy of the input is made.
/// With several channels the direct engine then takes the whole product.
#[derive(Debug, Clone)]
pub struct PlannedConv<T: Scalar, const D: usize> {
    direct: DirectConv<T, D>,
    fast: Fast<T, D>,
}

/// What takes the products instead of the direct engine.
#[derive(Debug, Clone)]
enum Fast<T: Scalar, const D: usize> {
    Nothing,
    Separable(SeparableConv<T, D>),
    #[cfg(feature = "fft")]
    Fft(FftConv<T, D>),
}

/// The same call of the engine at work.
macro_rules! at_work {
    ($self:ident, $engine:ident => $call:expr) => {
        match &$self.fast {
            Fast::Nothing => {
                let $engine = &$self.direct;
                $call
            }
            Fast::Separable($engine) => $call,
            #[cfg(feature = "fft")]
            Fast::Fft($engine) => $call,
        }
    };
}

impl<T: Scalar, const D: usize> PlannedConv<T, D> {
    pub(super) fn new(
        engine: Engine,
        bank: &Bank<T, D>,
        separable: Option<SeparableConv<T, D>>,
    ) -> Result<Self> {
        let fast = match (engine, separable) {
            (Engine::Direct, _) => Fast::Nothing,
            (Engine::Separable, Some(separable)) => Fast::Separable(separable),
            (Engine::Separable, None) => Fast::Separable(SeparableConv::of_any_rank(bank)?),
            #[cfg(feature = "fft")]
            (Engine::Fft, _) => Fast::Fft(FftConv::new(bank)?),
            #[cfg(not(feature = "fft"))]
            (Engine::Fft, _) => {
                return Err(crate::Error::Unsupported {
                    what: "the FFT engine",
                    reason: "this build lacks the feature `fft`; take Engine::Direct".into(),
                });
            }
        };
        Ok(PlannedConv { direct: DirectConv::new(bank)?, fast })
    }

    /// The engine that takes finite vectors.
    pub fn engine(&self) -> Engine {
        match &self.fast {
            Fast::Nothing => Engine::Direct,
            Fast::Separable(_) => Engine::Separable,
            #[cfg(feature = "fft")]
            Fast::Fft(_) => Engine::Fft,
        }
    }

    /// The same operator with another order of summation, where the direct engine is at work. [`Summation::Ascending`] replaces the
    /// separable engine by the direct one, since only that sums the terms themselves.
    pub fn with_summation(mut self, summation: Summation) -> Self {
        self.direct = self.direct.with_summation(summation);
        if summation == Summation::Ascending && matches!(self.fast, Fast::Separable(_)) {
            self.fast = Fast::Nothing;
        }
        self
    }
}

impl<T: Scalar, const D: usize> PlannedConv<T, D> {
    /// Whether the engine at work takes NaN and infinity as the direct one does.
    fn takes_all(&self) -> bool {
        match &self.fast {
            Fast::Nothing => true,
            Fast::Separable(separable) => separable.is_exact(),
            #[cfg(feature = "fft")]
            Fast::Fft(_) => false,
        }
    }

    fn product(&self, side: Side, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        let product = |x: &[T], y: &mut [T], scratch: &mut [T]| match side {
            Side::Forward => at_work!(self, a => a.forward(x, y, scratch)),
            Side::Adjoint => at_work!(self, a => a.adjoint(x, y, scratch)),
        };
        if self.takes_all() || finite(x) {
            return product(x, y, scratch);
        }
        self.direct.around(side, x, y, scratch, &product)
    }
}

/// Neither NaN nor infinity.
fn finite<T: Scalar>(x: &[T]) -> bool {
    // A piece at a time without a branch per element, which would keep it from vector instructions.
    x.chunks(1024).all(|piece| piece.iter().fold(true, |all, v| all & v.finite()))
}

/// The same for a batch, in the order of memory.
fn finite_batch<T: Scalar>(x: &ArrayView2<T>) -> bool {
    match x.as_slice_memory_order() {
        Some(x) => finite(x),
        None => x.axis_iter(x.max_stride_axis()).all(|line| line.iter().all(|v| v.finite())),
    }
}

impl<T: Scalar, const D: usize> LinearOperator<[T]> for PlannedConv<T, D> {
    fn shape(&self) -> (usize, usize) {
        self.direct.shape()
    }
    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Forward, x, y, scratch)
    }
    fn adjoint(&self, y: &[T], x: &mut [T], scratch: &mut [T]) -> Result<()> {
        self.product(Side::Adjoint, y, x, scratch)
    }
    fn scratch_len(&self) -> usize {
        at_work!(self, a => a.scratch_len()).max(self.direct.scratch_len())
    }
}

impl<T: Scalar, const D: usize> BatchOperator<T> for PlannedConv<T, D> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        if self.takes_all() || finite_batch(&x) {
            return at_work!(self, a => a.forward_batch(x, y, scratch));
        }
        by_columns(x, y, scratch, self.scratch_len(), |x, y, scratch| self.forward(x, y, scratch))
    }
    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        if self.takes_all() || finite_batch(&y) {
            return at_work!(self, a => a.adjoint_batch(y, x, scratch));
        }
        by_columns(y, x, scratch, self.scratch_len(), |y, x, scratch| self.adjoint(y, x, scratch))
    }
    fn batch_scratch_len(&self, cols: usize) -> usize {
        let one_by_one = self.scratch_len() + self.shape().0 + self.shape().1;
        at_work!(self, a => a.batch_scratch_len(cols)).max(one_by_one)
    }
    fn batch_scratch_for(&self, input: &ArrayView2<T>, output: &ArrayView2<T>) -> usize {
        let whole = at_work!(self, a => a.batch_scratch_for(input, output));
        match self.takes_all() {
            true => whole,
            false => whole.max(self.scratch_len() + staging(input) + staging(output)),
        }
    }
}
