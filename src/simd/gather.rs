//! Registers filled from many places of memory, and what follows from their being filled in part only.
//!
//! The gather instructions of today's processors are slower than as many loads: here every element is loaded by itself, or
//! with its neighbours, and inserted.

use super::lanes::Array;
use crate::memory::Index;
use crate::scalar::Scalar;

/// A register that can be filled from many places. A group is `W` adjacent lanes, a power of two.
pub(crate) trait Gather<T: Scalar>: Copy {
    /// Whether [`pick`](Gather::pick) exists.
    const PICKS: bool;

    /// Group g: the elements at `from + columns[g]·stride`. Groups have 4, 8 or 16 bytes.
    ///
    /// # Safety
    /// `columns` is valid for reading as many columns as there are groups, and all places for reading `W` elements.
    unsafe fn gather<I: Index, const W: usize>(from: *const T, stride: isize, columns: *const I) -> Self;

    /// Group g: element g at `from`, `W` times.
    ///
    /// # Safety
    /// `from` is valid for reading as many elements as there are groups.
    unsafe fn spread<const W: usize>(from: *const T) -> Self;

    /// The first `count` ≤ 64 lanes of this register, the others of `other`; more than all are all.
    fn first_or(self, count: usize, other: Self) -> Self;

    /// The sum of all groups, added in pairs. Groups have 4, 8 or 16 bytes.
    fn folded<const W: usize>(self) -> [T; W];

    /// Lane l: element `columns[l] − first` of four registers that follow each other; any element where there is no such.
    ///
    /// # Safety
    /// [`PICKS`](Gather::PICKS); `columns` is valid for reading a register of them.
    unsafe fn pick(window: [Self; 4], columns: *const i32, first: i32) -> Self;
}

/// Where the samples for entry `g` are.
///
/// # Safety
/// As that of [`Gather::gather`].
#[inline(always)]
unsafe fn place<T, I: Index>(from: *const T, stride: isize, columns: *const I, g: usize) -> *const T {
    // SAFETY: the contract.
    unsafe { from.offset((*columns.add(g)).index_unchecked() as isize * stride) }
}

impl<T: Scalar, const N: usize> Gather<T> for Array<T, N> {
    const PICKS: bool = false;

    #[inline(always)]
    unsafe fn gather<I: Index, const W: usize>(from: *const T, stride: isize, columns: *const I) -> Self {
        // SAFETY: W elements of each place, as the contract allows.
        Array(std::array::from_fn(|l| unsafe { place(from, stride, columns, l / W).add(l % W).read() }))
    }
    #[inline(always)]
    unsafe fn spread<const W: usize>(from: *const T) -> Self {
        // SAFETY: `l / W` is a group.
        Array(std::array::from_fn(|l| unsafe { from.add(l / W).read() }))
    }
    #[inline(always)]
    fn first_or(self, count: usize, other: Self) -> Self {
        Array(std::array::from_fn(|l| if l < count { self.0[l] } else { other.0[l] }))
    }
    #[inline(always)]
    fn folded<const W: usize>(self) -> [T; W] {
        let (mut lanes, mut half) = (self.0, N / 2);
        while half >= W {
            for l in 0..half {
                lanes[l] += lanes[l + half];
            }
            half /= 2;
        }
        std::array::from_fn(|l| lanes[l])
    }
    #[inline(always)]
    unsafe fn pick(_: [Self; 4], _: *const i32, _: i32) -> Self {
        unreachable!("PICKS is false")
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::lanes::{HalfZmm, Ymm, Zmm, mask256, mask512};
    use super::*;
    use std::arch::x86_64::*;

    /// `a + b`, of numbers of 8 or of 4 bytes.
    #[inline(always)]
    fn sum(a: __m128, b: __m128, double: bool) -> __m128 {
        // SAFETY: only values; every processor of this architecture has the instructions.
        unsafe {
            if double {
                _mm_castpd_ps(_mm_add_pd(_mm_castps_pd(a), _mm_castps_pd(b)))
            } else {
                _mm_add_ps(a, b)
            }
        }
    }

    /// For each word of a register the word to take: groups of `group` elements, each of so many words.
    const fn indices<const N: usize>(group: usize, words: usize) -> [i32; N] {
        let (mut indices, mut l) = ([0; N], 0);
        while l < N {
            indices[l] = (l / (group * words) * words + l % words) as i32; // below 16
            l += 1;
        }
        indices
    }

    macro_rules! gather {
        (
            $name:ident, $bytes:literal, $single:ident, $indices:ident,
            [$($word:literal)*], [$($pair:literal)*], [$($four:literal)*],
            $first:expr, $permute:expr, $halve:expr, $picks:literal, $pick:expr
        ) => {
            impl<T: Scalar, const FUSED: bool> Gather<T> for $name<T, FUSED> {
                const PICKS: bool = $picks && !T::IS_COMPLEX && size_of::<T>() == 4;

                #[inline(always)]
                unsafe fn gather<I: Index, const W: usize>(
                    from: *const T,
                    stride: isize,
                    columns: *const I,
                ) -> Self {
                    // All arrays and calls are written out: loops would fill the arrays in memory, and closures called so
                    // often would be compiled by themselves, without the instructions of the shell.
                    // SAFETY: a place is read by as many bytes as W elements have, aligned or not; arrays of numbers are as
                    // large as the register and have no invalid values.
                    unsafe {
                        Self::of(match W * size_of::<T>() {
                            4 => std::mem::transmute::<[f32; $bytes / 4], $single>([
                                $(place(from, stride, columns, $word).cast::<f32>().read_unaligned()),*
                            ]),
                            8 => std::mem::transmute::<[f64; $bytes / 8], $single>([
                                $(place(from, stride, columns, $pair).cast::<f64>().read_unaligned()),*
                            ]),
                            16 => std::mem::transmute::<[__m128; $bytes / 16], $single>([
                                $(_mm_loadu_ps(place(from, stride, columns, $four).cast())),*
                            ]),
                            _ => unreachable!("groups of {W}"),
                        })
                    }
                }
                #[inline(always)]
                unsafe fn spread<const W: usize>(from: *const T) -> Self {
                    // SAFETY: as many elements as there are groups; the indices are as large as the register.
                    unsafe {
                        let all = <Self as super::super::lanes::Lanes<T>>::load_part(from, $bytes / size_of::<T>() / W);
                        if W == 1 {
                            return all;
                        }
                        let indices = const { indices::<{ $bytes / 4 }>(W, size_of::<T>() / 4) };
                        let indices = std::mem::transmute::<[i32; $bytes / 4], $indices>(indices);
                        Self::of($permute(all.0, indices))
                    }
                }
                #[inline(always)]
                fn first_or(self, count: usize, other: Self) -> Self {
                    // SAFETY: only values; the shells that reach this enable the instructions.
                    Self::of(unsafe { $first(self.0, count * (size_of::<T>() / 4), other.0) })
                }
                #[inline(always)]
                fn folded<const W: usize>(self) -> [T; W] {
                    let double = size_of::<T::Real>() == 8;
                    // SAFETY: only values; arrays of numbers have no invalid values, and the copies are not longer than
                    // what is copied from.
                    unsafe {
                        let half: __m256 = $halve(self.0, double);
                        let quarter = sum(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half), double);
                        let rest = match W * size_of::<T>() {
                            16 => quarter,
                            8 => sum(quarter, _mm_movehl_ps(quarter, quarter), double),
                            _ => {
                                let two = sum(quarter, _mm_movehl_ps(quarter, quarter), double);
                                _mm_add_ss(two, _mm_movehdup_ps(two))
                            }
                        };
                        std::mem::transmute_copy::<__m128, [T; W]>(&rest)
                    }
                }
                #[inline(always)]
                unsafe fn pick(window: [Self; 4], columns: *const i32, first: i32) -> Self {
                    Self::of($pick(window.map(|w| w.0), columns, first))
                }
            }
        };
    }

