//! The separable engine equals the direct one: to the bit on whole numbers, to rounding on others.

use convmtx::op::{Apply, BatchOperator, examine};
use convmtx::{Boundary, Conv2d, Conv3d, ConvMode, Error, Geometry, Scalar};
use ndarray::{Array2, Array3};
use num_complex::Complex;

const BOUNDARIES: [Boundary<f64>; 5] =
    [Boundary::Zero, Boundary::Periodic, Boundary::Symmetric, Boundary::Reflect, Boundary::Replicate];

fn outer(u: &[f64], v: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((u.len(), v.len()), |(i, j)| u[i] * v[j])
}

fn whole(len: usize) -> Vec<f64> {
    (0..len).map(|i| (i * i * 7 % 31) as f64 - 11.0).collect()
}

#[test]
fn whole_numbers_are_exact_in_two_dimensions() -> convmtx::Result<()> {
    let factors: [&[f64]; 5] = [&[1.0], &[1.0, 2.0, 1.0], &[-3.0, 0.0, 4.0, 1.0], &[2.0; 9], &[1.0, -1.0]];
    for (u, v) in factors.iter().flat_map(|u| factors.map(|v| (*u, v))) {
        for size in [[1, 1], [3, 2], [7, 40], [30, 5], [26, 67]] {
            for (mode, boundary) in [ConvMode::Full, ConvMode::Same, ConvMode::Valid]
                .into_iter()
                .flat_map(|m| BOUNDARIES.map(|b| (m, b)))
            {
                for dilations in [[1, 1], [2, 3]] {
                    let geometry = Geometry::from(mode).boundary(boundary).dilations(dilations);
                    let conv = Conv2d::new(&outer(u, v), size, geometry)?;
                    let (direct, separable) = (conv.to_direct()?, conv.to_separable()?);
                    assert!(separable.is_exact() && separable.rank() == 1);
                    let (m, n) = conv.shape();
                    let what = format!("{u:?} {v:?} {size:?} {mode:?} {boundary} {dilations:?}");
                    assert_eq!(separable.apply(&whole(n))?, direct.apply(&whole(n))?, "{what}");
                    assert_eq!(
                        separable.apply_adjoint(&whole(m))?,
                        direct.apply_adjoint(&whole(m))?,
                        "{what}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn whole_numbers_are_exact_in_three_dimensions() -> convmtx::Result<()> {
    let kernel =
        Array3::from_shape_fn((3, 2, 5), |(i, j, k)| [1.0, 2.0, 1.0][i] * [3.0, -1.0][j] * (k as f64 - 1.0));
    for boundary in BOUNDARIES {
        for size in [[1, 1, 1], [4, 3, 6], [9, 14, 33]] {
            for mode in [ConvMode::Full, ConvMode::Same, ConvMode::Valid] {
                let conv = Conv3d::new(&kernel, size, Geometry::from(mode).boundary(boundary))?;
                let (direct, separable) = (conv.to_direct()?, conv.to_separable()?);
                let (m, n) = conv.shape();
                assert_eq!(
                    separable.apply(&whole(n))?,
                    direct.apply(&whole(n))?,
                    "{size:?} {mode:?} {boundary}"
                );
                assert_eq!(separable.apply_adjoint(&whole(m))?, direct.apply_adjoint(&whole(m))?);
            }
        }
    }
    Ok(())
}

fn passes<T: Scalar>(a: &impl BatchOperator<T>) {
    let examination = examine::<T, _>(a, 7).unwrap();
    assert!(examination.passed(), "{examination}");
}

fn close<T: Scalar<Real = f64>>(a: &[T], b: &[T], tolerance: f64) -> bool {
    let norm = |v: &mut dyn Iterator<Item = T>| v.map(|v| v.modulus_sq()).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(&a, &b)| a - b)) <= tolerance * norm(&mut b.iter().copied())
}

#[test]
fn any_kernel_is_a_sum_of_outer_products() -> convmtx::Result<()> {
    let kernel = Array2::from_shape_fn((5, 7), |(i, j)| ((3 * i + j * j) as f64).sin());
    let conv = Conv2d::new(&kernel, [20, 31], Geometry::same().boundary(Boundary::Symmetric))?;
    let a = conv.to_low_rank(None)?;
    assert!(a.rank() > 1 && a.rank() <= 5 && !a.is_exact());
    assert!(close(&a.apply(&whole(620))?, &conv.to_direct()?.apply(&whole(620))?, 1e-14));
    passes(&a);
    let rough = conv.to_low_rank(Some(0.5))?;
    assert!(rough.rank() < a.rank());

    let i = Complex::new(0.0, 1.0);
    let kernel = kernel.map(|&k| k + i * (3.0 * k).cos());
    let conv = Conv2d::new(&kernel, [12, 9], ConvMode::Full)?;
    let x: Vec<Complex<f64>> = whole(108).iter().map(|&x| x + i * x * x).collect();
    let a = conv.to_low_rank(None)?;
    assert!(close(&a.apply(&x)?, &conv.to_direct()?.apply(&x)?, 1e-14));
    passes(&a);
    Ok(())
}

#[test]
fn a_gaussian_is_separable_and_passes_the_examination() -> convmtx::Result<()> {
    let g: Vec<f64> = (-7..8).map(|i| (-0.04 * f64::from(i * i)).exp()).collect();
    for boundary in BOUNDARIES {
        let conv = Conv2d::new(&outer(&g, &g), [40, 23], Geometry::same().boundary(boundary))?;
        let a = conv.to_separable()?;
        passes(&a);
        assert!(close(&a.apply(&whole(920))?, &conv.to_direct()?.apply(&whole(920))?, 1e-15 * 8.0));
    }
    Ok(())
}

#[test]
fn what_is_not_separable_is_refused_with_the_way_out() -> convmtx::Result<()> {
    let refused = |conv: Conv2d<f64>| match conv.to_separable() {
        Err(Error::Unsupported { reason, .. }) => {
            assert!(reason.contains("take the direct engine"), "{reason}")
        }
        other => panic!("{other:?}"),
    };
    let cross = ndarray::array![[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]];
    refused(Conv2d::new(&cross, [5, 5], ConvMode::Same)?);
    let ones = Array2::from_elem((2, 2), 1.0);
    refused(Conv2d::new(&ones, [5, 5], Geometry::same().stride(2))?);
    refused(Conv2d::new(&ones, [5, 5], Geometry::same().boundary(Boundary::Antireflective))?);
    refused(Conv2d::new(&Array2::from_elem((2, 2), f64::NAN), [5, 5], ConvMode::Same)?);
    let conv = Conv2d::new(&ones, [5, 5], ConvMode::Same)?;
    assert!(conv.to_low_rank(Some(-1.0)).is_err() && conv.to_low_rank(Some(f64::NAN)).is_err());
    Ok(())
}
