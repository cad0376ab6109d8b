//! What does building the matrix of ten million samples cost, in time and memory, beside writing as many bytes?
//!
//! `cargo bench --bench build_csr` prints bytes per second and peak memory, and fails when the peak exceeds 1.1 times the
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
    let before = peak();

    let start = Instant::now();
    let matrix = conv.to_csr()?;
    let seconds = start.elapsed().as_secs_f64();
    let after = peak();

    let bytes = matrix.nnz() * 12 + (matrix.rows() + 1) * 4;
    let rate = bytes as f64 / seconds;
    println!("n = {n}, K = {k}: {} non-zeros, {:.3} GB", matrix.nnz(), bytes as f64 / 1e9);
    println!("build (fresh memory)        {seconds:7.3} s  {:6.2} GB/s", rate / 1e9);
    let mut ok = true;
    if let (Some(before), Some(after)) = (before, after) {
        let limit = bytes as f64 * 1.1 + 50e6;
        println!(
            "peak memory                 {:.3} GB ({:.3} GB before), limit {:.3} GB",
            after as f64 / 1e9,
            before as f64 / 1e9,
            limit / 1e9
        );
        ok = after as f64 <= limit;
    }
    drop(matrix);

    let mut buffer = vec![0_u64; bytes / 8];
    println!("plain fill, fresh memory             {:6.2} GB/s", fill(&mut buffer, 1) / 1e9);
    println!("plain fill, memory in use            {:6.2} GB/s", fill(&mut buffer, 2) / 1e9);
    drop(buffer);
    let again = Instant::now();
    let matrix = conv.to_csr()?;
    println!(
        "build again                          {:6.2} GB/s",
        bytes as f64 / again.elapsed().as_secs_f64() / 1e9
    );
    std::hint::black_box(matrix);
    assert!(ok, "peak memory exceeds 1.1 times the matrix plus 50 MB");
    Ok(())
}
