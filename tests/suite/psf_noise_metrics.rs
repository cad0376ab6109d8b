//! PSFs, noise and metrics against other programs' numbers, and their laws on random arguments.

use convmtx::ndarray::{Array1, Array2, array, s};
use convmtx::psf::{self, Centre, Psf};
use convmtx::{Error, metrics, noise};
use proptest::prelude::*;

/// A picture of dyadic rationals, the same to the last bit in every program.
///
/// `x = ((3r² + 5c² + 7rc) mod 64)/128 + ((⌊r/8⌋ + ⌊c/8⌋) mod 2)/2`
fn picture() -> Array2<f64> {
    Array2::from_shape_fn((32, 32), |(r, c)| {
        let texture = ((3 * r * r + 5 * c * c + 7 * r * c) % 64) as f64 / 128.0;
        texture + ((r / 8 + c / 8) % 2) as f64 / 2.0
    })
}

/// Less contrast, and a pattern: `0.75x + 0.125 + ((11r + 13c) mod 17 − 8)/128`.
fn patterned(x: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn(x.dim(), |(r, c)| {
        0.75 * x[[r, c]] + 0.125 + (((11 * r + 13 * c) % 17) as f64 - 8.0) / 128.0
    })
}

fn close(got: f64, expected: f64, relative: f64) {
    assert!((got - expected).abs() <= relative * expected.abs(), "{got}, expected {expected}");
}

/// scikit-image 0.26.0: `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
/// data_range=1)`, `peak_signal_noise_ratio(data_range=1)`, `mean_squared_error`; NumPy 2.4.6 for the last two.
#[test]
fn metrics_agree_with_scikit_image() {
    let x = picture();
    let (a, flat) = (patterned(&x), x.mapv(|v| 0.5 * v + 0.25));
    close(metrics::mse(&a, &x).unwrap(), 0.006761908531188965, 1e-14);
    close(metrics::psnr(&a, &x, 1.0).unwrap(), 21.69930708262438, 1e-14);
    close(metrics::ssim(&a, &x, 1.0).unwrap(), 0.9415786399271768, 1e-12);
    close(metrics::mse(&flat, &x).unwrap(), 0.021503448486328125, 1e-14);
    close(metrics::psnr(&flat, &x, 1.0).unwrap(), 16.674918871314734, 1e-14);
    close(metrics::ssim(&flat, &x, 1.0).unwrap(), 0.791975478852957, 1e-12);
    close(metrics::isnr(&flat, &a, &x).unwrap(), 5.024388211309644, 1e-13);
    close(metrics::relative_error(&a, &x).unwrap(), 0.1422728307682918, 1e-14);
}

#[test]
fn ssim_of_a_rectangle_agrees_with_scikit_image_and_scales_with_the_peak() {
    let x = picture();
    let a = patterned(&x);
    let top = |x: &Array2<f64>| x.slice(s![..20, ..]).to_owned();
    close(metrics::ssim(&top(&a), &top(&x), 1.0).unwrap(), 0.9406395593640243, 1e-12);
    close(metrics::ssim(&(255.0 * &a), &(255.0 * &x), 255.0).unwrap(), 0.9415786399271768, 1e-12);
    let narrow = metrics::ssim(&a.mapv(|v| v as f32), &x.mapv(|v| v as f32), 1.0).unwrap();
    close(narrow, 0.9415786399271768, 1e-6); // the data are rounded to f32, the sums are not
}

/// GNU Octave 7.3.0 with image 2.14.0, `fspecial("disk", 3)`: the lower right quarter.
#[test]
fn disk_agrees_with_octave() {
    let quarter = array![
        [0.0353677651315323, 0.0353677651315323, 0.0353677651315323, 0.01719059627630137],
        [0.0353677651315323, 0.0353677651315323, 0.0353677651315323, 0.011025027879660542],
        [0.0353677651315323, 0.0353677651315323, 0.024516742650502306, 0.00028091918666532976],
        [0.01719059627630137, 0.011025027879660542, 0.00028091918666532976, 0.0],
    ];
    let h = psf::disk::<f64>(3.0).unwrap();
    assert_eq!(h.dim(), (7, 7));
    for ((r, c), &v) in h.indexed_iter() {
        let expected = quarter[[r.abs_diff(3), c.abs_diff(3)]];
        assert!((v - expected).abs() < 1e-15, "({r}, {c}): {v}, expected {expected}");
    }
}

