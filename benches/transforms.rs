//! How fast are products by transforms? Times of the FFT engine alone, forward and adjoint.
//!
//! `cargo bench --bench transforms -- image f32` runs the lines that contain all the words. The number of threads is that of
//! the pool (`RAYON_NUM_THREADS`). Each line shows the best and the median time of both products and how the work is cut.

use convmtx::fft::FftConv;
use convmtx::op::LinearOperator;
use convmtx::{Boundary, Conv1d, Conv2d, Conv3d, FilterBank, Geometry, Layer, RowwiseConv, Scalar};
use ndarray::{Array, Array2, Array3};
use num_complex::Complex;
use std::time::Instant;

/// Best and median milliseconds.
fn milliseconds(mut f: impl FnMut()) -> (f64, f64) {
    let (mut times, begin) = (Vec::new(), Instant::now());
    while times.len() < 3 || (begin.elapsed().as_secs_f64() < 0.8 && times.len() < 400) {
        let start = Instant::now();
        f();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

fn numbers<T: Scalar>(len: usize) -> Vec<T> {
    let part = |i: usize| convmtx::Real::of((i * 37 % 101) as f64 / 101.0 - 0.5);
    (0..len).map(|i| T::from_parts(part(i), part(i + 7))).collect()
}

fn line<T: Scalar, const D: usize>(what: &str, build: impl FnOnce() -> convmtx::Result<FftConv<T, D>>) {
    let what = format!("{:10} {what}", T::NAME.replace("float", "f").replace("complex", "c"));
    if !std::env::args().skip(1).filter(|w| w != "--bench").all(|w| what.contains(&w)) {
        return;
    }
    let start = Instant::now();
    let a = build().expect("an operator");
    let built = start.elapsed().as_secs_f64() * 1e3;
    let (m, n) = a.shape();
    let (mut x, mut y, mut scratch) = (numbers::<T>(n), vec![T::zero(); m], vec![T::zero(); a.scratch_len()]);
    let forward = milliseconds(|| a.forward(&x, &mut y, &mut scratch).expect("a product"));
    let y = numbers::<T>(m);
    let adjoint = milliseconds(|| a.adjoint(&y, &mut x, &mut scratch).expect("a product"));
    println!(
        "{what:42} {:8.3} ({:8.3})  adjoint {:8.3} ({:8.3})  plan {built:7.1}  {} of {:?}, scratch {:.1} MB",
        forward.0,
        forward.1,
        adjoint.0,
        adjoint.1,
        a.blocks(),
        a.transform_shape(),
        (a.scratch_len() * size_of::<T>()) as f64 / 1e6,
    );
}

fn table<T: Scalar>() {
    for (n, k) in
        [(2048, 15), (2048, 31), (2048, 63), (2048, 127), (1024, 31), (512, 31), (256, 15), (1000, 400)]
    {
        for boundary in [Boundary::Zero, Boundary::Symmetric] {
            if boundary != Boundary::Zero && k != 31 {
                continue;
            }
            line::<T, 2>(&format!("image {n} by {k} {boundary:?}"), || {
                let psf = Array2::from_shape_vec((k, k), numbers(k * k)).expect("shape");
                Conv2d::new(&psf, [n, n], Geometry::same().boundary(boundary))?.to_fft()
            });
        }
    }
    line::<T, 2>("layer of 4 to 4, 512 by 15", || {
        let weights = Array::from_shape_vec(vec![4, 4, 15, 15], numbers(3600)).expect("shape");
        FilterBank::layer(weights.view(), [512, 512], Layer::new().padding([7, 7]))?.to_fft()
    });
    line::<T, 3>("volume 128 by 9", || {
        let kernel = Array3::from_shape_vec((9, 9, 9), numbers(729)).expect("shape");
        Conv3d::new(&kernel, [128, 128, 128], Geometry::same())?.to_fft()
    });
    for (n, k) in [(1_000_000, 257), (1_000_000, 1025), (1_000_000, 4097), (100_000, 257), (100_000, 20_000)]
    {
        line::<T, 1>(&format!("signal {n} by {k}"), || {
            Conv1d::new(&numbers::<T>(k), n, Geometry::same())?.to_fft()
        });
    }
    for (rows, n, k) in [(64, 100_000, 257), (64, 100_000, 4096), (4096, 10_000, 257)] {
        line::<T, 1>(&format!("rows {rows} of {n} by {k}"), || {
            let kernels = Array2::from_shape_vec((rows, k), numbers(rows * k)).expect("shape");
            RowwiseConv::new(kernels.view(), (rows, n), Geometry::full())?.to_fft()
        });
    }
}

fn main() {
    table::<f32>();
    table::<f64>();
    table::<Complex<f32>>();
}
