//! One body, compiled once per instruction set, chosen at run time.

use super::lanes::{Array, Lanes};
#[cfg(target_arch = "x86_64")]
use super::lanes::{HalfZmm, Ymm, Zmm};
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
    run_on(isa(), body, summation)
}

/// Runs a body that only [`Summation::Fastest`] uses, so that the others are not compiled.
pub(super) fn run_fastest<T: Scalar, B: Body<T>>(body: B) -> B::Output {
    match isa() {
        // SAFETY: `isa` returned this value, so the processor has the instructions that the shell enables.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512::<T, B, true>(body) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2::<T, B, true>(body) },
        Isa::Portable => portable(body),
    }
}

/// Runs `body` with registers of 32 bytes, where the processor has them or wider ones.
pub(super) fn run_narrow<T: Scalar, B: Body<T>>(body: B, summation: Summation) -> B::Output {
    match isa() {
        // SAFETY: `isa` returned this value, so the processor has the instructions that the shell enables.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 if summation == Summation::Fastest => unsafe { half_avx512::<T, B>(body) },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => run_on(Isa::Avx2, body, summation), // `isa` asked for both
        isa => run_on(isa, body, summation),
    }
}

/// Runs `body` with the registers of `isa`, which this processor must have.
pub(super) fn run_on<T: Scalar, B: Body<T>>(isa: Isa, body: B, summation: Summation) -> B::Output {
    let fused = summation == Summation::Fastest;
    assert!(isa <= super::isa(), "{isa:?} on a processor without");
    match isa {
        // SAFETY: `isa` found this instruction set or one that includes it, as was just checked.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe {
            if fused { avx512::<T, B, true>(body) } else { avx512::<T, B, false>(body) }
        },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { if fused { avx2::<T, B, true>(body) } else { avx2::<T, B, false>(body) } },
        Isa::Portable => portable(body),
    }
}

fn portable<T: Scalar, B: Body<T>>(body: B) -> B::Output {
    match size_of::<T>() {
        4 => body.run::<Array<T, 8>>(),
        8 => body.run::<Array<T, 4>>(),
        _ => body.run::<Array<T, 2>>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma,bmi2")]
fn avx512<T: Scalar, B: Body<T>, const FUSED: bool>(body: B) -> B::Output {
    body.run::<Zmm<T, FUSED>>()
}

/// Half registers with the masks of whole ones, which write parts in a fraction of the time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma,bmi2")]
fn half_avx512<T: Scalar, B: Body<T>>(body: B) -> B::Output {
    body.run::<HalfZmm<T, true>>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn avx2<T: Scalar, B: Body<T>, const FUSED: bool>(body: B) -> B::Output {
    body.run::<Ymm<T, FUSED>>()
}
