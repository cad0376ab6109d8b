//! One body, compiled once per instruction set, chosen at run time.

use super::lanes::{Array, Lanes};
#[cfg(target_arch = "x86_64")]
use super::lanes::{Ymm, Zmm};
use super::{Isa, Summation, isa};
use crate::scalar::Scalar;

/// A loop over registers of any width.
pub(super) trait Body<T: Scalar> {
    type Output;

    /// The work. Implementations are `#[inline(always)]`, so that a shell compiles them with its instructions.
    fn run<L: Lanes<T>>(self) -> Self::Output;
}

/// Runs `body` with the widest registers of this processor.
pub(super) fn run<T: Scalar, B: Body<T>>(body: B, summation: Summation) -> B::Output {
    let fused = summation == Summation::Fastest;
    match isa() {
        // SAFETY: `isa` returned this value, so the processor has the instructions that the shell enables.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe {
            if fused { avx512::<T, B, true>(body) } else { avx512::<T, B, false>(body) }
        },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { if fused { avx2::<T, B, true>(body) } else { avx2::<T, B, false>(body) } },
        Isa::Portable => match size_of::<T>() {
            4 => body.run::<Array<T, 8>>(),
            8 => body.run::<Array<T, 4>>(),
            _ => body.run::<Array<T, 2>>(),
        },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512<T: Scalar, B: Body<T>, const FUSED: bool>(body: B) -> B::Output {
    body.run::<Zmm<T, FUSED>>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Scalar, B: Body<T>, const FUSED: bool>(body: B) -> B::Output {
    body.run::<Ymm<T, FUSED>>()
}