/// SciPy 1.17.1, `quad` of the circle's height inside each pixel, radius 2.3: the lower right quarter.
#[test]
fn disk_of_a_fraction_agrees_with_quadrature() {
    let quarter = array![
        [0.06017200116895855, 0.06017200116895855, 0.04703966758950322],
        [0.06017200116895855, 0.06017200116895855, 0.032849673136926126],
        [0.04703966758950322, 0.032849673136926126, 0.001873983506487782],
    ];
    let h = psf::disk::<f64>(2.3).unwrap();
    assert_eq!(h.dim(), (5, 5));
    for ((r, c), &v) in h.indexed_iter() {
        assert!((v - quarter[[r.abs_diff(2), c.abs_diff(2)]]).abs() < 1e-14, "({r}, {c}): {v}");
    }
}

/// GNU Octave 7.3.0 with image 2.14.0, `fspecial("gaussian", [4 5], 1.5)`: rows 1 and 2, columns 1 to 3.
#[test]
fn gaussian_agrees_with_octave_for_odd_and_even_sizes() {
    let corner = array![
        [0.023456259163796053, 0.04568655444912626, 0.0570556018523751],
        [0.036582932957810704, 0.07125382384354893, 0.08898525731906116],
    ];
    let h = psf::gaussian::<f64>((4, 5), 1.5).unwrap();
    for ((r, c), &v) in h.indexed_iter() {
        assert!((v - corner[[r.min(3 - r), c.min(4 - c)]]).abs() < 1e-16, "({r}, {c}): {v}");
    }
}

/// NumPy 2.4.6, the documented formula of `fspecial('motion', 9, 30)` by projection on the segment.
#[test]
fn motion_agrees_with_its_formula_in_numpy() {
    let upper = array![
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02977213249234695, 0.08532768804790249, 0.0515668461264172],
        [
            0.0,
            0.0,
            0.0,
            0.0,
            0.01488606624617347,
            0.07044162180172901,
            0.09622504486493767,
            0.04066948930938209,
            0.0
        ],
        [0.0, 0.0, 0.0, 0.05555555555555557, 0.1111111111111111, 0.05555555555555558, 0.0, 0.0, 0.0],
    ];
    let h = psf::motion::<f64>(9.0, 30.0).unwrap();
    assert_eq!(h.dim(), (5, 9));
    for ((r, c), &v) in h.indexed_iter() {
        let expected = if r < 3 { upper[[r, c]] } else { upper[[4 - r, 8 - c]] };
        assert!((v - expected).abs() < 1e-15, "({r}, {c}): {v}, expected {expected}");
    }
}

#[test]
fn motion_along_an_axis_is_a_box() {
    for (angle, shape) in [(0.0, (1, 9)), (90.0, (9, 1)), (180.0, (1, 9)), (-90.0, (9, 1)), (450.0, (9, 1))] {
        assert_eq!(psf::motion::<f64>(9.0, angle).unwrap(), psf::boxcar::<f64>(shape).unwrap());
    }
    assert_eq!(psf::motion::<f64>(1.0, 33.0).unwrap(), array![[1.0]]);
}

#[test]
fn motion_turns_counter_clockwise_on_the_screen() {
    let h = psf::motion::<f64>(9.0, 45.0).unwrap();
    let n = h.nrows();
    assert!(h[[n - 2, 1]] > 0.05 && h[[1, n - 2]] > 0.05); // lower left to upper right
    assert_eq!(h[[0, 0]], 0.0);
}

