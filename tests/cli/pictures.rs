//! `blur` and `deblur`: depth, colour, alpha and size are kept, and pictures get better.

use crate::{Place, image, scene};
use convmtx::io::{Depth, Image, read_image, write_image, write_npy};
use convmtx::metrics::psnr;
use convmtx::ndarray::{Array2, Array3, array, s};
use convmtx::{Boundary, Conv2d, Geometry, psf};

const PSF: &str = "gaussian:size=5,sigma=1.5";

/// The blur of the library.
fn blurred(plane: &Array2<f64>, boundary: Boundary<f64>) -> Array2<f64> {
    let psf = psf::gaussian::<f64>((5, 5), 1.5).unwrap();
    let conv = Conv2d::new(&psf, plane.dim().into(), Geometry::same().boundary(boundary)).unwrap();
    Array2::from_shape_vec(plane.dim(), conv.apply(plane.as_slice().unwrap()).unwrap()).unwrap()
}

fn largest(difference: Array2<f64>) -> f64 {
    difference.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

#[test]
fn blurs_are_those_of_the_library_at_every_depth() {
    let place = Place::new();
    for (depth, name, step) in [
        (Depth::U8, "x.png", 0.5 / 255.0),
        (Depth::U16, "x16.png", 0.5 / 65535.0),
        (Depth::U16, "x.tif", 0.5 / 65535.0),
        (Depth::F32, "x32.tif", 1e-7),
        (Depth::F64, "x.npy", 1e-14),
        (Depth::U8, "x.ppm", 0.5 / 255.0),
    ] {
        let picture = image(20, 15, 3, depth);
        write_image(place.path(name), &picture).unwrap();
        let stored = read_image(place.path(name)).unwrap();
        let out = format!("y-{name}");
        let words = place.succeed(&["blur", name, "--psf", PSF, "-o", &out]);
        assert!(words.contains("20 × 15 pixels") && words.contains("boundary symmetric"), "{words}");
        let y = read_image(place.path(&out)).unwrap();
        assert_eq!((y.depth, y.shape(), y.planes.len()), (depth, (20, 15), 3), "{name}");
        for (y, x) in y.planes.iter().zip(&stored.planes) {
            let off = largest(y - &blurred(x, Boundary::Symmetric));
            assert!(off <= 1.01 * step, "{name}: {off}");
        }
    }
}

#[test]
fn alpha_is_kept_and_grey_stays_grey() {
    let place = Place::new();
    let alpha = Array2::from_shape_fn((16, 12), |(i, j)| ((i * 12 + j) % 256) as f64 / 255.0);
    for channels in [1, 3] {
        let picture = Image::new(scene(16, 12, channels), Some(alpha.clone()), Depth::U8).unwrap();
        write_image(place.path("x.png"), &picture).unwrap();
        place.succeed(&["blur", "x.png", "--psf", "box:size=3", "-o", "y.png"]);
        place.succeed(&["deblur", "y.png", "--psf", "box:size=3", "-o", "z.png", "--method", "cgls"]);
        for name in ["y.png", "z.png"] {
            let y = read_image(place.path(name)).unwrap();
            assert_eq!((y.planes.len(), y.alpha.as_ref()), (channels, Some(&alpha)), "{name}");
        }
    }
    let message = place.refuse(2, &["blur", "x.png", "--psf", "box:size=3", "-o", "y.jpg"]);
    assert!(message.contains("alpha") && message.contains("jpg"), "{message}");
}

#[test]
fn jpeg_in_and_out() {
    let place = Place::new();
    write_image(place.path("x.jpg"), &image(24, 32, 3, Depth::U8)).unwrap();
    place.succeed(&["blur", "x.jpg", "--psf", PSF, "-o", "y.jpeg"]);
    place.succeed(&["deblur", "y.jpeg", "--psf", PSF, "--noise", "0.01", "-o", "z.jpg"]);
    let z = read_image(place.path("z.jpg")).unwrap();
    assert_eq!((z.shape(), z.planes.len(), z.depth), ((24, 32), 3, Depth::U8));
}

#[test]
fn noise_is_seeded_and_differs_between_channels() {
    let place = Place::new();
    let flat = Image::new(vec![Array2::from_elem((40, 40), 0.5); 3], None, Depth::F64).unwrap();
    write_image(place.path("x.npy"), &flat).unwrap();
    let noisy = |options: &[&str]| {
        place.succeed(&[&["blur", "x.npy", "--psf", "box:size=3", "-o", "y.npy"][..], options].concat());
        read_image(place.path("y.npy")).unwrap()
    };
    let one = noisy(&["--noise", "0.1"]);
    assert_eq!(one, noisy(&["--noise", "0.1", "--seed", "1"]));
    assert_ne!(one, noisy(&["--noise", "0.1", "--seed", "2"]));
    assert_ne!(one.planes[0], one.planes[1]);
    assert!((one.planes[0].std(0.0) - 0.1).abs() < 0.01);
    let counted = noisy(&["--poisson", "100"]);
    assert!(counted.planes[0].iter().all(|v| ((v * 100.0).round() - v * 100.0).abs() < 1e-9));
}

#[test]
fn every_method_improves_the_picture_and_prints_its_numbers() {
    let place = Place::new();
    write_image(place.path("photo.png"), &image(48, 40, 1, Depth::U16)).unwrap();
    let blur = ["blur", "photo.png", "--psf", PSF, "--noise", "0.002", "-o", "blurred.npy"];
    place.succeed(&blur);
    let truth = read_image(place.path("photo.png")).unwrap().planes.remove(0);
    let before = psnr(&read_image(place.path("blurred.npy")).unwrap().planes[0], &truth, 1.0).unwrap();
    let cases: [(&[&str], f64); 7] = [
        (&["--method", "tikhonov", "--noise", "0.002"], 4.0),
        (&["--method", "tikhonov", "--lambda", "0.0003"], 4.0),
        (&["--method", "cgls", "--noise", "0.002"], 4.0),
        (&["--method", "cgls", "--lambda", "0.003"], 3.0),
        (&["--method", "lsqr", "--iterations", "15"], 3.0),
        (&["--method", "rl", "--noise", "0.002"], 3.0),
        (&[], 2.0),
    ];
    for (options, least) in cases {
        let base = ["deblur", "blurred.npy", "--psf", PSF, "-o", "sharp.npy", "--truth", "photo.png"];
        let out = place.succeed(&[&base[..], options].concat());
        let sharp = read_image(place.path("sharp.npy")).unwrap().planes.remove(0);
        let after = psnr(&sharp, &truth, 1.0).unwrap();
        assert!(after > before + least, "{options:?}: {before} to {after}");
        assert!(out.contains(&format!("{after:.2}")) && out.contains(&format!("{before:.2}")), "{out}");
        assert!(out.contains(&format!("ISNR {:.2} dB", after - before)), "{out}");
    }
}

#[test]
fn the_discrepancy_principle_ends_at_the_noise_level() {
    let place = Place::new();
    write_image(place.path("x.npy"), &image(32, 32, 1, Depth::F64)).unwrap();
    place.succeed(&["blur", "x.npy", "--psf", PSF, "--noise", "0.01", "-o", "b.npy"]);
    let b = read_image(place.path("b.npy")).unwrap().planes.remove(0);
    for method in ["tikhonov", "cgls", "lsqr"] {
        let args = ["deblur", "b.npy", "--psf", PSF, "--noise", "0.01", "-o", "z.npy", "--method", method];
        let out = place.succeed(&args);
        assert!(out.contains("discrepancy principle"), "{out}");
        let z = read_image(place.path("z.npy")).unwrap().planes.remove(0);
        let residual = (&blurred(&z, Boundary::Symmetric) - &b).mapv(|v| v * v).sum().sqrt();
        let level = 0.01 * 32.0;
        assert!(residual <= 1.02 * level && residual > 0.8 * level, "{method}: {residual}");
    }
    // Zeros beyond the border do not explain this picture: the result is written, with a warning.
    let args = ["deblur", "b.npy", "--psf", PSF, "--noise", "0.0001", "-o", "z.npy", "--boundary", "zero"];
    assert!(place.succeed(&args).contains("warning: no λ down to"));
}

#[test]
fn a_boundary_constant_is_subtracted_before_solving() {
    let place = Place::new();
    let truth = scene(24, 24, 1).remove(0);
    let dark = Image::new(vec![truth.clone()], None, Depth::F64).unwrap();
    write_image(place.path("x.npy"), &dark).unwrap();
    place.succeed(&["blur", "x.npy", "--psf", PSF, "--boundary", "constant=0.7", "-o", "b.npy"]);
    let b = read_image(place.path("b.npy")).unwrap().planes.remove(0);
    assert!(largest(&b - &blurred(&truth, Boundary::Constant(0.7))) < 1e-14);
    let solve = |method: &str, boundary: &str| {
        let base = ["deblur", "b.npy", "--psf", PSF, "-o", "z.npy", "--iterations", "150"];
        place.succeed(&[&base[..], &["--method", method, "--boundary", boundary]].concat());
        psnr(&read_image(place.path("z.npy")).unwrap().planes[0], &truth, 1.0).unwrap()
    };
    for method in ["cgls", "lsqr", "rl"] {
        let (right, wrong) = (solve(method, "constant=0.7"), solve(method, "zero"));
        assert!(right > 24.0 && right > wrong + 10.0, "{method}: {right} against {wrong}");
    }
}

#[test]
fn psfs_come_from_files_too_and_are_normalised() {
    let place = Place::new();
    write_image(place.path("x.npy"), &image(20, 20, 1, Depth::F64)).unwrap();
    let taps = array![[0.0, 2.0, 0.0], [2.0, 4.0, 2.0], [0.0, 2.0, 0.0]];
    write_npy(place.path("psf.npy"), &taps).unwrap();
    write_image(place.path("psf.png"), &Image::new(vec![&taps / 4.0], None, Depth::U16).unwrap()).unwrap();
    for psf in ["psf.npy", "psf.png", "0,1,0;1,2,1;0,1,0"] {
        place.succeed(&["blur", "x.npy", "--psf", psf, "-o", "y.npy"]);
        let (x, y) = (scene(20, 20, 1).remove(0), read_image(place.path("y.npy")).unwrap().planes.remove(0));
        let expected = (2.0 * x[(5, 5)] + x[(4, 5)] + x[(6, 5)] + x[(5, 4)] + x[(5, 6)]) / 6.0;
        assert!((y[(5, 5)] - expected).abs() < 1e-4, "{psf}");
    }
}

#[test]
fn reports_tell_what_was_done() {
    let place = Place::new();
    write_image(place.path("photo.png"), &image(24, 30, 3, Depth::U8)).unwrap();
    place.succeed(&["blur", "photo.png", "--psf", PSF, "--noise", "0.01", "-o", "b.png"]);
    let base = ["deblur", "b.png", "--psf", PSF, "--noise", "0.01", "-o", "z.png", "--truth", "photo.png"];
    for (method, name) in
        [("tikhonov", "Tikhonov"), ("cgls", "CGLS"), ("lsqr", "LSQR"), ("rl", "Richardson-Lucy")]
    {
        let out = place.succeed(&[&base[..], &["--method", method, "--report", "page.svg"]].concat());
        assert!(out.contains("wrote page.svg"), "{out}");
        let svg = std::fs::read_to_string(place.path("page.svg")).unwrap();
        for words in
            [name, "Deblurring", "PSNR before", "ISNR", "blurred", "restored", "truth", "noise level"]
        {
            assert!(svg.contains(words), "{method}: {words}");
        }
        assert_eq!(svg.contains("The choice of λ"), method == "tikhonov");
    }
    place.succeed(&[&base[..], &["--report", "page.png"]].concat());
    assert!(std::fs::read(place.path("page.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn the_input_may_be_the_output() {
    let place = Place::new();
    write_image(place.path("x.npy"), &image(20, 20, 1, Depth::F64)).unwrap();
    place.succeed(&["blur", "x.npy", "--psf", PSF, "-o", "y.npy"]);
    place.succeed(&["blur", "x.npy", "--psf", PSF, "-o", "x.npy"]);
    assert_eq!(place.read_f64("x.npy"), place.read_f64("y.npy"));
    assert_eq!(place.names(), ["x.npy", "y.npy"]);
}

#[test]
fn sub_pictures_are_blurred_alike_away_from_the_border() {
    let place = Place::new();
    let whole = Array3::from_shape_fn((30, 30, 1), |(i, j, _)| ((i * j) % 17) as f64 / 17.0);
    write_npy(place.path("x.npy"), &whole).unwrap();
    write_npy(place.path("part.npy"), &whole.slice(s![5..25, 5..25, ..])).unwrap();
    place.succeed(&["blur", "x.npy", "--psf", PSF, "-o", "y.npy"]);
    place.succeed(&["blur", "part.npy", "--psf", PSF, "-o", "part-y.npy"]);
    let (y, part) = (place.read_f64("y.npy"), place.read_f64("part-y.npy"));
    assert!((y[[12, 13].as_slice()] - part[[7, 8].as_slice()]).abs() < 1e-15);
}
