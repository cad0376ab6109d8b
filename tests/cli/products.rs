//! `matrix`, `apply` and `dottest`: the numbers are those of the library.

use crate::Place;
use convmtx::io::{AnyArray, AnySparse, Depth, Image, read_image, read_matrix_market, read_npy, read_npz};
use convmtx::io::{write_image, write_npy};
use convmtx::ndarray::{Array1, Array2, Array3, ArrayD, ShapeBuilder, array};
use convmtx::num_complex::{Complex32, Complex64};
use convmtx::{Boundary, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Geometry};

#[test]
fn small_matrices_are_printed() {
    let place = Place::new();
    let out = place.succeed(&["matrix", "--kernel", "1,2,3", "--size", "5", "--shape", "valid"]);
    assert!(out.ends_with("3 2 1 · ·\n· 3 2 1 ·\n· · 3 2 1\n"), "{out}");
    assert!(out.contains("matrix  3 × 5, 9 entries") && out.contains("0 below, 2 above"), "{out}");
    let empty = place.succeed(&["matrix", "--kernel", "1,2,3", "--size", "2", "--shape", "valid"]);
    assert!(empty.contains("matrix  0 × 2, 0 entries"), "{empty}");
}

#[test]
fn the_classic_matrices_have_their_numbers_of_entries() {
    let place = Place::new();
    for (shape, rows, nnz) in [("full", 54, 250), ("same", 50, 244), ("valid", 46, 230)] {
        let out = place.succeed(&[
            "matrix",
            "-k",
            "1,4,6,4,1",
            "--scale",
            "0.0625",
            "--size",
            "50",
            "--shape",
            shape,
            "-o",
            "K.npz",
            "--spy",
            "K.svg",
        ]);
        assert!(out.contains(&format!("matrix  {rows} × 50, {nnz} entries")), "{out}");
        let AnySparse::F64(matrix) = read_npz::<i32>(place.path("K.npz")).unwrap() else { panic!("not f64") };
        assert_eq!((matrix.rows(), matrix.nnz()), (rows, nnz));
        assert_eq!(matrix.get(5, 5), Some(if shape == "same" { &0.375 } else { &0.0625 }));
        let svg = std::fs::read_to_string(place.path("K.svg")).unwrap();
        assert_eq!(svg.matches("class=\"nz\"").count(), nnz);
    }
}

#[test]
fn every_option_reaches_the_matrix() {
    let place = Place::new();
    let k = [1.0, -2.0, 3.0, 5.0];
    let same = Geometry::<f64, 1>::same;
    let cases: [(&[&str], Geometry<f64, 1>); 11] = [
        (&["--shape", "same"], same()),
        (&["--shape", "same", "--convention", "scipy"], same().convention(Convention::Scipy)),
        (&["--shape", "valid", "--convention", "numpy"], Geometry::valid().convention(Convention::Numpy)),
        (&["--shape", "same", "--boundary", "symmetric"], same().boundary(Boundary::Symmetric)),
        (&["--shape", "same", "--boundary", "reflect"], same().boundary(Boundary::Reflect)),
        (&["--shape", "same", "--boundary", "constant=2"], same()),
        (&["--boundary", "antireflective"], Geometry::full().boundary(Boundary::Antireflective)),
        (&["--stride", "2", "--dilation", "3"], Geometry::full().stride(2).dilation(3)),
        (&["--offset", "-2", "--length", "6"], Geometry::window([-2], [6])),
        (&["--correlate"], Geometry::full().correlate()),
        (&["--boundary", "periodic", "--shape", "same"], same().boundary(Boundary::Periodic)),
    ];
    for (options, geometry) in cases {
        let base = ["matrix", "--kernel", "1,-2,3,5", "--size", "7", "-o", "K.mtx"];
        place.succeed(&[&base[..], options].concat());
        let matrix = read_matrix_market::<f64, i32>(place.path("K.mtx")).unwrap();
        assert_eq!(matrix, Conv1d::new(&k, 7, geometry).unwrap().to_csr().unwrap(), "{options:?}");
    }
}