#[test]
fn an_elliptic_gaussian_turns_and_contains_the_round_one() {
    let round = psf::gaussian::<f64>((8, 7), 1.3).unwrap();
    let turned = psf::gaussian_elliptic::<f64>((8, 7), (1.3, 1.3), 77.0).unwrap();
    assert!(round.iter().zip(&turned).all(|(a, b)| (a - b).abs() < 1e-16));
    let flat = psf::gaussian_elliptic::<f64>((9, 9), (3.0, 1.0), 0.0).unwrap();
    let upright = psf::gaussian_elliptic::<f64>((9, 9), (3.0, 1.0), 90.0).unwrap();
    assert!(flat.t().iter().zip(&upright).all(|(a, b)| (a - b).abs() < 1e-16));
    let rising = psf::gaussian_elliptic::<f64>((9, 9), (3.0, 1.0), 45.0).unwrap();
    assert!(rising[[2, 6]] > 5.0 * rising[[2, 2]]);
}

#[test]
fn a_recentred_psf_moves_nothing() {
    let h = array![[0.0, 0.0, 0.1], [0.0, 0.0, 0.7], [0.0, 0.0, 0.2]];
    let centred = psf::recentre(&h, Centre::Peak).unwrap();
    assert_eq!(centred.dim(), (3, 4));
    let (r, c) = psf::centre(centred.dim());
    assert_eq!(centred[[r, c]], 0.7);
    assert_eq!(psf::recentre(&h, Centre::Mass).unwrap(), centred);
    assert_eq!(psf::recentre(&h, Centre::At(0, 0)).unwrap().dim(), (5, 5));
    assert_eq!(
        psf::recentre(&array![[1.0, 3.0]].view().reversed_axes(), Centre::At(1, 0)).unwrap().dim(),
        (2, 1)
    );
}

#[test]
fn sizes_no_one_can_mean_are_refused() {
    assert!(matches!(psf::boxcar::<f64>((1_000_000, 1_000_000)), Err(Error::Value { .. })));
    assert!(matches!(psf::boxcar::<f64>((usize::MAX, usize::MAX)), Err(Error::Value { .. })));
    assert!(matches!(psf::resize(&array![[1.0]], (0, 1)), Err(Error::Value { .. })));
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(psf::gaussian::<f64>((3, 3), sigma), Err(Error::Value { .. })));
    }
    for length in [0.99, f64::NAN, f64::INFINITY, 1e300] {
        assert!(matches!(psf::motion::<f64>(length, 10.0), Err(Error::Value { .. })));
    }
}

/// The first numbers of seed 42, pinned: a change of generator would change every published experiment.
#[test]
fn a_seed_gives_the_same_numbers_everywhere() {
    let z = noise::gaussian(&Array1::<f64>::zeros(4), 1.0, 42).unwrap();
    assert_eq!(z, array![0.47798123835102174, 1.3340706102318078, -0.21086668327103028, 0.4763469238088213]);
    let counts = noise::poisson(&array![0.5, 1.0, 0.0, 2.0, 100.0], 8.0, 42).unwrap() * 8.0;
    assert_eq!(counts, array![5.0, 11.0, 0.0, 15.0, 777.0]);
}

#[test]
fn white_noise_has_the_moments_of_a_normal_distribution() {
    let z = noise::gaussian(&Array1::<f64>::zeros(400_000), 1.0, 5).unwrap();
    let moment = |p: i32| z.iter().map(|v| v.powi(p)).sum::<f64>() / z.len() as f64;
    for (p, expected, deviation) in [(1, 0.0, 1.0), (2, 1.0, 2.0_f64), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        assert!(
            (moment(p) - expected).abs() < 5.0 * (deviation / 4e5_f64).sqrt(),
            "moment {p}: {}",
            moment(p)
        );
    }
    let tail = z.iter().filter(|v| v.abs() > 3.0).count() as f64 / z.len() as f64;
    assert!((tail - 0.0027).abs() < 0.0005);
}

#[test]
fn noise_for_a_bsnr_has_that_bsnr() {
    let x = picture();
    let sigma = noise::sigma_for_bsnr(&x, 33.0).unwrap();
    assert!((noise::bsnr(&x, sigma).unwrap() - 33.0).abs() < 1e-12);
    let y = noise::gaussian(&x, sigma, 9).unwrap();
    let measured = 10.0 * (x.var(0.0) / metrics::mse(&y, &x).unwrap()).log10();
    assert!((measured - 33.0).abs() < 0.5);
}

