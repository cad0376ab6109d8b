//! The operator that a plan builds: one of the engines behind one type.

use super::Engine;
use crate::conv::Bank;
use crate::direct::DirectConv;
use crate::error::Result;
#[cfg(feature = "fft")]
use crate::fft::FftConv;
use crate::op::{BatchOperator, LinearOperator};
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

/// The operator of a [`Plan`](super::Plan).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PlannedConv<T: Scalar, const D: usize> {
    /// From the definition.
    Direct(DirectConv<T, D>),
    /// By fast Fourier transforms.
    #[cfg(feature = "fft")]
    Fft(FftConv<T, D>),
}

/// Calls the same method of whichever engine it is.
macro_rules! forwarded {
    ($self:ident, $engine:ident => $call:expr) => {
        match $self {
            PlannedConv::Direct($engine) => $call,
            #[cfg(feature = "fft")]
            PlannedConv::Fft($engine) => $call,
        }
    };
}

impl<T: Scalar, const D: usize> PlannedConv<T, D> {
    pub(super) fn new(engine: Engine, bank: &Bank<T, D>) -> Result<Self> {
        match engine {
            Engine::Direct => Ok(PlannedConv::Direct(DirectConv::new(bank)?)),
            #[cfg(feature = "fft")]
            Engine::Fft => Ok(PlannedConv::Fft(FftConv::new(bank)?)),
            #[cfg(not(feature = "fft"))]
            Engine::Fft => Err(crate::Error::Unsupported {
                what: "the FFT engine",
                reason: "this build lacks the feature `fft`; take Engine::Direct".into(),
            }),
        }
    }

    /// The engine at work.
    pub fn engine(&self) -> Engine {
        match self {
            PlannedConv::Direct(_) => Engine::Direct,
            #[cfg(feature = "fft")]
            PlannedConv::Fft(_) => Engine::Fft,
        }
    }
}

impl<T: Scalar, const D: usize> LinearOperator<[T]> for PlannedConv<T, D> {
    fn shape(&self) -> (usize, usize) {
        forwarded!(self, a => a.shape())
    }
    fn forward(&self, x: &[T], y: &mut [T], scratch: &mut [T]) -> Result<()> {
        forwarded!(self, a => a.forward(x, y, scratch))
    }
    fn adjoint(&self, y: &[T], x: &mut [T], scratch: &mut [T]) -> Result<()> {
        forwarded!(self, a => a.adjoint(y, x, scratch))
    }
    fn scratch_len(&self) -> usize {
        forwarded!(self, a => a.scratch_len())
    }
}

impl<T: Scalar, const D: usize> BatchOperator<T> for PlannedConv<T, D> {
    fn forward_batch(&self, x: ArrayView2<T>, y: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        forwarded!(self, a => a.forward_batch(x, y, scratch))
    }
    fn adjoint_batch(&self, y: ArrayView2<T>, x: ArrayViewMut2<T>, scratch: &mut [T]) -> Result<()> {
        forwarded!(self, a => a.adjoint_batch(y, x, scratch))
    }
    fn batch_scratch_len(&self, cols: usize) -> usize {
        forwarded!(self, a => a.batch_scratch_len(cols))
    }
}