    gather! {
        Zmm, 64, __m512, __m512i,
        [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15], [0 1 2 3 4 5 6 7], [0 1 2 3],
        |some, count, other| _mm512_mask_blend_ps(mask512(0, count), other, some),
        |value, indices| _mm512_permutexvar_ps(indices, value),
        |value, double: bool| {
            let (low, high) = (_mm512_castps512_ps256(value), _mm512_extractf64x4_pd::<1>(_mm512_castps_pd(value)));
            if double {
                _mm256_castpd_ps(_mm256_add_pd(_mm256_castps_pd(low), high))
            } else {
                _mm256_add_ps(low, _mm256_castpd_ps(high))
            }
        },
        true,
        // SAFETY: the columns are read as the contract allows; the shells that reach this enable the instructions.
        |window: [__m512; 4], columns: *const i32, first| unsafe {
            let places = _mm512_sub_epi32(_mm512_loadu_si512(columns.cast()), _mm512_set1_epi32(first));
            // The lowest five bits choose among two registers, the sixth between the pairs.
            let low = _mm512_permutex2var_ps(window[0], places, window[1]);
            let high = _mm512_permutex2var_ps(window[2], places, window[3]);
            _mm512_mask_blend_ps(_mm512_test_epi32_mask(places, _mm512_set1_epi32(32)), low, high)
        }
    }

    gather! {
        HalfZmm, 32, __m256, __m256i,
        [0 1 2 3 4 5 6 7], [0 1 2 3], [0 1],
        |some, count, other| _mm256_mask_blend_ps(mask512(0, count) as __mmask8, other, some), // 8 lanes: the lowest bits
        |value, indices| _mm256_permutevar8x32_ps(value, indices),
        |value, _: bool| value,
        false, |_: [__m256; 4], _: *const i32, _| unreachable!("PICKS is false")
    }

    gather! {
        Ymm, 32, __m256, __m256i,
        [0 1 2 3 4 5 6 7], [0 1 2 3], [0 1],
        |some, count, other| _mm256_blendv_ps(other, some, _mm256_castsi256_ps(mask256(0, count))),
        |value, indices| _mm256_permutevar8x32_ps(value, indices),
        |value, _: bool| value,
        false, |_: [__m256; 4], _: *const i32, _| unreachable!("PICKS is false")
    }
}
