//! The examiner on every operator that a description can become: dot test, dirty buffers, batch = loop, strided
//! views, adjoint of the adjoint. Sizes from the smallest legal one, kernels longer than signals included.

use crate::common::{BOUNDARIES, boundary, integers};
use convmtx::csr::CsrOperator;
use convmtx::ndarray::{Array2, Array3, ArrayD};
use convmtx::op::{Apply, BatchOperator, Verdict, dottest, examine};
use convmtx::{Conv1d, Conv2d, Conv3d, ConvMode, FilterBank, Geometry, Layer, RowwiseConv, Scalar};
use convmtx::{Result, Summation};
use num_complex::Complex;

/// Examines an operator; those that promise bits must keep the promise in every batch.
fn passes<T: Scalar>(a: &impl BatchOperator<T>, promises_bits: bool, what: &str) {
    let examination = examine::<T, _>(a, 7).unwrap();
    assert!(examination.passed(), "{what}\n{examination}");
    if promises_bits {
        let inexact = examination.findings.iter().find(|f| {
            matches!(f.verdict, Verdict::Within { .. })
                && (f.name.contains("batch") || f.name.contains("strided"))
        });
        assert!(inexact.is_none(), "{what}\n{examination}");
    }
}

macro_rules! examine_description {
    ($description:expr, $what:expr) => {{
        let (description, what) = ($description, $what);
        let direct = description.to_direct().unwrap();
        passes(&direct, false, what);
        passes(&direct.with_summation(Summation::Ascending), true, what);
        let matrix = CsrOperator::new(description.to_csr().unwrap()).unwrap();
        passes(&matrix, false, what);
        passes(&matrix.with_summation(Summation::Ascending), true, what);
        let x = integers(description.shape().1, 3);
        passes(&description.kernel_operator(&x).unwrap().to_direct().unwrap(), false, what);
    }};
}

fn every_description<T: Scalar>() -> Result<()> {
    for word in BOUNDARIES {
        for mode in [ConvMode::Full, ConvMode::Same, ConvMode::Valid] {
            for (n, k, stride, dilation) in
                [(1, 1, 1, 1), (5, 2, 1, 1), (3, 7, 1, 1), (40, 6, 3, 2), (9, 3, 2, 1)]
            {
                let g = Geometry::from(mode).boundary(boundary(word)).stride(stride).dilation(dilation);
                let what = format!("{} 1-D {word} {mode:?} n={n} k={k} s={stride} d={dilation}", T::NAME);
                examine_description!(Conv1d::new(&integers::<T>(k, n), n, g)?, &what);
            }
            let kernel = Array2::from_shape_vec((3, 4), integers::<T>(12, 1)).unwrap();
            let g = Geometry::from(mode).boundary(boundary(word)).strides([1, 2]);
            examine_description!(
                Conv2d::new(&kernel, [6, 7], g)?,
                &format!("{} 2-D {word} {mode:?}", T::NAME)
            );
            let kernel = Array3::from_shape_vec((2, 3, 2), integers::<T>(12, 2)).unwrap();
            let g = Geometry::from(mode).boundary(boundary(word)).dilations([2, 1, 1]);
            examine_description!(
                Conv3d::new(&kernel, [3, 4, 3], g)?,
                &format!("{} 3-D {word} {mode:?}", T::NAME)
            );
        }
        let kernels = Array2::from_shape_vec((3, 4), integers::<T>(12, 4)).unwrap();
        let g = || Geometry::same().boundary(boundary(word));
        examine_description!(RowwiseConv::new(kernels.view(), (3, 6), g())?, "row with row");
        examine_description!(RowwiseConv::new(kernels.view(), (1, 6), g())?, "shared signal");
        let shared = kernels.slice(ndarray::s![..1, ..]);
        examine_description!(RowwiseConv::new(shared, (5, 3), g())?, "shared kernel");
    }
    let weights = ArrayD::from_shape_vec(vec![4, 3, 3, 2], integers::<T>(72, 5)).unwrap();
    let layer = Layer::new().stride([2, 1]).padding([1, 1]).groups(2);
    examine_description!(FilterBank::layer(weights.view(), [5, 6], layer)?, "layer");
    examine_description!(FilterBank::transposed_layer(weights.view(), [4, 3], layer)?, "transposed layer");
    Ok(())
}

#[test]
fn every_description_f64() -> Result<()> {
    every_description::<f64>()
}

#[test]
fn every_description_f32() -> Result<()> {
    every_description::<f32>()
}

#[test]
fn every_description_complex64() -> Result<()> {
    every_description::<Complex<f32>>()
}

#[test]
fn every_description_complex128() -> Result<()> {
    every_description::<Complex<f64>>()
}

/// DESIGN's bound, |⟨Ax,y⟩ − ⟨x,Aᴴy⟩| ≤ 8·ε·√N·‖|A|‖·‖x‖₂·‖y‖₂, with ‖|A|‖ ≤ √(‖A‖₁·‖A‖∞) from the matrix itself.
#[test]
fn the_dot_test_holds_to_the_stated_bound_on_rough_data() -> Result<()> {
    for word in BOUNDARIES {
        for mode in [ConvMode::Full, ConvMode::Same, ConvMode::Valid] {
            let kernel: Vec<f64> = (0..17).map(|t| (t as f64 * 1.3).sin() * 10_f64.powi(t % 5)).collect();
            let conv = Conv1d::new(&kernel, 500, Geometry::from(mode).boundary(boundary(word)))?;
            let a = conv.to_csr()?;
            let (mut rows, mut columns) = (vec![0.0; a.rows()], vec![0.0; a.cols()]);
            for (v, (r, c)) in a.iter() {
                rows[r as usize] += v.abs();
                columns[c as usize] += v.abs();
            }
            let largest = |v: Vec<f64>| v.into_iter().fold(0.0, f64::max);
            let norm = (largest(rows) * largest(columns)).sqrt();
            let direct = conv.to_direct()?;
            for seed in 0..20 {
                let x: Vec<f64> = (0..500).map(|i| ((i * i + seed) as f64).sin()).collect();
                let y: Vec<f64> = (0..a.rows()).map(|i| ((i * 7 + seed * i) as f64).cos()).collect();
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let size = |v: &[f64]| dot(v, v).sqrt();
                let ax = Apply::apply(&direct, &x)?;
                let difference = dot(&ax, &y) - dot(&x, &direct.apply_adjoint(&y)?);
                let n = a.rows().max(a.cols()) as f64;
                let bound = 8.0 * f64::EPSILON * n.sqrt() * norm * size(&x) * size(&y);
                assert!(difference.abs() <= bound, "{word} {mode:?}: {difference:e} > {bound:e}");
            }
            assert!(dottest::<f64, _>(&direct, 1)?.passed());
        }
    }
    Ok(())
}
