//! The definition, as slow and as plain as possible: never optimised, never shared with the crate.

use convmtx::Scalar;

/// One axis: output `i` reads place `i·stride + offset − t·dilation` with tap `t`.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    pub n: usize,
    pub m: usize,
    pub taps: usize,
    pub offset: i64,
    pub stride: i64,
    pub dilation: i64,
    pub boundary: &'static str,
}

/// Samples and weights that stand at place `j`, one reflection at a time.
pub fn extend(j: i64, n: i64, boundary: &str) -> Vec<(i64, i64)> {
    if (0..n).contains(&j) {
        return vec![(j, 1)];
    }
    let end = if j < 0 { 0 } else { n - 1 };
    match boundary {
        "zero" => vec![],
        "periodic" => extend(if j < 0 { j + n } else { j - n }, n, boundary),
        "symmetric" => extend(2 * end + if j < 0 { -1 } else { 1 } - j, n, boundary),
        "replicate" => vec![(end, 1)],
        _ if n == 1 => vec![(0, 1)],
        "reflect" => extend(2 * end - j, n, boundary),
        "antireflective" => {
            let mirrored = extend(2 * end - j, n, boundary);
            mirrored.into_iter().map(|(p, w)| (p, -w)).chain([(end, 2)]).collect()
        }
        _ => unreachable!("unknown boundary {boundary}"),
    }
}

/// The dense matrix, row-major, of a convolution along `axes` with a row-major kernel.
pub fn matrix<T: Scalar>(axes: &[Axis], kernel: &[T]) -> Vec<Vec<T>> {
    let one = T::one();
    let Some((axis, rest)) = axes.split_first() else { return vec![vec![kernel[0]]] };
    let inner: Vec<_> = kernel.chunks(kernel.len() / axis.taps).map(|k| matrix(rest, k)).collect();
    let (rows, cols) = (inner[0].len(), rest.iter().map(|a| a.n).product::<usize>());
    let mut a = vec![vec![T::zero(); axis.n * cols]; axis.m * rows];
    for i in 0..axis.m {
        for (t, block) in inner.iter().enumerate() {
            let place = i as i64 * axis.stride + axis.offset - t as i64 * axis.dilation;
            for (p, w) in extend(place, axis.n as i64, axis.boundary) {
                let w = (0..w.abs()).fold(T::zero(), |s, _| if w > 0 { s + one } else { s - one });
                for (r, c) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
                    a[i * rows + r][p as usize * cols + c] += w * block[r][c];
                }
            }
        }
    }
    a
}
