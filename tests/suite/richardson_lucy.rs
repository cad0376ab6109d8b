//! Richardson–Lucy against its matrix form, and its rules about zeros and signs.

use crate::common::dense::{Dense, convolution};
use convmtx::nalgebra::DMatrix;
use convmtx::op::{Apply, Diagonal, Vector};
use convmtx::solve::{Report, RichardsonLucy, Start, StopReason};
use convmtx::{Error, Result};

fn residual_norm(a: &Dense<f64>, b: &[f64], x: &[f64]) -> f64 {
    let mut r = a.apply(x).unwrap();
    r.axpy(-1.0, b).unwrap();
    r.norm().unwrap()
}

#[test]
fn richardson_lucy_conserves_counts_and_handles_zeros() {
    let a = convolution(&[1.0, 2.0, 1.0], 8, "full");
    let truth = [0.0, 0.0, 9.0, 0.0, 0.0, 4.0, 0.0, 0.0];
    let b = a.apply(&truth).unwrap();
    let mut x = vec![0.0; 8];
    let report = RichardsonLucy::new().max_iters(2000).solve(&a, &b, &mut x).unwrap();
    assert_eq!(report.residual_norms[0], {
        let mean = vec![b.iter().sum::<f64>() / 10.0; 8];
        residual_norm(&a, &b, &mean)
    });
    assert!(x.iter().zip(truth).all(|(x, t)| (x - t).abs() < 1e-2), "{x:?}");
    let counts = |v: &[f64]| v.iter().sum::<f64>();
    assert!((counts(&a.apply(&x).unwrap()) - counts(&b)).abs() < 1e-10);
}

#[test]
fn richardson_lucy_leaves_what_the_data_do_not_see() {
    let a = Dense(DMatrix::from_row_slice(2, 3, &[1.0, 0.0, 0.0, 1.0, 0.0, 2.0]));
    let mut x = vec![1.0, 7.0, 1.0];
    let solver = RichardsonLucy::new().start(Start::Given).max_iters(3);
    solver.solve(&a, &[2.0, 6.0], &mut x).unwrap();
    assert_eq!(x[1], 7.0);
    assert!(x[0] > 1.0 && x[2] > 1.0);
}

#[test]
fn richardson_lucy_knows_the_background() {
    let a = convolution(&[1.0, 2.0, 1.0], 6, "same");
    let truth = [1.0_f64, 0.0, 5.0, 2.0, 0.0, 3.0];
    let mut b = a.apply(&truth).unwrap();
    b.axpy(1.0, &[10.0; 6]).unwrap();
    let (mut x, mut z) = (vec![0.0; 6], vec![0.0; 6]);
    let d = vec![10.0; 6];
    RichardsonLucy::new().background(10.0).solve(&a, &b, &mut x).unwrap();
    RichardsonLucy::new().background_vector(&d).solve(&a, &b, &mut z).unwrap();
    assert_eq!(x, z);
    // The truth is a fixed point.
    let mut x = truth.to_vec();
    RichardsonLucy::new().background(10.0).start(Start::Given).solve(&a, &b, &mut x).unwrap();
    assert!(x.iter().zip(truth).all(|(x, t)| (x - t).abs() < 1e-13), "{x:?}");
}

#[test]
fn richardson_lucy_stops_where_no_prediction_can_explain_the_data() {
    let a = Diagonal::new(vec![1.0, 0.0, 1.0]);
    let mut x = vec![0.0; 3];
    let report = RichardsonLucy::new().solve(&a, &[1.0, 1.0, 0.0], &mut x).unwrap();
    assert_eq!((report.iterations, report.stop), (0, StopReason::VanishingPrediction));
    let report = RichardsonLucy::new().max_iters(4).solve(&a, &[1.0, 0.0, 0.0], &mut x).unwrap();
    assert_eq!((report.iterations, report.stop), (4, StopReason::IterationLimit));
    assert_eq!(x, [1.0, 1.0 / 3.0, 0.0]);
    // Sums along rows and columns are positive, entries are not.
    let a = Dense(DMatrix::from_row_slice(2, 2, &[3.0, -1.0, -1.0, 3.0]));
    let mut x = vec![1.0, 9.0];
    let report = RichardsonLucy::new().start(Start::Given).solve(&a, &[1.0, 1.0], &mut x).unwrap();
    assert_eq!(report.stop, StopReason::NegativePrediction);
    assert_eq!(x, [1.0, 9.0]);
}

#[test]
fn richardson_lucy_refuses_what_is_negative() {
    let a = Diagonal::new(vec![1.0; 2]);
    let mut x = vec![1.0, -1.0];
    let text = |r: Result<Report>| r.unwrap_err().to_string();
    assert_eq!(
        text(RichardsonLucy::new().solve(&a, &[1.0, -2.0], &mut x)),
        "b (without clip_data) is negative, down to -2, expected no negative elements"
    );
    assert!(RichardsonLucy::new().clip_data().solve(&a, &[1.0, -2.0], &mut x.clone()).is_ok());
    assert!(
        text(RichardsonLucy::new().start(Start::Given).solve(&a, &[1.0; 2], &mut x)).contains("down to -1")
    );
    assert!(text(RichardsonLucy::new().background(-1.0).solve(&a, &[1.0; 2], &mut x)).contains("background"));
    let d = [1.0, -1.0];
    assert!(RichardsonLucy::new().background_vector(&d).solve(&a, &[1.0; 2], &mut x).is_err());
    let a = Diagonal::new(vec![1.0, -1.0]);
    let refused = text(RichardsonLucy::new().solve(&a, &[1.0; 2], &mut x));
    assert!(refused.contains("the smallest element of A·1 is -1"), "{refused}");
    let a = Diagonal::new(vec![1.0, f64::NAN]);
    assert!(matches!(
        RichardsonLucy::new().solve(&a, &[1.0; 2], &mut x),
        Err(Error::NonFinite { what: "A·1", index: 1, .. })
    ));
}
