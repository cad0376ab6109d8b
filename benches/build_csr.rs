//! What does building a matrix cost beside filling as many bytes, and updating it beside building it?
//!
//! `cargo bench --bench build_csr` prints, with one thread and with all, the bytes per second of building and of filling
//! as many bytes of fresh memory on huge pages (the limit of this machine: its kernel clears pages before they are
//! written), and their ratio; then the bytes of the values per second of writing new ones into the same pattern, beside filling
//! memory in use. Every number is the best of several rounds, all kinds in turn. `-- memory` instead builds the matrix of ten
//! million samples once and fails when the peak exceeds 1.1 times the matrix plus 50 MB (Linux only).

use convmtx::ndarray::Array2;
use convmtx::{Conv, Conv1d, Conv2d, ConvMode};
use rayon::prelude::*;
use std::time::Instant;

const ROUNDS: usize = 7;

/// Peak resident memory of this process in bytes.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? * 1024)
}

/// Seconds of `work`, and what it returns.
fn seconds<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let start = Instant::now();
    let result = std::hint::black_box(work());
    (start.elapsed().as_secs_f64(), result)
}

/// Writes every element once, on all threads.
fn fill(buffer: &mut [u64], value: u64) {
    buffer.par_chunks_mut(1 << 16).for_each(|chunk| chunk.fill(value));
}

/// Fresh memory on huge pages, if the system has them.
struct Fresh {
    mapped: *mut u8,
    len: usize,
}

impl Fresh {
    #[cfg(target_os = "linux")]
    fn new(bytes: usize) -> Self {
        let len = bytes.next_multiple_of(2 << 20);
        let (both, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address of the system's choice.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), len, both, private, -1, 0) };
        assert_ne!(mapped, libc::MAP_FAILED, "no memory");
        // SAFETY: advice for that mapping.
        unsafe { libc::madvise(mapped, len, libc::MADV_HUGEPAGE) };
        Fresh { mapped: mapped.cast(), len }
    }

    #[cfg(not(target_os = "linux"))]
    fn new(bytes: usize) -> Self {
        let len = bytes.next_multiple_of(2 << 20);
        Fresh { mapped: Box::leak(vec![0_u64; len / 8].into_boxed_slice()).as_mut_ptr().cast(), len }
    }

    fn elements(&mut self) -> &mut [u64] {
        // SAFETY: all of the mapping is readable and writable, aligned to pages, and borrowed with `self`.
        unsafe { std::slice::from_raw_parts_mut(self.mapped.cast(), self.len / 8) }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        // SAFETY: mapped by `new` with this length, and nothing borrows it any more.
        unsafe {
            libc::munmap(self.mapped.cast(), self.len);
        }
        #[cfg(not(target_os = "linux"))]
        // SAFETY: leaked by `new` from a box of this length.
        drop(unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.mapped.cast::<u64>(), self.len / 8))
        });
    }
}

fn measure<const D: usize>(name: &str, conv: &Conv<f64, D>) -> convmtx::Result<()> {
    let mut pattern = conv.to_csr_keeping_zeros()?;
    let bytes = pattern.nnz() * 12 + (pattern.rows() + 1) * 4;
    let values = pattern.nnz() * 8;
    let mut best = [f64::INFINITY; 4];
    for _ in 0..ROUNDS {
        let (fresh, _) = seconds(|| {
            let mut fresh = Fresh::new(bytes);
            fill(&mut fresh.elements()[..bytes / 8], 1);
        });
        let (build, _) = seconds(|| conv.to_csr());
        let mut buffer = vec![0; values / 8];
        fill(&mut buffer, 1);
        let (used, ()) = seconds(|| fill(&mut buffer, 2));
        drop(buffer);
        let (update, done) = seconds(|| conv.update_csr(&mut pattern));
        done?;
        for (best, new) in best.iter_mut().zip([fresh, build, used, update]) {
            *best = best.min(new);
        }
    }
    let [fresh, build, used, update] = best;
    let rate = |bytes: usize, seconds: f64| bytes as f64 / seconds / 1e9;
    println!(
        "{name:28} {:7.1} {:6.1} {:6.1} {:5.2}   {:6.1} {:6.1} {:5.2}   {:5.1}",
        bytes as f64 / 1e6,
        rate(bytes, build),
        rate(bytes, fresh),
        fresh / build,
        rate(values, update),
        rate(values, used),
        used / update,
        build / update,
    );
    Ok(())
}

fn all() -> convmtx::Result<()> {
    let taps = |k: usize| (1..=k).map(|t| t as f64).collect::<Vec<_>>();
    println!("                                        build              update of values       update");
    println!("matrix                            MB   GB/s   fill ratio     GB/s   fill ratio   ÷ build");
    for (n, k) in [(100_000, 5), (100_000, 31), (1_000_000, 5), (1_000_000, 31), (1_000_000, 101)] {
        measure(&format!("n = {n}, K = {k}, same"), &Conv1d::new(&taps(k), n, ConvMode::Same)?)?;
    }
    measure("n = 1000000, K = 5, full", &Conv1d::new(&taps(5), 1_000_000, ConvMode::Full)?)?;
    measure("n = 1000000, K = 5, valid", &Conv1d::new(&taps(5), 1_000_000, ConvMode::Valid)?)?;
    for (side, k) in [(128, 15), (512, 3), (512, 15)] {
        let kernel = Array2::from_shape_fn((k, k), |(i, j)| (1 + i * k + j) as f64);
        let conv = Conv2d::new(kernel.view(), [side, side], ConvMode::Same)?;
        measure(&format!("{side} × {side}, K = {k} × {k}, same"), &conv)?;
    }
    Ok(())
}

fn memory() -> convmtx::Result<()> {
    let (n, k) = (10_000_000, 31);
    let taps: Vec<f64> = (1..=k).map(|t| t as f64).collect();
    let matrix = Conv1d::new(&taps, n, ConvMode::Full)?.to_csr()?;
    let bytes = matrix.nnz() * 12 + (matrix.rows() + 1) * 4;
    if let Some(peak) = peak() {
        let limit = bytes as f64 * 1.1 + 50e6;
        println!(
            "matrix {:.3} GB, peak {:.3} GB, limit {:.3} GB",
            bytes as f64 / 1e9,
            peak as f64 / 1e9,
            limit / 1e9
        );
        assert!(peak as f64 <= limit, "peak memory exceeds 1.1 times the matrix plus 50 MB");
    }
    Ok(())
}

fn main() -> convmtx::Result<()> {
    if std::env::args().any(|a| a == "memory") {
        return memory();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in if cores == 1 { vec![1] } else { vec![1, cores] } {
        println!("\n{threads} threads");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
        pool.install(all)?;
    }
    Ok(())
}
