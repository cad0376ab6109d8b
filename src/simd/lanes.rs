//! Vector registers of the four element types.

use super::gather::Gather;
use crate::scalar::Scalar;
use std::marker::PhantomData;
use std::ops::Range;

/// A vector register with [`COUNT`](Lanes::COUNT) elements of `T`.
pub(crate) trait Lanes<T: Scalar>: Gather<T> {
    /// Elements in a register.
    const COUNT: usize;

    /// A register half as long, if that takes half the time.
    type Half: Lanes<T>;

    /// Registers that the processor has.
    const REGISTERS: usize;

    /// Whether products are fused with sums: only where the order of summation is free.
    const FUSED: bool;

    /// One element in every lane, ready to multiply with.
    type Factor: Copy;

    /// Elements from memory, ready to be multiplied.
    type Source: Copy;

    /// Zeros.
    fn zero() -> Self;

    /// The elements at `from`.
    ///
    /// # Safety
    /// `from` is valid for reading [`COUNT`](Lanes::COUNT) elements.
    unsafe fn load(from: *const T) -> Self;

    /// The first `count` ≤ [`COUNT`](Lanes::COUNT) elements at `from`, then zeros.
    ///
    /// # Safety
    /// `from` is valid for reading `count` elements.
    #[inline(always)]
    unsafe fn load_part(from: *const T, count: usize) -> Self {
        // SAFETY: the contract.
        unsafe { Self::load_lanes(from, 0..count) }
    }

    /// The elements from `place` on of a row of `len` elements, and zeros for places before and after it.
    ///
    /// # Safety
    /// `from` is where the element at `place` is or would be; the elements of the row are valid for reading.
    #[inline(always)]
    unsafe fn load_within(from: *const T, place: isize, len: usize) -> Self {
        // SAFETY: only places within the row are read.
        unsafe {
            if place >= 0 && place + Self::COUNT as isize <= len as isize {
                return Self::load(from);
            }
            let clamp = |lane: isize| lane.clamp(0, Self::COUNT as isize) as usize;
            Self::load_lanes(from, clamp(-place)..clamp(len as isize - place))
        }
    }

    /// The elements at `from` in the lanes `lanes`, which are lanes of a register, and zeros in the others.
    ///
    /// # Safety
    /// `from`, which itself need not be valid, is valid for reading these elements.
    unsafe fn load_lanes(from: *const T, lanes: Range<usize>) -> Self;

    /// Writes all elements.
    ///
    /// # Safety
    /// `to` is valid for writing [`COUNT`](Lanes::COUNT) elements.
    unsafe fn store(self, to: *mut T);

    /// Writes the first `count` ≤ [`COUNT`](Lanes::COUNT) elements.
    ///
    /// # Safety
    /// `to` is valid for writing `count` elements.
    unsafe fn store_part(self, to: *mut T, count: usize);

    /// `value` in every lane.
    fn factor(value: T) -> Self::Factor;

    /// These elements as the second operand of products.
    fn source(self) -> Self::Source;

    /// `self + factor·source`, each lane for itself.
    fn add_product(self, factor: Self::Factor, source: Self::Source) -> Self;

    /// `self + a·b`, each lane, and in it each of the parts of a complex number, for itself.
    fn add_parts(self, a: Self, b: Self) -> Self;

    /// Real and imaginary parts exchanged; real numbers as they are.
    fn exchanged(self) -> Self;

    /// `self + other`, each lane for itself.
    fn plus(self, other: Self) -> Self;

    /// The sum of all lanes, added in pairs.
    #[inline(always)]
    fn sum(self) -> T {
        self.folded::<1>()[0]
    }
}

/// Asks for the cache line at `from`, which need not be valid.
#[inline(always)]
pub(super) fn prefetch<T>(from: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that never faults, and that every processor of this architecture has.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(from.cast());
    }
}

/// Asks for the cache line at `from` in the second cache only.
#[inline(always)]
pub(super) fn prefetch_second<T>(from: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(from.cast());
    }
}

/// What the build targets: an array that the compiler maps to whatever there is. Never fused.
#[derive(Clone, Copy)]
pub(super) struct Array<T, const N: usize>(pub(super) [T; N]);

