//! The inner loops, compiled once per instruction set and chosen at run time.
//!
//! One generic body per loop, wrapped by thin shells that only enable instructions. Without fused multiply-add every
//! shell computes the same bits, because no loop then sums across vector lanes ([`dots`] and [`spmv`] always may): each lane
//! holds one output, and its terms are added in the order in which they are listed.

mod compressed;
mod correlate;
mod dots;
mod far;
mod few;
mod filters;
mod gather;
mod lanes;
mod loops;
#[cfg(test)]
mod products;
mod row;
mod sheet;
mod shells;
mod spmm;
mod spmv;
mod tiles;
mod windows;

pub(crate) use compressed::Compressed;
pub(crate) use correlate::{Correlate, correlate};
pub(crate) use dots::{Dots, dots};
pub(crate) use filters::{Filters, correlate_filters};
pub(crate) use row::{Row, correlate_row, long_rows};
pub(crate) use sheet::{ABSENT, Sheet, correlate_sheet};
pub(crate) use spmm::spmm;
pub(crate) use spmv::spmv;

use std::sync::OnceLock;

/// In which order, and with which rounding, the terms of an output are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Summation {
    /// May fuse multiplication and addition, and may reorder. Differs from [`Summation::Ascending`] by rounding only,
    /// and not at all on integers.
    #[default]
    Fastest,
    /// Starts at +0 and adds terms in ascending input index, one rounded product and one rounded sum each. The same
    /// bits on every processor, for every engine, layout, batch width and number of threads.
    Ascending,
}

/// Instruction sets with a shell of their own, each after those that it includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Isa {
    /// What the build targets.
    Portable,
    /// 256-bit vectors, fused multiply-add, masks of a number of bits.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors, fused multiply-add, masks of a number of bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The widest instruction set of this processor.
pub(crate) fn isa() -> Isa {
    static ISA: OnceLock<Isa> = OnceLock::new();
    *ISA.get_or_init(|| {
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let fma = fma && is_x86_feature_detected!("bmi2");
            if fma && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                return Isa::Avx512;
            }
            if fma {
                return Isa::Avx2;
            }
        }
        Isa::Portable
    })
}

/// Elements of `T` in a register of this processor.
fn lanes<T>() -> usize {
    let bytes = match isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => 64,
        _ => 32,
    };
    bytes / size_of::<T>()
}
