//! Large buffers: checked against what is available, on huge pages where the system offers them, zeroed or written
//! by threads from scratch.
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
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to do instead of asking for a buffer that does not fit.
const HINT: &str = "use a smaller size, or the matrix-free operator where a matrix was asked for";

/// From this size on a buffer is put on huge pages, bytes: one of them.
const LARGE: usize = HUGE;

/// From this size on a buffer is compared with the available memory, bytes: telling that takes reading several files of
/// the system, as long as writing a megabyte.
const CHECKED: usize = 32 << 20;

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;

/// Bytes that allocators keep beside a buffer in the same mapping, rounded up.
const HEADER: usize = 64;

/// Index types of sparse matrices: `i32` where everything fits, `i64` beyond.
///
/// Signed, because SciPy and cuSPARSE take these without a copy.
pub trait Index: SpIndex + num_traits::WrappingAdd + std::fmt::Display + Zeroed {
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
    let capacity = capacity_for::<T>(len);
    let layout = Layout::array::<T>(capacity).map_err(|_| refuse())?;
    if layout.size() == 0 {
        return Ok(Vec::new());
    }
    check_available(what, needed)?;
    // SAFETY: the layout has a non-zero size, checked above.
    let ptr = unsafe { alloc_zeroed(layout) }.cast::<T>();
    if ptr.is_null() {
        return Err(refuse());
    }
    advise_huge_pages(ptr.cast(), layout.size());
    // SAFETY: `ptr` comes from the global allocator with the layout of `capacity` elements of `T`; `len` is at most that,
    // and all elements are initialised, since zero bytes are a value of every `Zeroed` type.
    Ok(unsafe { Vec::from_raw_parts(ptr, len, capacity) })
}

/// A copy of `from`, on huge pages if it is large and written once, or [`Error::Memory`].
#[cfg(feature = "python")]
pub(crate) fn copied<T: Zeroed>(what: &'static str, from: &[T]) -> Result<Vec<T>> {
    check_available(what, size_of_val(from) as u128)?; // widening
    let mut copy = Fresh::new(what, from.len())?;
    copy.parts([from.len()]).for_each(|mut part| part.append(from));
    Ok(copy.into_vec())
}

/// How many elements to ask for when `len` are needed.
///
/// Linux puts a mapping on a boundary of huge pages only if its length is a multiple of theirs; otherwise up to two of
/// them are 4 KiB pages, which for a few megabytes is half of the time. Allocators map one large buffer at a time.
fn capacity_for<T>(len: usize) -> usize {
    let size = len.saturating_mul(size_of::<T>());
    if cfg!(not(target_os = "linux")) || !(LARGE..usize::MAX - 2 * HUGE).contains(&size) {
        return len;
    }
    ((size + HEADER).next_multiple_of(HUGE) - HEADER) / size_of::<T>()
}

/// Room for a vector of which threads write one part each. What is written once is not zeroed before.
pub(crate) struct Fresh<T> {
    /// Of length 0; the elements are written into its capacity.
    room: Vec<T>,
    len: usize,
    /// Elements in parts that are complete.
    written: AtomicUsize,
}

impl<T: Zeroed> Fresh<T> {
    /// Room for `len` elements, or [`Error::Memory`]. What is available is compared by the caller, for all of its
    /// buffers at once.
    pub(crate) fn new(what: &'static str, len: usize) -> Result<Self> {
        let mut room = Vec::<T>::new();
        if room.try_reserve_exact(capacity_for::<T>(len)).is_err() {
            let needed = len as u128 * size_of::<T>() as u128; // widening
            return Err(Error::Memory { what, needed, available: available_bytes(), hint: HINT });
        }
        advise_huge_pages(room.as_mut_ptr().cast(), room.capacity() * size_of::<T>());
        Ok(Fresh { room, len, written: AtomicUsize::new(0) })
    }

    /// The parts with these lengths, which add up to the length of the vector.
    pub(crate) fn parts(
        &mut self,
        lens: impl IntoIterator<Item = usize>,
    ) -> impl Iterator<Item = Part<'_, T>> {
        *self.written.get_mut() = 0; // only the parts handed out last count
        let (mut rest, written) = (&mut self.room.spare_capacity_mut()[..self.len], &self.written);
        lens.into_iter().map(move |len| {
            let (room, after) = std::mem::take(&mut rest).split_at_mut(len);
            rest = after;
            Part { room, next: 0, written }
        })
    }

    /// The vector, once all parts are dropped.
    pub(crate) fn into_vec(mut self) -> Vec<T> {
        let complete = *self.written.get_mut() == self.len;
        debug_assert!(complete, "parts that were not handed out, or leaked");
        if complete {
            // SAFETY: the capacity is at least `len`. The parts handed out last do not overlap and lie in the first
            // `len` elements; each adds its length to `written` once, when it is dropped and after all its elements are
            // initialised. So a sum of `len` says that all are.
            unsafe { self.room.set_len(self.len) };
        }
        self.room
    }
}