impl<T: Scalar, const N: usize> Lanes<T> for Array<T, N> {
    type Half = Self;
    const COUNT: usize = N;
    const REGISTERS: usize = 16;
    const FUSED: bool = false;
    type Factor = T;
    type Source = Self;

    #[inline(always)]
    fn zero() -> Self {
        Array([T::zero(); N])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: valid for `N` elements by the contract of the trait; arrays have the alignment of their elements.
        Array(unsafe { from.cast::<[T; N]>().read() })
    }
    #[inline(always)]
    unsafe fn load_lanes(from: *const T, lanes: Range<usize>) -> Self {
        // SAFETY: only these elements are read.
        let element = |l| unsafe { from.wrapping_add(l).read() };
        Array(std::array::from_fn(|l| if lanes.contains(&l) { element(l) } else { T::zero() }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: valid for `N` elements by the contract of the trait.
        unsafe { to.cast::<[T; N]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut T, count: usize) {
        for l in 0..count.min(N) {
            // SAFETY: `l < count`, which is what the contract allows.
            unsafe { to.add(l).write(self.0[l]) }
        }
    }
    #[inline(always)]
    fn factor(value: T) -> T {
        value
    }
    #[inline(always)]
    fn source(self) -> Self {
        self
    }
    #[inline(always)]
    fn add_product(self, factor: T, source: Self) -> Self {
        Array(std::array::from_fn(|l| self.0[l] + factor * source.0[l]))
    }
    #[inline(always)]
    fn add_parts(self, a: Self, b: Self) -> Self {
        Array(std::array::from_fn(|l| {
            let (sum, a, b) = (self.0[l], a.0[l], b.0[l]);
            T::from_parts(sum.re() + a.re() * b.re(), sum.im() + a.im() * b.im())
        }))
    }
    #[inline(always)]
    fn exchanged(self) -> Self {
        Array(self.0.map(|v| if T::IS_COMPLEX { T::from_parts(v.im(), v.re()) } else { v }))
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Array(std::array::from_fn(|l| self.0[l] + other.0[l]))
    }
}

/// A register of x86: `$bytes` of elements, with the intrinsics for them.
#[cfg(target_arch = "x86_64")]
macro_rules! register {
    (
        $(#[$doc:meta])* $name:ident, $half:ident, $bytes:literal, $registers:literal, $single:ident, $double:ident,
        $to_double:ident, $to_single:ident,
        $load:ident, $store:ident, $zero:ident, $set_s:ident, $set_d:ident,
        $add_s:ident, $mul_s:ident, $fma_s:ident, $swap_s:ident,
        $add_d:ident, $mul_d:ident, $fma_d:ident, $swap_d:ident, $swapped:literal,
        $load_lanes:expr, $store_part:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name<T, const FUSED: bool>(pub(in crate::simd) $single, PhantomData<T>);

        impl<T: Scalar, const FUSED: bool> $name<T, FUSED> {
            const DOUBLE: bool = size_of::<T::Real>() == 8;

            #[inline(always)]
            pub(in crate::simd) fn of(raw: $single) -> Self {
                $name(raw, PhantomData)
            }

            /// `even` in the even places, `odd` in the others.
            #[inline(always)]
            fn alternating(even: T::Real, odd: T::Real) -> $single {
                // SAFETY: `Scalar` is sealed, so that `T::Real` is `f64` or `f32` and its size tells which; vectors of
                // either are as large as the register and have no invalid values.
                unsafe {
                    if Self::DOUBLE {
                        let [even, odd] = [even, odd].map(|v| std::mem::transmute_copy::<T::Real, f64>(&v));
                        let lanes: [f64; $bytes / 8] = std::array::from_fn(|l| [even, odd][l % 2]);
                        std::mem::transmute::<[f64; $bytes / 8], $single>(lanes)
                    } else {
                        let [even, odd] = [even, odd].map(|v| std::mem::transmute_copy::<T::Real, f32>(&v));
                        let lanes: [f32; $bytes / 4] = std::array::from_fn(|l| [even, odd][l % 2]);
                        std::mem::transmute::<[f32; $bytes / 4], $single>(lanes)
                    }
                }
            }

            /// `value` everywhere.
            #[inline(always)]
            fn everywhere(value: T::Real) -> $single {
                // SAFETY: as above.
                unsafe {
                    if Self::DOUBLE {
                        $to_single($set_d(std::mem::transmute_copy::<T::Real, f64>(&value)))
                    } else {
                        $set_s(std::mem::transmute_copy::<T::Real, f32>(&value))
                    }
                }
            }

            #[inline(always)]
            fn multiply_add(a: $single, b: $single, c: $single) -> $single {
                // SAFETY: only values; the shells that reach this enable the instructions.
                unsafe {
                    if Self::DOUBLE {
                        let (a, b, c) = ($to_double(a), $to_double(b), $to_double(c));
                        $to_single(if FUSED { $fma_d(a, b, c) } else { $add_d(c, $mul_d(a, b)) })
                    } else if FUSED {
                        $fma_s(a, b, c)
                    } else {
                        $add_s(c, $mul_s(a, b))
                    }
                }
            }

            #[inline(always)]
            fn multiply(a: $single, b: $single) -> $single {
                // SAFETY: as above.
                unsafe {
                    if Self::DOUBLE { $to_single($mul_d($to_double(a), $to_double(b))) } else { $mul_s(a, b) }
                }
            }

            #[inline(always)]
            fn sum_of(a: $single, b: $single) -> $single {
                // SAFETY: as above.
                unsafe {
                    if Self::DOUBLE { $to_single($add_d($to_double(a), $to_double(b))) } else { $add_s(a, b) }
                }
            }
        }

        impl<T: Scalar, const FUSED: bool> Lanes<T> for $name<T, FUSED> {
            type Half = $half<T, FUSED>;
            const COUNT: usize = $bytes / size_of::<T>();
            const REGISTERS: usize = $registers;
            const FUSED: bool = FUSED;
            /// Complex factors: the real part everywhere; (−imaginary, imaginary) alternating. Real ones use the first.
            type Factor = [$single; 2];
            /// Complex sources: as they are; with their parts exchanged. Real ones use the first.
            type Source = [$single; 2];

            #[inline(always)]
            fn zero() -> Self {
                // SAFETY: only values.
                Self::of(unsafe { $zero() })
            }
            #[inline(always)]
            unsafe fn load(from: *const T) -> Self {
                // SAFETY: valid for all bytes of the register by the contract of the trait; needs no alignment.
                Self::of(unsafe { $load(from.cast()) })
            }
            #[inline(always)]
            unsafe fn load_lanes(from: *const T, lanes: Range<usize>) -> Self {
                let [lo, hi] = [lanes.start, lanes.end].map(|lane| lane * (size_of::<T>() / 4));
                // SAFETY: reads these elements only, whose bytes are a multiple of four.
                Self::of(unsafe { $load_lanes(from.cast::<f32>(), lo, hi) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut T) {
                // SAFETY: valid for all bytes of the register by the contract of the trait; needs no alignment.
                unsafe { $store(to.cast(), self.0) }
            }
            #[inline(always)]
            unsafe fn store_part(self, to: *mut T, count: usize) {
                // SAFETY: writes `count` elements only.
                unsafe { $store_part(to.cast::<f32>(), count * (size_of::<T>() / 4), self.0) }
            }
            #[inline(always)]
            fn factor(value: T) -> Self::Factor {
                let re = Self::everywhere(value.re());
                if T::IS_COMPLEX { [re, Self::alternating(-value.im(), value.im())] } else { [re, re] }
            }
            #[inline(always)]
            fn source(self) -> Self::Source {
                if !T::IS_COMPLEX {
                    return [self.0, self.0];
                }
                // SAFETY: only values.
                let swapped = unsafe {
                    if Self::DOUBLE {
                        $to_single($swap_d::<$swapped>($to_double(self.0)))
                    } else {
                        $swap_s::<0b10_11_00_01>(self.0)
                    }
                };
                [self.0, swapped]
            }
            #[inline(always)]
            fn add_product(self, factor: Self::Factor, source: Self::Source) -> Self {
                if !T::IS_COMPLEX {
                    return Self::of(Self::multiply_add(factor[0], source[0], self.0));
                }
                if FUSED {
                    let half = Self::multiply_add(factor[0], source[0], self.0);
                    return Self::of(Self::multiply_add(factor[1], source[1], half));
                }
                let product = Self::multiply_add(factor[1], source[1], Self::multiply(factor[0], source[0]));
                Self::of(Self::sum_of(self.0, product))
            }
            #[inline(always)]
            fn add_parts(self, a: Self, b: Self) -> Self {
                Self::of(Self::multiply_add(a.0, b.0, self.0))
            }
            #[inline(always)]
            fn exchanged(self) -> Self {
                Self::of(self.source()[usize::from(T::IS_COMPLEX)])
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Self::of(Self::sum_of(self.0, other.0))
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;
    use std::arch::x86_64::*;

    /// The bits of the 32-bit lanes `lo..hi`, both below 256.
    #[inline(always)]
    pub(in crate::simd) fn mask512(lo: usize, hi: usize) -> __mmask16 {
        // SAFETY: only values; the shells that reach this enable the instruction, which looks at the lowest eight bits.
        let below = |lane: usize| unsafe { _bzhi_u32(0xffff, lane as u32) };
        (below(hi) & !below(lo)) as __mmask16 // 16 bits
    }

    /// All bits set in the 32-bit lanes `lo..hi`.
    #[inline(always)]
    pub(in crate::simd) fn mask256(lo: usize, hi: usize) -> __m256i {
        let lanes: [i32; 8] = std::array::from_fn(|l| if (lo..hi).contains(&l) { -1 } else { 0 });
        // SAFETY: both are 32 bytes without invalid values.
        unsafe { std::mem::transmute::<[i32; 8], __m256i>(lanes) }
    }

    register! {
        /// 512 bits.
        Zmm, HalfZmm, 64, 32, __m512, __m512d, _mm512_castps_pd, _mm512_castpd_ps,
        _mm512_loadu_ps, _mm512_storeu_ps, _mm512_setzero_ps, _mm512_set1_ps, _mm512_set1_pd,
        _mm512_add_ps, _mm512_mul_ps, _mm512_fmadd_ps, _mm512_permute_ps,
        _mm512_add_pd, _mm512_mul_pd, _mm512_fmadd_pd, _mm512_permute_pd, 0b01010101,
        |from: *const f32, lo, hi| _mm512_maskz_loadu_ps(mask512(lo, hi), from),
        |to: *mut f32, count, value| _mm512_mask_storeu_ps(to, mask512(0, count), value)
    }

    register! {
        /// 256 bits, with the masks and the number of the wider ones.
        HalfZmm, HalfZmm, 32, 32, __m256, __m256d, _mm256_castps_pd, _mm256_castpd_ps,
        _mm256_loadu_ps, _mm256_storeu_ps, _mm256_setzero_ps, _mm256_set1_ps, _mm256_set1_pd,
        _mm256_add_ps, _mm256_mul_ps, _mm256_fmadd_ps, _mm256_permute_ps,
        _mm256_add_pd, _mm256_mul_pd, _mm256_fmadd_pd, _mm256_permute_pd, 0b0101,
        |from: *const f32, lo, hi| _mm256_maskz_loadu_ps(mask512(lo, hi) as __mmask8, from), // eight lanes at most
        |to: *mut f32, count, value| _mm256_mask_storeu_ps(to, mask512(0, count) as __mmask8, value)
    }

    register! {
        /// 256 bits.
        Ymm, Ymm, 32, 16, __m256, __m256d, _mm256_castps_pd, _mm256_castpd_ps,
        _mm256_loadu_ps, _mm256_storeu_ps, _mm256_setzero_ps, _mm256_set1_ps, _mm256_set1_pd,
        _mm256_add_ps, _mm256_mul_ps, _mm256_fmadd_ps, _mm256_permute_ps,
        _mm256_add_pd, _mm256_mul_pd, _mm256_fmadd_pd, _mm256_permute_pd, 0b0101,
        |from: *const f32, lo, hi| _mm256_maskload_ps(from, mask256(lo, hi)),
        |to: *mut f32, count, value| _mm256_maskstore_ps(to, mask256(0, count), value)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{HalfZmm, Ymm, Zmm, mask256, mask512};
