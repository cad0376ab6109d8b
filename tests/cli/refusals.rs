//! Bad input: one line that says what is wrong, the right exit code, nothing left behind.

use crate::{Place, image};
use convmtx::io::{Depth, Image, write_image, write_npy};
use convmtx::ndarray::{Array1, Array2, Array3, array};
use convmtx::num_complex::Complex64;

/// Exit code, command line (split at spaces), words of the message.
type Case<'a> = (i32, &'a str, &'a [&'a str]);

fn check(place: &Place, cases: &[Case]) {
    for &(code, line, words) in cases {
        let message = place.refuse(code, &line.split(' ').collect::<Vec<_>>());
        for word in words {
            assert!(message.contains(word), "{line}\n{message}\nlacks {word:?}");
        }
    }
}

#[test]
fn wrong_options_name_the_valid_ones() {
    let valid = ["zero, constant=NUMBER, periodic, symmetric, reflect, replicate or antireflective"];
    check(
        &Place::new(),
        &[
            (2, "matrix -k 1,2 --size 5 --shape middle", &["'middle'", "full, same, valid", "matrix --help"]),
            (2, "matrix -k 1,2 --size 5 --convention idl", &["matlab, scipy, numpy"]),
            (2, "matrix -k 1,2 --size 5 --boundary mirror", &valid),
            (2, "matrix -k 1,2 --size 5 --order D", &["C, F"]),
            (2, "matrix -k 1,2 --size 5 --dtype f16", &["f32, f64"]),
            (2, "apply -k 1,2 x.npy -o y.npy --engine gpu", &["direct, csr"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --method wiener", &["tikhonov, cgls, lsqr, rl"]),
            (2, "blur x.png --psf disc:radius=3 -o y.png", &["disc", "gaussian, motion, disk, box"]),
            (2, "blur x.png --psf disk:r=3 -o y.png", &["key of the disk PSF is r", "radius"]),
            (2, "matrix -k 1,2", &["--size"]),
            (2, "matrix -k 1,2 --size 5 --frobnicate", &["--frobnicate"]),
            (2, "frobnicate", &["frobnicate"]),
        ],
    );
}

#[test]
fn wrong_numbers_are_refused_before_any_work() {
    check(
        &Place::new(),
        &[
            (2, "matrix -k 1,2 --size 0", &["lengths above 0"]),
            (2, "matrix -k 1,2 --size -5", &["size is \"-5\", expected lengths above 0"]),
            (2, "matrix -k 1,2 --size -5x5", &["size is \"-5x5\""]),
            (2, "dottest -k 1,2 --size -5", &["size is \"-5\""]),
            (2, "apply -k 1,2 x.npy -o y.npy --adjoint --size -5", &["size is \"-5\""]),
            (2, "matrix -k 1,2 --size 5 --stride -1", &["'-1'", "at least 1"]),
            (2, "matrix -k 1,2 --size 5 --dilation -1", &["'-1'", "at least 1"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --iterations -3", &["'-3'", "at least 1"]),
            (2, "matrix -k 1,2 --size 5 --stride 0", &["'0'", "at least 1"]),
            (2, "matrix -k 1,2 --size 5 --dilation 0", &["at least 1"]),
            (2, "matrix -k 1,2 --size 5 --stride 1,2", &["--stride has 2 values", "1"]),
            (2, "matrix -k 1,x --size 5", &["\"x\" is not a number"]),
            (2, "matrix -k 1,2;3 --size 5x5", &["equally many"]),
            (2, "matrix -k 1,2 --size 5x5", &["kernel has size 2", "signal 5 × 5"]),
            (2, "matrix -k 1,2 --size 5 --offset 1", &["--length"]),
            (2, "matrix -k 1,2 --size 5 --boundary constant=x", &["constant=NUMBER"]),
            (1, "matrix -k 1,2 --size 5 --boundary constant=inf", &["finite"]),
            (1, "matrix -k 1,2 --size 9000000000000000000", &["overflows", "2^61"]),
            (2, "matrix -k 1,2 --size 4000000000x4000000000", &["kernel has size 2"]),
            (1, "matrix -k 1;2 --size 4000000000x4000000000", &["overflows"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --lambda -1", &["-1", "at least 0"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --lambda NaN", &["NaN", "finite"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --noise -0.1", &["above 0"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --iterations 0", &["at least 1"]),
            (2, "deblur x.png --psf disk:radius=3 -o y.png --method rl --lambda 1", &["--iterations"]),
            (2, "blur x.png --psf disk:radius=3 -o y.png --noise inf", &["finite"]),
            (2, "blur x.png --psf disk:radius=-3 -o y.png", &["radius", "above 0"]),
        ],
    );
    let message = Place::new().refuse(2, &["matrix", "--kernel", "", "--size", "5"]);
    assert!(message.contains("empty"), "{message}");
}

#[test]
fn matrices_beyond_memory_say_how_many_bytes() {
    let message = Place::new().refuse(1, &["matrix", "-k", "1,2", "--size", "100000000000"]);
    assert!(
        message.contains("needs") && message.contains("bytes") && message.contains("matrix-free"),
        "{message}"
    );
}

#[test]
fn advice_is_about_options_not_about_functions() {
    check(
        &Place::new(),
        &[
            (
                1,
                "matrix -k 1,2 --size 100000000000",
                &["use a smaller size, or convmtx apply", "--engine direct"],
            ),
            (1, "matrix -k 1,2 --size 3000000000 --keep-zeros", &["32-bit indices; leave out --keep-zeros"]),
        ],
    );
}

#[test]
fn results_that_overflow_are_refused_with_the_first_infinite_number() {
    let place = Place::new();
    write_npy(place.path("x.npy"), &Array1::<f64>::ones(9)).unwrap();
    write_npy(place.path("columns.npy"), &Array2::<f64>::ones((9, 2))).unwrap();
    write_npy(place.path("single.npy"), &Array1::<f32>::ones(9)).unwrap();
    write_npy(place.path("z.npy"), &Array1::from_elem(9, Complex64::new(0.0, 1.0))).unwrap();
    write_npy(place.path("picture.npy"), &Array2::<f64>::ones((12, 10))).unwrap();
    write_npy(place.path("singles.npy"), &Array2::<f32>::ones((12, 10))).unwrap();
    check(
        &place,
        &[
            (
                1,
                "matrix -k 1,1e300 --scale 1e10 --size 5 -o K.npz",
                &["kernel times --scale is inf at index 1"],
            ),
            (1, "matrix -k 1,-1e39 --dtype f32 --size 5 -o K.npz", &["-inf at index 1", "float32", "double"]),
            (
                1,
                "matrix -k 1e308,1,1e308 --size 1 --shape same --boundary replicate -o K.npz",
                &["the matrix is inf at row 0, column 0"],
            ),
            (1, "apply -k 1,2e300 --scale 1e10 x.npy -o y.npy", &["kernel times --scale is inf at index 1"]),
            (1, "apply -k 1e308,1e308 x.npy -o y.npy", &["the result is inf at index 1,", "float64"]),
            (1, "apply -k 1e308,1e308 x.npy -o y.npy --adjoint", &["the result is inf at index 0,"]),
            (1, "apply -k 1e308,1e308 columns.npy -o y.npy", &["the result is inf at index 1, 0,"]),
            (1, "apply -k 1e308,1e308 z.npy -o y.npy", &["the result is", "inf", "index 1,"]),
            (1, "apply -k 1e39,1 single.npy -o y.npy", &["single precision is inf at index 0", "float32"]),
            (1, "apply -k 1e308 --scale 10 picture.npy -o y.npy", &["--scale is inf"]),
            (
                1,
                "apply -k 1e308,1e308;1e308,1e308 picture.npy -o y.npy",
                &["the result is inf at index 0, 1,"],
            ),
            (
                1,
                "blur picture.npy --psf box:size=3 --noise 1e308 -o y.npy",
                &["the picture is", "inf", "channel 0"],
            ),
            (1, "blur picture.npy --psf box:size=3 --noise 1e308 -o y.png", &["the picture is", "row"]),
            (
                1,
                "blur singles.npy --psf box:size=3 --noise 1e39 -o y.npy",
                &["the picture is", "float32", "column"],
            ),
        ],
    );
    // What was not finite before is the user's own.
    write_npy(place.path("nan.npy"), &array![1.0, f64::NAN, 1.0]).unwrap();
    place.succeed(&["apply", "-k", "1,2", "nan.npy", "-o", "y.npy"]);
    let y = place.read_f64("y.npy");
    assert_eq!(y.iter().map(|v| v.is_nan()).collect::<Vec<_>>(), [false, true, true, false]);
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let place = Place::new();
    write_npy(place.path("x.npy"), &Array1::<f64>::ones(9)).unwrap();
    let whole = std::fs::read(place.path("x.npy")).unwrap();
    std::fs::write(place.path("cut.npy"), &whole[..whole.len() - 5]).unwrap();
    std::fs::write(place.path("words.npy"), "hello").unwrap();
    write_npy(place.path("empty.npy"), &Array1::<f64>::zeros(0)).unwrap();
    write_npy(place.path("deep.npy"), &Array3::<f64>::ones((3, 3, 3))).unwrap();
    let header = String::from_utf8_lossy(&whole[..80]).replace("<f8", "<M8");
    std::fs::write(
        place.path("dates.npy"),
        [header.as_bytes().get(..80).unwrap_or_default(), &whole[80..]].concat(),
    )
    .unwrap();
    check(
        &place,
        &[
            (1, "apply -k 1,2 missing.npy -o y.npy", &["missing.npy", "No such file"]),
            (1, "apply -k 1,2 cut.npy -o y.npy", &["cut.npy", "truncated"]),
            (1, "apply -k 1,2 words.npy -o y.npy", &["words.npy"]),
            (1, "apply -k 1,2 empty.npy -o y.npy", &["signal is empty"]),
            (1, "apply -k empty.npy x.npy -o y.npy", &["kernel is empty"]),
            (1, "apply -k 1,2 dates.npy -o y.npy", &["dates.npy"]),
            (2, "apply -k 1,2 deep.npy -o y.npy", &["kernel has size 2", "3 × 3 × 3"]),
            (1, "apply -k missing.npy x.npy -o y.npy", &["missing.npy"]),
            (2, "apply -k 1,2 x.npy -o y.png", &["y.png", ".npy"]),
        ],
    );
}

#[test]
fn pictures_that_cannot_be_restored() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(12, 10, 1, Depth::U8)).unwrap();
    write_image(place.path("colour.png"), &image(12, 10, 3, Depth::U8)).unwrap();
    write_image(place.path("other.png"), &image(12, 11, 1, Depth::U8)).unwrap();
    let png = std::fs::read(place.path("x.png")).unwrap();
    std::fs::write(place.path("cut.png"), &png[..png.len() / 2]).unwrap();
    std::fs::write(place.path("words.png"), "hello").unwrap();
    let mut holes = Array2::<f64>::zeros((12, 10));
    holes[(3, 4)] = f64::NAN;
    write_npy(place.path("nan.npy"), &holes).unwrap();
    write_npy(place.path("infpsf.npy"), &array![[1.0, f64::INFINITY]]).unwrap();
    write_npy(place.path("flatpsf.npy"), &Array1::<f64>::ones(3)).unwrap();
    write_npy(place.path("complexpsf.npy"), &Array2::from_elem((2, 2), Complex64::new(1.0, 1.0))).unwrap();
    write_npy(place.path("edges.npy"), &array![[1.0, -1.0]]).unwrap();
    write_npy(place.path("sharpen.npy"), &array![[-1.0, 3.0, -1.0]]).unwrap();
    check(
        &place,
        &[
            (1, "blur x.png --psf box:size=13x3 -o y.png", &["PSF is 13 × 3", "12 × 10"]),
            (1, "deblur x.png --psf box:size=3x11 -o y.png", &["larger than the picture"]),
            (1, "blur nan.npy --psf box:size=3 -o y.npy", &["nan.npy", "not finite", "row 3, column 4"]),
            (1, "deblur nan.npy --psf box:size=3 -o y.npy", &["not finite"]),
            (1, "blur x.png --psf infpsf.npy -o y.png", &["PSF", "inf"]),
            (1, "blur x.png --psf flatpsf.npy -o y.png", &["PSF has size 3", "expected two axes"]),
            (1, "blur x.png --psf complexpsf.npy -o y.png", &["complex"]),
            (1, "deblur x.png --psf edges.npy -o y.png", &["sum of the PSF"]),
            (1, "blur x.png --psf colour.png -o y.png", &["colour", "grey"]),
            (1, "blur cut.png --psf box:size=3 -o y.png", &["cut.png"]),
            (1, "blur words.png --psf box:size=3 -o y.png", &["words.png", "PNG, JPEG, TIFF"]),
            (2, "blur x.png --psf box:size=3 -o y.gif", &["gif", "png, jpg"]),
            (2, "blur x.png --psf box:size=3 -o y", &["expected one of png"]),
            (2, "deblur x.png --psf box:size=3 -o y.png --report page.pdf", &["svg or png"]),
            (1, "deblur x.png --psf box:size=3 -o y.png --truth other.png", &["12 × 11", "12 × 10"]),
            (1, "deblur x.png --psf box:size=3 -o y.png --truth colour.png", &["3 channels", "1 channel"]),
            (1, "deblur x.png --psf sharpen.npy -o y.png --method rl", &["negative"]),
            (2, "matrix -k 1,2 --size 5 -o K.csv", &[".npz or .mtx"]),
            (2, "matrix -k 1,2 --size 5 --spy K.pdf", &["svg or png"]),
        ],
    );
}

#[test]
fn places_that_cannot_be_written_are_found_out_first() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(12, 10, 1, Depth::U8)).unwrap();
    write_npy(place.path("x.npy"), &Array1::<f64>::ones(9)).unwrap();
    std::fs::create_dir(place.path("folder.png")).unwrap();
    std::fs::write(place.path("file"), "").unwrap();
    check(
        &place,
        &[
            (1, "blur x.png --psf box:size=3 -o missing/y.png", &["missing/y.png", "No such file"]),
            (1, "deblur x.png --psf box:size=3 -o y.png --report missing/p.svg", &["missing/p.svg"]),
            (1, "apply -k 1 x.npy -o missing/y.npy", &["missing/y.npy"]),
            (1, "matrix -k 1 --size 3 -o missing/K.npz", &["missing/K.npz"]),
            (1, "blur x.png --psf box:size=3 -o folder.png", &["folder"]),
            (1, "demo --out file/demo", &["cannot be made"]),
        ],
    );
}

#[test]
#[cfg(target_os = "linux")]
fn full_disks_and_folders_without_permission_leave_nothing() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(12, 10, 1, Depth::U8)).unwrap();
    write_npy(place.path("x.npy"), &Array1::<f64>::ones(9)).unwrap();
    for name in ["full.png", "full.npy", "full.mtx"] {
        std::os::unix::fs::symlink("/dev/full", place.path(name)).unwrap();
    }
    check(
        &place,
        &[
            (1, "blur x.png --psf box:size=3 -o full.png", &["full.png", "No space left"]),
            (1, "apply -k 1 x.npy -o full.npy", &["full.npy", "No space left"]),
            (1, "matrix -k 1 --size 3 -o full.mtx", &["full.mtx", "No space left"]),
            (1, "blur x.png --psf box:size=3 -o /proc/y.png", &["/proc/y.png"]),
        ],
    );
    let unwritable = place.path("closed");
    std::fs::create_dir(&unwritable).unwrap();
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    std::fs::set_permissions(&unwritable, closed).unwrap();
    // The administrator may write everywhere.
    if std::fs::write(unwritable.join("probe"), "").is_err() {
        check(&place, &[(1, "blur x.png --psf box:size=3 -o closed/y.png", &["Permission denied"])]);
    }
}