#[test]
fn images_are_vectors_in_either_order() {
    let place = Place::new();
    let h = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    write_npy(place.path("h.npy"), &h).unwrap();
    place.succeed(&["matrix", "--kernel", "h.npy", "--size", "3x4", "--order", "F", "-o", "K.npz"]);
    let AnySparse::F64(matrix) = read_npz::<i32>(place.path("K.npz")).unwrap() else { panic!("not f64") };
    assert_eq!(matrix, convmtx::convmtx2(&h, 3, 4).unwrap());
    let out = place.succeed(&["matrix", "--kernel", "1,2,3;4,5,6", "--size", "3x4", "-o", "K.npz"]);
    assert!(out.contains("order   C"), "{out}");
    let AnySparse::F64(matrix) = read_npz::<i32>(place.path("K.npz")).unwrap() else { panic!("not f64") };
    assert_eq!(matrix, Conv2d::new(&h, [3, 4], ConvMode::Full).unwrap().to_csr().unwrap());
}

#[test]
fn zeros_types_and_complex_taps() {
    let place = Place::new();
    let base = ["matrix", "--kernel", "1,0,2", "--size", "4", "-o", "K.npz"];
    assert!(place.succeed(&base).contains(" 8 entries"));
    assert!(place.succeed(&[&base[..], &["--keep-zeros"]].concat()).contains(" 12 entries"));
    assert!(place.succeed(&[&base[..], &["--dtype", "f32"]].concat()).contains("float32"));
    assert!(matches!(read_npz::<i32>(place.path("K.npz")).unwrap(), AnySparse::F32(_)));
    let out = place.succeed(&["matrix", "--kernel", "1+2i,3", "--size", "2"]);
    assert!(out.ends_with("1+2i    ·\n3+0i 1+2i\n   · 3+0i\n"), "{out}");
}

#[test]
fn products_keep_the_type_of_x_and_promote_by_file() {
    let place = Place::new();
    let x = [1.0, -2.0, 3.0, 0.5];
    write_npy(place.path("f32.npy"), &Array1::from(x.map(|v| v as f32).to_vec())).unwrap();
    write_npy(place.path("f64.npy"), &Array1::from(x.to_vec())).unwrap();
    write_npy(place.path("c64.npy"), &Array1::from(x.map(|v| Complex32::new(v as f32, 1.0)).to_vec()))
        .unwrap();
    write_npy(place.path("c128.npy"), &Array1::from(x.map(|v| Complex64::new(v, 1.0)).to_vec())).unwrap();
    let dtype = |kernel: &str, x: &str| {
        place.succeed(&["apply", "--kernel", kernel, x, "-o", "y.npy"]);
        read_npy(place.path("y.npy")).unwrap().dtype()
    };
    let typed = ["f32.npy", "f64.npy", "c64.npy", "c128.npy"].map(|x| dtype("1,2", x));
    assert_eq!(typed, ["float32", "float64", "complex64", "complex128"]);
    assert_eq!(dtype("1+2i,2", "f32.npy"), "complex64");
    assert_eq!(dtype("f64.npy", "f32.npy"), "float64");
    assert_eq!(dtype("f32.npy", "f64.npy"), "float64");
    assert_eq!(dtype("c64.npy", "f32.npy"), "complex64");
    assert_eq!(dtype("c64.npy", "f64.npy"), "complex128");
    place.succeed(&["apply", "--kernel", "1,2", "f64.npy", "-o", "y.npy"]);
    assert_eq!(place.read_f64("y.npy"), array![1.0, 0.0, -1.0, 6.5, 1.0].into_dyn());
}