/// Elements copied at a time. From a few hundred bytes on the C library copies by the processor's string instruction, at
/// half the speed of plain stores where the destination is not in a cache.
const fn piece<T>() -> usize {
    256 / size_of::<T>()
}

/// `to.copy_from_slice(from)` for a destination outside the caches and a source in one.
pub(crate) fn spread<T: Copy>(from: &[T], to: &mut [T]) {
    let piece = const { piece::<T>() };
    for (to, from) in to.chunks_mut(piece).zip(from.chunks(piece)) {
        to.copy_from_slice(from);
    }
}

/// A part of a vector under construction, written from its beginning to its end.
///
/// What is not written when the part is dropped becomes zero.
pub(crate) struct Part<'a, T: Zeroed> {
    room: &'a mut [MaybeUninit<T>],
    next: usize,
    written: &'a AtomicUsize,
}

impl<T: Zeroed> Part<'_, T> {
    /// Writes the next elements.
    #[inline]
    pub(crate) fn append(&mut self, elements: &[T]) {
        let piece = const { piece::<T>() };
        for (to, from) in self.next_room(elements.len()).chunks_mut(piece).zip(elements.chunks(piece)) {
            to.write_copy_of_slice(from);
        }
    }

    /// Writes `f(e)` for every element `e`.
    #[inline]
    pub(crate) fn append_mapped(&mut self, elements: &[T], f: impl Fn(T) -> T) {
        for (to, &e) in self.next_room(elements.len()).iter_mut().zip(elements) {
            to.write(f(e));
        }
    }

    #[inline]
    fn next_room(&mut self, len: usize) -> &mut [MaybeUninit<T>] {
        let start = self.next;
        self.next += len;
        &mut self.room[start..self.next]
    }
}

impl<T: Zeroed> Drop for Part<'_, T> {
    fn drop(&mut self) {
        debug_assert!(self.next == self.room.len() || std::thread::panicking(), "an incomplete part");
        self.room[self.next..].fill(MaybeUninit::zeroed()); // a value of every `Zeroed` type
        self.written.fetch_add(self.room.len(), Ordering::Release);
    }
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

/// Asks the system to back a buffer with huge pages, if it is large; a refusal changes speed only.
fn advise_huge_pages(ptr: *mut u8, size: usize) {
    if size < LARGE {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 4096;
        // All pages of the buffer, the first and the last included: a huge page must be advised as a whole.
        let before = ptr.addr() % PAGE;
        let len = (before + size).next_multiple_of(PAGE);
        let start = ptr.wrapping_sub(before);
        // SAFETY: the range begins on a page boundary and ends with the last page of a live allocation; this advice
        // never changes the content of memory, whosever it is.
        unsafe { libc::madvise(start.cast(), len, libc::MADV_HUGEPAGE) };
        if start.addr().is_multiple_of(HUGE) {
            // What the allocator has written before the buffer took a small page, and 511 more would follow it.
            // SAFETY: as above; the range is the first huge page of the same allocation, which has at least that size.
            unsafe { libc::madvise(start.cast(), HUGE, libc::MADV_COLLAPSE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = ptr;
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
    if needed < CHECKED as u128 {
        return Ok(()); // widening above
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
        for len in [0, 1, 1000, LARGE / 8 + 3, HUGE, CHECKED / 8 + 1] {
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

    #[test]
    fn parts_written_by_threads_make_up_the_vector() {
        for len in [0, 1, 1000, LARGE / 8 + 3] {
            let mut fresh = Fresh::<usize>::new("v", len).unwrap();
            let ends = [0, len / 3, len / 3, len / 2, len];
            let parts: Vec<_> = fresh.parts(ends.windows(2).map(|e| e[1] - e[0])).zip(ends).collect();
            let write = |(mut part, start): (Part<usize>, usize)| {
                let elements: Vec<usize> = (0..part.room.len()).collect();
                part.append(&elements[..elements.len() / 2]);
                part.append_mapped(&elements[..elements.len().div_ceil(2)], |e| e + elements.len() / 2);
                assert!(start + elements.len() <= len);
            };
            std::thread::scope(|s| parts.into_iter().for_each(|part| drop(s.spawn(|| write(part)))));
            let v = fresh.into_vec();
            let expected = ends.windows(2).flat_map(|e| 0..e[1] - e[0]);
            assert!(v.into_iter().eq(expected));
        }
    }

    #[test]
    fn a_whole_number_of_huge_pages_is_asked_for() {
        assert_eq!(capacity_for::<f64>(1000), 1000);
        assert_eq!(capacity_for::<f64>(usize::MAX), usize::MAX);
        if cfg!(target_os = "linux") {
            assert_eq!(8 * capacity_for::<f64>(LARGE / 8) + HEADER, LARGE + HUGE);
        }
    }
}
