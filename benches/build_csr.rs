//! What does building the matrix of ten million samples cost, in time and memory, beside writing as many bytes?
//!
//! `cargo bench --bench build_csr` prints bytes per second of building and of plainly filling as many bytes,
//! in turn, and the peak memory; it fails when the peak exceeds 1.1 times the
//! matrix plus 50 MB. Linux only for the memory figure.

use convmtx::{Conv1d, ConvMode};
use rayon::prelude::*;
use std::time::Instant;

/// Samples and taps of the claim; pass other numbers on the command line to try them.
const DEFAULT: (usize, usize) = (10_000_000, 31);

/// Peak resident memory of this process in bytes.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? * 1024)
}

/// Writes every element of a buffer once, in parallel, and returns bytes per second.
fn fill(buffer: &mut [u64], value: u64) -> f64 {
    let start = Instant::now();
    buffer.par_chunks_mut(1 << 16).for_each(|chunk| chunk.fill(value));
    std::hint::black_box(&*buffer);
    size_of_val(buffer) as f64 / start.elapsed().as_secs_f64()
}

fn main() -> convmtx::Result<()> {
    let numbers: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (n, k) = match numbers[..] {
        [n, k] => (n, k),
        _ => DEFAULT,
    };
    let taps: Vec<f64> = (1..=k).map(|t| t as f64).collect();
    let conv = Conv1d::new(&taps, n, ConvMode::Full)?;
    let bytes = (n + k - 1 + 1) * 4 + n * k * 12;
    println!("n = {n}, K = {k}: {} non-zeros, {:.3} GB", n * k, bytes as f64 / 1e9);
    println!("GB/s       build   plain fill of fresh memory   of memory in use");
    for round in 0..4 {
        // The fill comes first: on a virtual machine the first touch of memory costs the host, too.
        let mut buffer = vec![0_u64; bytes / 8];
        let (fresh, used) = (fill(&mut buffer, 1), fill(&mut buffer, 2));
        drop(buffer);
        let start = Instant::now();
        let matrix = conv.to_csr()?;
        let build = bytes as f64 / start.elapsed().as_secs_f64();
        assert_eq!(matrix.nnz(), n * k);
        let name = if round == 0 { "warm-up" } else { "       " };
        println!("{name} {:8.2} {:28.2} {:18.2}", build / 1e9, fresh / 1e9, used / 1e9);
    }
    if let Some(peak) = peak() {
        // At no time more than one buffer or one matrix was alive, so the peak is that of the build, or below it.
        let limit = bytes as f64 * 1.1 + 50e6;
        println!("peak memory {:.3} GB, limit {:.3} GB", peak as f64 / 1e9, limit / 1e9);
        assert!(peak as f64 <= limit, "peak memory exceeds 1.1 times the matrix plus 50 MB");
    }
    Ok(())
}