fn any_psf() -> impl Strategy<Value = Psf> {
    prop_oneof![
        (1..30_usize, 1..30_usize, 0.05..20.0)
            .prop_map(|(r, c, sigma)| Psf::Gaussian { size: (r, c), sigma }),
        (1.0..40.0, -400.0..400.0).prop_map(|(length, angle)| Psf::Motion { length, angle }),
        (0.01..20.0).prop_map(|radius| Psf::Disk { radius }),
        (1..30_usize, 1..30_usize).prop_map(|size| Psf::Box { size }),
    ]
}

fn any_pair() -> impl Strategy<Value = (Array2<f64>, Array2<f64>)> {
    (11..16_usize, 11..16_usize).prop_flat_map(|(r, c)| {
        let values = prop::collection::vec(0.0..1.0, r * c);
        (values.clone(), values).prop_map(move |(a, b)| {
            let array = |v| Array2::from_shape_vec((r, c), v).unwrap();
            (array(a), array(b))
        })
    })
}

proptest! {
    #[test]
    fn psfs_sum_to_one_and_are_unchanged_by_a_half_turn(psf in any_psf()) {
        let h = psf.to_array::<f64>().unwrap();
        prop_assert_eq!(h.dim(), psf.shape().unwrap());
        prop_assert!((h.sum() - 1.0).abs() < 1e-13);
        prop_assert!(h.iter().all(|&v| v >= 0.0));
        let turned = h.slice(s![..;-1, ..;-1]);
        prop_assert!(h.iter().zip(turned.iter()).all(|(a, b)| (a - b).abs() <= 1e-15));
        let narrow = psf.to_array::<f32>().unwrap();
        prop_assert!(narrow.iter().zip(&h).all(|(&a, &b)| a == b as f32));
    }

    #[test]
    fn the_textual_form_reads_back(psf in any_psf()) {
        prop_assert_eq!(psf.to_string().parse::<Psf>().unwrap(), psf);
    }

    #[test]
    fn no_text_panics(text in "(gaussian|motion|disk|box|x)?:?([a-z]{0,6}=?[-0-9ex.]{0,5},?){0,3}") {
        if let Ok(psf) = text.parse::<Psf>() {
            prop_assert!(psf.shape().is_ok());
        }
    }

    #[test]
    fn disks_have_all_eight_symmetries(radius in 0.01..20.0) {
        let h = psf::disk::<f64>(radius).unwrap();
        prop_assert_eq!(&h, &h.t());
        prop_assert_eq!(&h, &h.slice(s![..;-1, ..]));
    }

    #[test]
    fn any_point_can_become_the_centre(rows in 1..8_usize, cols in 1..8_usize, at in any::<(usize, usize)>()) {
        let h = Array2::from_shape_fn((rows, cols), |(r, c)| (1 + r * cols + c) as f64);
        let (r, c) = (at.0 % rows, at.1 % cols);
        let moved = psf::recentre(&h, Centre::At(r, c)).unwrap();
        prop_assert_eq!(moved[psf::centre(moved.dim())], h[[r, c]]);
        prop_assert_eq!(moved.sum(), h.sum());
        let larger = psf::resize(&h, (rows + 3, cols + 2)).unwrap();
        prop_assert_eq!(larger[psf::centre(larger.dim())], h[psf::centre(h.dim())]);
        prop_assert_eq!(psf::resize(&larger, (rows, cols)).unwrap(), h);
    }

    #[test]
    fn metrics_are_symmetric_and_bounded((a, b) in any_pair()) {
        prop_assert_eq!(metrics::psnr(&a, &b, 1.0).unwrap(), metrics::psnr(&b, &a, 1.0).unwrap());
        let ssim = metrics::ssim(&a, &b, 1.0).unwrap();
        prop_assert!((-1.0..=1.0).contains(&ssim));
        prop_assert!((ssim - metrics::ssim(&b, &a, 1.0).unwrap()).abs() < 1e-14);
        let better = (&a + &b) / 2.0;
        prop_assert!((metrics::isnr(&a, &better, &b).unwrap() - 20.0 * 2.0_f64.log10()).abs() < 1e-9);
    }
}
