//! Large buffers: checked against what is available, zeroed, on huge pages where the system offers them.
//!
//! One of the few places with `unsafe`. A fresh buffer of gigabytes costs page faults, not arithmetic: with 4 KiB
//! pages the kernel clears and maps a few GB/s, with 2 MiB pages several times that.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
#[cfg(feature = "fft")]
use num_complex::Complex;
use sprs::{CsMatI, SpIndex};
use std::alloc::{Layout, alloc_zeroed};
use std::fs::read_to_string;

/// What to do instead of asking for a buffer that does not fit.
const HINT: &str = "use a smaller size, or the matrix-free operator where a matrix was asked for";

/// From this size on a buffer is compared with the available memory and put on huge pages, bytes.
const LARGE: usize = 4 << 20;

/// Index types of sparse matrices: `i32` where everything fits, `i64` beyond.
///
/// Signed, because SciPy and cuSPARSE take these without a copy.
pub trait Index: SpIndex + Zeroed {
    /// Bytes of one index.
    const BYTES: usize = size_of::<Self>();
    /// The largest index.
    const MAX: u64;
}

impl Index for i32 {
    const MAX: u64 = i32::MAX.unsigned_abs() as u64; // widening
}

impl Index for i64 {
    const MAX: u64 = i64::MAX.unsigned_abs();
}

use sealed::Zeroed;

mod sealed {
    /// Elements for which all bytes zero is a valid value, namely zero.
    pub trait Zeroed: Copy + Send + Sync + 'static {}
    impl<T: crate::scalar::Scalar> Zeroed for T {}
    impl Zeroed for i32 {}
    impl Zeroed for i64 {}
    impl Zeroed for usize {}
}

/// A vector of `len` zeros, or [`Error::Memory`] naming the bytes that are missing.
///
/// The system hands out zeroed pages lazily, so that nothing is written before the caller writes it.
pub(crate) fn zeroed<T: Zeroed>(what: &'static str, len: usize) -> Result<Vec<T>> {
    let needed = len as u128 * size_of::<T>() as u128; // widening
    let refuse = || Error::Memory { what, needed, available: available_bytes(), hint: HINT };
    let layout = Layout::array::<T>(len).map_err(|_| refuse())?;
    if layout.size() == 0 {
        return Ok(Vec::new());
    }
    if layout.size() >= LARGE && needed > u128::from(available_bytes()) {
        return Err(refuse());
    }
    // SAFETY: the layout has a non-zero size, checked above.
    let ptr = unsafe { alloc_zeroed(layout) }.cast::<T>();
    if ptr.is_null() {
        return Err(refuse());
    }
    if layout.size() >= LARGE {
        advise_huge_pages(ptr.cast(), layout.size());
    }
    // SAFETY: `ptr` comes from the global allocator with the layout of `len` elements of `T`, which is also the
    // capacity; all `len` elements are initialised, since zero bytes are a value of every `Zeroed` type.
    Ok(unsafe { Vec::from_raw_parts(ptr, len, len) })
}

/// Scratch of a product as complex numbers of the same precision: half as many for real types. An odd element is left out.
#[cfg(feature = "fft")]
pub(crate) fn as_complex_mut<T: Scalar>(scratch: &mut [T]) -> &mut [Complex<T::Real>] {
    const { assert!(align_of::<T>() == align_of::<Complex<T::Real>>()) };
    let len = size_of_val(scratch) / size_of::<Complex<T::Real>>();
    // SAFETY: `Scalar` is sealed, so `T` is `R` or `Complex<R>` with `R = T::Real`, and `Complex<R>` is two adjacent `R`
    // (`repr(C)`): every value of the one is a value of the other. `len` is rounded down, so the new slice lies in the
    // old one, which stays mutably borrowed; alignments are equal, checked above.
    unsafe { std::slice::from_raw_parts_mut(scratch.as_mut_ptr().cast(), len) }
}