#[test]
fn both_engines_and_all_sizes_of_data() {
    let place = Place::new();
    let signal = Array1::from_shape_fn(9, |i| (i * i % 7) as f64);
    let image = Array2::from_shape_fn((4, 5), |(i, j)| (i * 3 + j * j) as f64);
    let volume = Array3::from_shape_fn((3, 4, 2), |(i, j, l)| (i * 5 + j * 2 + l) as f64);
    write_npy(place.path("signal.npy"), &signal).unwrap();
    write_npy(place.path("image.npy"), &image).unwrap();
    write_npy(place.path("volume.npy"), &volume).unwrap();
    write_npy(place.path("cube.npy"), &Array3::<f64>::ones((2, 2, 2))).unwrap();
    let flat = |a: &ArrayD<f64>| a.iter().copied().collect::<Vec<_>>();
    let taps = array![[1.0, 2.0], [3.0, 4.0]];
    let expected = [
        ("signal.npy", "1,2,3", flat(&apply1(&[1.0, 2.0, 3.0], signal.as_slice().unwrap()).into_dyn())),
        ("image.npy", "1,2;3,4", {
            let conv = Conv2d::new(&taps, [4, 5], ConvMode::Full).unwrap();
            conv.apply(image.as_slice().unwrap()).unwrap()
        }),
        ("volume.npy", "cube.npy", {
            let conv = Conv3d::new(&Array3::ones((2, 2, 2)), [3, 4, 2], ConvMode::Full).unwrap();
            conv.apply(volume.as_slice().unwrap()).unwrap()
        }),
    ];
    for (file, kernel, y) in expected {
        for engine in ["direct", "csr"] {
            place.succeed(&["apply", "-k", kernel, file, "-o", "y.npy", "--engine", engine]);
            assert_eq!(flat(&place.read_f64("y.npy")), y, "{file} {engine}");
        }
    }
}

fn apply1(k: &[f64], x: &[f64]) -> Array1<f64> {
    Array1::from(Conv1d::new(k, x.len(), ConvMode::Full).unwrap().apply(x).unwrap())
}

#[test]
fn columns_are_signals_in_any_layout_and_constants_are_added() {
    let place = Place::new();
    let c_order = Array2::from_shape_fn((6, 3), |(i, j)| (i * 4 + j * j) as f64);
    let mut f_order = Array2::zeros((6, 3).f());
    f_order.assign(&c_order);
    write_npy(place.path("c.npy"), &c_order).unwrap();
    write_npy(place.path("f.npy"), &f_order).unwrap();
    let fortran = std::fs::read(place.path("f.npy")).unwrap();
    assert!(String::from_utf8_lossy(&fortran[..128]).contains("'fortran_order': True"));
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 6, Geometry::same().boundary(Boundary::Constant(10.0))).unwrap();
    for file in ["c.npy", "f.npy"] {
        for engine in ["direct", "csr"] {
            let options = ["--shape", "same", "--boundary", "constant=10", "--engine", engine];
            place.succeed(&[&["apply", "-k", "1,2,3", file, "-o", "y.npy"][..], &options].concat());
            let y = place.read_f64("y.npy");
            for (j, x) in c_order.columns().into_iter().enumerate() {
                let column: Vec<f64> = y.index_axis(convmtx::ndarray::Axis(1), j).iter().copied().collect();
                assert_eq!(column, conv.apply(&x.to_vec()).unwrap(), "{file} {engine}");
            }
        }
    }
    // The image itself in Fortran order, with a kernel of two axes.
    place.succeed(&["apply", "-k", "1,2;3,4", "f.npy", "-o", "yf.npy"]);
    place.succeed(&["apply", "-k", "1,2;3,4", "c.npy", "-o", "yc.npy"]);
    assert_eq!(place.read_f64("yf.npy"), place.read_f64("yc.npy"));
}

#[test]
fn adjoints_are_transposes_and_find_the_size_of_x() {
    let place = Place::new();
    let k = [1.0, 2.0, 5.0];
    for (shape, mode) in [("full", ConvMode::Full), ("same", ConvMode::Same), ("valid", ConvMode::Valid)] {
        let conv = Conv1d::new(&k, 8, Geometry::from(mode).boundary(Boundary::Reflect)).unwrap();
        let y: Vec<f64> = (0..conv.shape().0).map(|i| (i * i) as f64).collect();
        write_npy(place.path("y.npy"), &Array1::from(y.clone())).unwrap();
        let transposed = conv.to_csr().unwrap().transpose_into().to_csr();
        let expected: Vec<f64> =
            transposed.outer_iterator().map(|row| row.iter().map(|(i, &a)| a * y[i]).sum()).collect();
        let options = ["--shape", shape, "--boundary", "reflect", "--adjoint"];
        place.succeed(&[&["apply", "-k", "1,2,5", "y.npy", "-o", "x.npy"][..], &options].concat());
        assert_eq!(place.read_f64("x.npy"), Array1::from(expected).into_dyn(), "{shape}");
    }
    write_npy(place.path("y.npy"), &Array1::<f64>::ones(5)).unwrap();
    let strided = ["apply", "-k", "1,2,5", "y.npy", "-o", "x.npy", "--stride", "2", "--adjoint"];
    assert!(place.refuse(2, &strided).contains("--size"));
    place.succeed(&[&strided[..], &["--size", "8"]].concat());
    assert_eq!(place.read_f64("x.npy").shape(), [8]);
    let message = place.refuse(1, &[&strided[..], &["--size", "20"]].concat());
    assert!(message.contains("y has shape 5, expected 11"), "{message}");
}

