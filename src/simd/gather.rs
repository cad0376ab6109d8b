//! `out += Σ_j value[j] · row(column[j])`: one row of a sparse matrix times a row-contiguous batch.
//!
//! In pseudo-code: `for j: for l: out[l] += value[j] · x[column[j]·row_step + l]`. Deviation: a block of `out` stays in
//! registers while the row's entries pass by.

use super::correlate::add_product;
use super::loops::loops;
use super::{Isa, Summation, isa};

use crate::memory::Index;
use crate::scalar::Scalar;
use std::any::Any;

/// `out[l] += Σ_j values[j]·x[columns[j]·row_step + l]`, entries in the given order.
pub(crate) fn gather_rows<T: Scalar, I: Index>(
    values: &[T],
    columns: &[I],
    x: &[T],
    row_step: usize,
    out: &mut [T],
    summation: Summation,
) {
    let (narrow, wide) = loops::<T>().gather;
    let any: &dyn Any = if I::BYTES == 4 { &narrow } else { &wide };
    let f = any.downcast_ref::<Gather<T, I>>().expect("an index is one of two types");
    f(values, columns, x, row_step, out, summation);
}

/// [`gather_rows`] for one type of indices.
pub(super) type Gather<T, I> = fn(&[T], &[I], &[T], usize, &mut [T], Summation);

/// The same for both.
pub(super) type Both<T> = (Gather<T, i32>, Gather<T, i64>);

pub(super) fn dispatch<T: Scalar, I: Index>(
    values: &[T],
    columns: &[I],
    x: &[T],
    row_step: usize,
    out: &mut [T],
    summation: Summation,
) {
    let fused = summation == Summation::Fastest;
    match isa() {
        Isa::Portable => body::<T, I, false, 16>(values, columns, x, row_step, out),
        // SAFETY: `isa` returned this value, so the processor has the instructions that the shell enables.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe {
            if fused {
                avx2::<T, I, true>(values, columns, x, row_step, out)
            } else {
                avx2::<T, I, false>(values, columns, x, row_step, out)
            }
        },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe {
            if fused {
                avx512::<T, I, true>(values, columns, x, row_step, out)
            } else {
                avx512::<T, I, false>(values, columns, x, row_step, out)
            }
        },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Scalar, I: Index, const FUSED: bool>(v: &[T], c: &[I], x: &[T], step: usize, out: &mut [T]) {
    body::<T, I, FUSED, 32>(v, c, x, step, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512<T: Scalar, I: Index, const FUSED: bool>(v: &[T], c: &[I], x: &[T], step: usize, out: &mut [T]) {
    body::<T, I, FUSED, 64>(v, c, x, step, out);
}

#[inline(always)]
fn body<T: Scalar, I: Index, const FUSED: bool, const BLOCK: usize>(
    values: &[T],
    columns: &[I],
    x: &[T],
    row_step: usize,
    out: &mut [T],
) {
    let mut done = 0;
    while done + BLOCK <= out.len() {
        let target = &mut out[done..done + BLOCK];
        let mut acc = [T::zero(); BLOCK];
        acc.copy_from_slice(target);
        for (&value, column) in values.iter().zip(columns) {
            let from = column.index() * row_step + done;
            let source = &x[from..from + BLOCK];
            for lane in 0..BLOCK {
                acc[lane] = add_product::<T, FUSED>(acc[lane], value, source[lane]);
            }
        }
        target.copy_from_slice(&acc);
        done += BLOCK;
    }
    for (l, out) in out.iter_mut().enumerate().skip(done) {
        for (&value, column) in values.iter().zip(columns) {
            *out = add_product::<T, FUSED>(*out, value, x[column.index() * row_step + l]);
        }
    }
}