/// Asks the system to back `[ptr, ptr + size)` with huge pages; a refusal changes speed only.
fn advise_huge_pages(ptr: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        let skip = ptr.addr().wrapping_neg() % PAGE;
        let len = size.saturating_sub(skip) / PAGE * PAGE;
        // SAFETY: the range lies inside one live allocation and begins on a page boundary; this advice never changes
        // the content of memory.
        unsafe { libc::madvise(ptr.wrapping_add(skip).cast(), len, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (ptr, size);
}

/// A CSR matrix from arrays that a builder filled in order: sorted columns, no duplicates, `indptr` ascending.
///
/// Skips the serial re-reading of all indices that the checked constructor does; debug builds keep it.
pub(crate) fn csr_from_parts<T: Scalar, I: Index>(
    shape: (usize, usize),
    indptr: Vec<I>,
    indices: Vec<I>,
    data: Vec<T>,
) -> CsMatI<T, I> {
    if cfg!(debug_assertions) {
        return CsMatI::new(shape, indptr, indices, data); // panics on a broken builder
    }
    // SAFETY: the constructor is unsafe only for what is listed above, which the builders establish by construction
    // and every debug build verifies.
    unsafe { CsMatI::new_unchecked(sprs::CompressedStorage::CSR, shape, indptr, indices, data) }
}

/// `Ok` when `needed` bytes are available, otherwise [`Error::Memory`].
pub(crate) fn check_available(what: &'static str, needed: u128) -> Result<()> {
    if needed < LARGE as u128 {
        return Ok(()); // widening above; small requests are not worth three file reads
    }
    let available = available_bytes();
    if needed <= u128::from(available) {
        Ok(())
    } else {
        Err(Error::Memory { what, needed, available, hint: HINT })
    }
}

/// Bytes that this process may still take: the smaller of the system's `MemAvailable` and the headroom of the
/// control group (containers, batch systems). `u64::MAX` where the system tells neither.
pub fn available_bytes() -> u64 {
    let meminfo = read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    meminfo.unwrap_or(u64::MAX).min(cgroup_headroom().unwrap_or(u64::MAX))
}

/// Limit minus use of this process's control group and of those above it, versions 2 and 1. Cached files do not count
/// as used: the system gives their memory back on demand.
fn cgroup_headroom() -> Option<u64> {
    let number = |path: String| read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let groups = read_to_string("/proc/self/cgroup").ok()?;
    let headroom = |dir: &str, [limit, used, cached]: [&str; 3]| {
        let stat = read_to_string(format!("{dir}/memory.stat")).unwrap_or_default();
        let cached = stat.lines().find_map(|l| l.strip_prefix(cached)?.trim().parse::<u64>().ok());
        let used = number(format!("{dir}/{used}"))?.saturating_sub(cached.unwrap_or(0));
        Some(number(format!("{dir}/{limit}"))?.saturating_sub(used))
    };
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (root, files) = match controllers {
            "" => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file "]),
            c if c.split(',').any(|c| c == "memory") => (
                "/sys/fs/cgroup/memory",
                ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            ),
            _ => return None,
        };
        // Every group on the way up limits; inside a container the root itself may be the group.
        let above = std::path::Path::new(path).ancestors();
        above.filter_map(|group| headroom(&format!("{root}{}", group.display()), files)).min()
    };
    groups.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroed_is_zero_at_every_size() {
        for len in [0, 1, 1000, LARGE / 8 + 3] {
            let v: Vec<f64> = zeroed("v", len).unwrap();
            assert_eq!(v.len(), len);
            assert!(v.iter().all(|&x| x == 0.0));
        }
    }

    #[test]
    fn too_much_is_an_error_with_the_number_of_bytes() {
        let err = zeroed::<f64>("the matrix", 1 << 59).unwrap_err().to_string();
        assert!(err.contains("the matrix needs 4611686018427387904 bytes"), "{err}");
        assert!(zeroed::<f64>("v", usize::MAX).is_err());
        assert!(available_bytes() > 0);
    }
}