#[test]
fn alpha_must_fit_the_format() {
    let place = Place::new();
    let alpha = Some(Array2::ones((12, 10)));
    let picture = Image::new(crate::scene(12, 10, 1), alpha, Depth::U8).unwrap();
    write_image(place.path("x.png"), &picture).unwrap();
    check(&place, &[(2, "blur x.png --psf box:size=3 -o y.pgm", &["alpha", "pgm"])]);
}

#[test]
fn one_name_for_two_files_is_refused_before_any_work() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(30, 30, 1, Depth::U8)).unwrap();
    let deblur = ["deblur", "x.png", "--psf", "box:size=3"];
    for (output, report) in [("y.png", "y.png"), ("y.png", "./y.png"), ("y.png", "x.png")] {
        let said = place.refuse(2, &[&deblur[..], &["-o", output, "--report", report]].concat());
        assert!(said.contains("are the same file; give another name"), "{said}");
    }
}

#[test]
fn pictures_that_a_format_cannot_hold_are_refused_before_any_work() {
    let place = Place::new();
    write_image(place.path("grey.png"), &image(30, 30, 1, Depth::U8)).unwrap();
    write_image(place.path("colour.png"), &image(30, 30, 3, Depth::U8)).unwrap();
    for (input, output) in [("colour.png", "y.pgm"), ("grey.png", "y.ppm")] {
        let said = place.refuse(2, &["blur", input, "--psf", "box:size=3", "-o", output]);
        assert!(said.contains("cannot hold; write png, tiff, pnm or npy"), "{said}");
    }
}