#[test]
fn pictures_are_convolved_channel_by_channel() {
    let place = Place::new();
    let alpha = Array2::from_elem((6, 7), 0.5);
    let planes = crate::scene(6, 7, 3);
    let picture = Image::new(planes.clone(), Some(alpha.clone()), Depth::F64).unwrap();
    write_image(place.path("x.tiff"), &picture).unwrap();
    place.succeed(&["apply", "-k", "0,1;0,0", "--shape", "same", "x.tiff", "-o", "y.tiff"]);
    let y = read_image(place.path("y.tiff")).unwrap();
    assert_eq!((y.planes.len(), y.depth, y.alpha), (3, Depth::F64, Some(alpha)));
    for (y, x) in y.planes.iter().zip(&planes) {
        assert_eq!((y[(0, 0)], y[(5, 3)]), (x[(1, 0)], 0.0)); // tap (0, 1) is one row above the centre (1, 1)
    }
    let message = place.refuse(1, &["apply", "-k", "1,1;1,1", "x.tiff", "-o", "y2.tiff"]);
    assert!(message.contains("alpha"), "{message}");
}

#[test]
fn dot_tests_pass_and_say_so() {
    let place = Place::new();
    let cases: [&[&str]; 5] = [
        &["--kernel", "1,4,6,4,1", "--size", "40", "--shape", "same", "--boundary", "antireflective"],
        &["--kernel", "1+2i,3", "--size", "30", "--stride", "3", "--dtype", "f32"],
        &["--kernel", "motion:length=5,angle=30", "--size", "12x9", "--boundary", "periodic,reflect"],
        &["--kernel", "1,2", "--size", "5", "--offset", "3", "--length", "2"],
        &["--kernel", "1,2,3", "--size", "2", "--shape", "valid"],
    ];
    for options in cases {
        let out = place.succeed(&[&["dottest"][..], options].concat());
        for words in ["<A x, y>", "<x, A^H y>", "relative difference", ", bound ", "passed"] {
            assert_eq!(out.matches(words).count(), 2, "{out}");
        }
    }
    let out = place.succeed(&["dottest", "-k", "1", "--size", "3", "--engine", "csr"]);
    assert!(out.contains("csr engine") && !out.contains("direct"));
    let failed = place.run(&["dottest", "-k", "1,NaN", "--size", "3"]);
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.out.contains("FAILED") && failed.err.starts_with("convmtx: the dot test failed"),
        "{failed:?}"
    );
}

#[test]
fn kernels_may_be_pictures_and_follow_the_type_of_x() {
    let place = Place::new();
    let spot = Image::new(vec![array![[0.0, 1.0], [1.0, 0.0]]], None, Depth::U8).unwrap();
    write_image(place.path("spot.png"), &spot).unwrap();
    write_npy(place.path("x.npy"), &Array2::<f32>::ones((2, 2))).unwrap();
    place.succeed(&["apply", "-k", "spot.png", "--scale", "2", "x.npy", "-o", "y.npy"]);
    let AnyArray::F32(y) = read_npy(place.path("y.npy")).unwrap() else { panic!("not f32") };
    assert_eq!(y, array![[0.0, 2.0, 2.0], [2.0, 4.0, 2.0], [2.0, 2.0, 0.0]].into_dyn());
}
