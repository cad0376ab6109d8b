//! Files: what is written reads back the same, and no bytes make a reader panic or take more memory than they justify.

use convmtx::io::{
    AnyArray, AnySparse, Depth, IMAGE_EXTENSIONS, Image, read_image, read_matrix_market, read_npy, read_npz,
    remove_temporaries, write_atomically, write_image, write_matrix_market, write_npy, write_npz,
};
use convmtx::ndarray::{Array1, Array2, ArrayD, IxDyn, ShapeBuilder, array, s};
use convmtx::num_complex::Complex;
use convmtx::sprs::CsMatI;
use convmtx::{Error, Result};
use proptest::prelude::*;
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

/// A new folder and a file name in it.
fn place(name: &str) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// The message of the `Error::Format` that must come.
fn refused<T: Debug>(result: Result<T>) -> String {
    match result {
        Err(e @ Error::Format { .. }) => e.to_string(),
        other => panic!("expected a format error, got {other:?}"),
    }
}

/// Reads every proper prefix of a valid file, the file with a tail, and the file with one byte damaged.
fn damage<T: Debug>(bytes: &[u8], prefixes_fail: bool, read: impl Fn(&Path) -> Result<T>) {
    let (_folder, path) = place("damaged");
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let result = read(&path);
        assert!(!prefixes_fail || matches!(result, Err(Error::Format { .. })), "{len} bytes: {result:?}");
    }
    for i in 0..bytes.len() {
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut bytes = bytes.to_vec();
            bytes[i] ^= flip;
            fs::write(&path, &bytes).unwrap();
            let _ = read(&path); // any value or error, no panic
        }
    }
}

mod atomic {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_error_leaves_the_old_file_and_nothing_else() {
        let (folder, path) = place("a");
        fs::write(&path, "old").unwrap();
        let result = write_atomically(&path, |file| {
            file.write_all(&[b'x'; 100_000])?;
            Err(std::io::Error::other("no idea"))
        });
        assert!(result.unwrap_err().to_string().ends_with("/a: no idea"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_panic_leaves_nothing() {
        let (folder, path) = place("a");
        let panicked = std::panic::catch_unwind(|| {
            write_atomically(&path, |file| {
                file.write_all(b"half")?;
                panic!("on purpose")
            })
        });
        assert!(panicked.is_err());
        assert!(names(folder.path()).is_empty());
    }

    /// Tells the child which folder to write into.
    const FOLDER: &str = "CONVMTX_TEST_FOLDER";

    #[test]
    fn an_interrupted_process_leaves_nothing() {
        let folder = tempdir().unwrap();
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "io::atomic::interrupted", "--ignored"])
            .env(FOLDER, folder.path())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(130));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    #[ignore = "the child of the test above, in a process of its own"]
    fn interrupted() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let _ = write_atomically(Path::new(&folder).join("a"), |file| {
            file.write_all(b"half")?;
            file.flush()?;
            assert_eq!(names(Path::new(&folder)).len(), 1);
            remove_temporaries(); // as a Ctrl-C handler does
            std::process::exit(130)
        });
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let (folder, path) = place("a");
        fs::write(&path, "old").unwrap();
        write_atomically(&path, |file| {
            file.write_all(b"new")?;
            file.flush()?;
            assert_eq!(fs::read_to_string(&path)?, "old");
            assert!(names(folder.path())[0].starts_with(".a.tmp-"));
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn impossible_places_are_errors_with_the_path() {
        let (folder, file) = place("file");
        fs::write(&file, "").unwrap();
        for path in
            [file.join("below"), folder.path().join("missing/a"), folder.path().to_owned(), PathBuf::new()]
        {
            match write_atomically(&path, |_| Ok(())) {
                Err(Error::Io { path: named, .. }) => assert_eq!(named, path),
                other => panic!("{}: {other:?}", path.display()),
            }
        }
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (folder, path) = place("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let (link, dangling) = (folder.path().join("link"), folder.path().join("dangling"));
        symlink("file", &link).unwrap();
        symlink("new", &dangling).unwrap();
        for link in [&link, &dangling] {
            write_atomically(link, |file| file.write_all(b"content")).unwrap();
            assert!(fs::symlink_metadata(link).unwrap().is_symlink());
        }
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["dangling", "file", "link", "new"]);

        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(matches!(write_atomically(&circle, |_| Ok(())), Err(Error::Io { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_written_in_place_and_a_full_disk_is_an_error() {
        write_npy("/dev/null", &array![1.0]).unwrap();
        if Path::new("/dev/full").exists() {
            let error = write_npy("/dev/full", &array![1.0]).unwrap_err();
            assert!(matches!(error, Error::Io { .. }));
            assert!(error.to_string().starts_with("/dev/full: No space left on device"), "{error}");
        }
    }
}

mod npy {
    use super::*;

    /// A file as NumPy writes it, of version `major`.
    fn file(major: u8, descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let dict = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([major, 0]);
        let len = u32::try_from(dict.len()).unwrap().to_le_bytes();
        bytes.extend(if major == 1 { &len[..2] } else { &len });
        bytes.extend(dict.bytes());
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<AnyArray> {
        let (_folder, path) = place("x.npy");
        fs::write(&path, bytes).unwrap();
        read_npy(&path)
    }

    #[test]
    fn four_types_in_any_layout_come_back_bit_by_bit() {
        fn check<T: convmtx::io::Element>(value: impl Fn(usize) -> T)
        where
            AnyArray: From<ArrayD<T>>,
        {
            let (_folder, path) = place("x.npy");
            let a = Array2::from_shape_fn((5, 7), |(i, j)| value(i * 7 + j));
            let views =
                [a.view(), a.t(), a.slice(s![..;2, 1..]), a.slice(s![..;-1, ..]), a.slice(s![..0, ..])];
            for view in views {
                write_npy(&path, &view).unwrap();
                let expected = AnyArray::from(view.to_owned().into_dyn());
                let back = read_npy(&path).unwrap();
                assert_eq!((back.dtype(), back.shape()), (T::NAME, view.shape()));
                assert_eq!(
                    format!("{back:?}").split(", strides").next(),
                    format!("{expected:?}").split(", strides").next()
                );
                back.write_npy(&path).unwrap();
                assert_eq!(read_npy(&path).unwrap().shape(), view.shape());
            }
            write_npy(&path, &convmtx::ndarray::arr0(value(3))).unwrap();
            assert!(read_npy(&path).unwrap().shape().is_empty());
        }
        check(|i| [0.1_f32, -0.0, f32::MAX, f32::MIN_POSITIVE / 4.0, f32::NEG_INFINITY][i % 5]);
        check(|i| [0.1_f64, -0.0, f64::MAX, 5e-324, f64::INFINITY][i % 5]);
        check(|i| Complex::new(i as f32, -0.1));
        check(|i| Complex::new(0.1, -(i as f64)));
    }

    #[test]
    fn nan_payloads_survive() {
        let (_folder, path) = place("x.npy");
        let bits = 0x7ff8_0000_dead_beef_u64;
        write_npy(&path, &array![f64::from_bits(bits)]).unwrap();
        let AnyArray::F64(a) = read_npy(&path).unwrap() else { panic!("another type") };
        assert_eq!(a[[0]].to_bits(), bits);
    }

    #[test]
    fn versions_byte_orders_and_fortran_order() {
        let little: Vec<u8> = (0..6).flat_map(|v| f64::from(v).to_le_bytes()).collect();
        let big: Vec<u8> = (0..6).flat_map(|v| f64::from(v).to_be_bytes()).collect();
        let c = AnyArray::F64(array![[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].into_dyn());
        let f = AnyArray::F64(array![[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]].into_dyn());
        for major in [1, 2, 3] {
            assert_eq!(read(&file(major, "'<f8'", false, "(2, 3)", &little)).unwrap(), c);
            assert_eq!(read(&file(major, "'>f8'", false, "(2, 3)", &big)).unwrap(), c);
            assert_eq!(read(&file(major, "'<f8'", true, "(2, 3)", &little)).unwrap(), f);
            assert_eq!(read(&file(major, "'>f8'", true, "(2, 3)", &big)).unwrap(), f);
        }
        let halves: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|v| v.to_be_bytes()).collect();
        let expected = AnyArray::C64(Array1::from(vec![Complex::new(1.0, 2.0)]).into_dyn());
        assert_eq!(read(&file(1, "'>c8'", false, "(1,)", &halves)).unwrap(), expected);
        assert!(read(&file(4, "'<f8'", false, "(2, 3)", &little)).is_err());
    }

    #[test]
    fn integers_and_booleans_become_f64_exactly_or_not_at_all() {
        let bits = 1_i64 << 53;
        let cases: [(&str, Vec<u8>, f64); 13] = [
            ("'|b1'", vec![1], 1.0),
            ("'|i1'", vec![0x80], -128.0),
            ("'|u1'", vec![0x80], 128.0),
            ("'<i2'", (-300_i16).to_le_bytes().into(), -300.0),
            ("'>i2'", (-300_i16).to_be_bytes().into(), -300.0),
            ("'<u2'", 60_000_u16.to_le_bytes().into(), 60_000.0),
            ("'<i4'", i32::MIN.to_le_bytes().into(), -2_147_483_648.0),
            ("'>u4'", u32::MAX.to_be_bytes().into(), 4_294_967_295.0),
            ("'<i8'", bits.to_le_bytes().into(), 9_007_199_254_740_992.0),
            ("'<i8'", (-bits).to_le_bytes().into(), -9_007_199_254_740_992.0),
            ("'>i8'", (-bits).to_be_bytes().into(), -9_007_199_254_740_992.0),
            ("'<u8'", bits.to_le_bytes().into(), 9_007_199_254_740_992.0),
            ("'>u8'", bits.to_be_bytes().into(), 9_007_199_254_740_992.0),
        ];
        for (descr, data, value) in cases {
            let array = read(&file(1, descr, false, "(1,)", &data)).unwrap();
            assert_eq!(array, AnyArray::F64(array![value].into_dyn()), "{descr}");
        }
        for data in [(bits + 1).to_le_bytes(), i64::MIN.to_le_bytes()] {
            let message = refused(read(&file(1, "'<i8'", false, "(1,)", &data)));
            assert!(message.contains("not exact as float64") && message.contains("'<i8'"), "{message}");
        }
        assert!(read(&file(1, "'<u8'", false, "(1,)", &u64::MAX.to_le_bytes())).is_err());
        assert!(read(&file(1, "'|b1'", false, "(1,)", &[2])).is_err());
    }

    #[test]
    fn other_types_are_named_with_the_way_out() {
        for (descr, size, way_out) in [
            ("'<f2'", 2, "astype('float64')"),
            ("'<f16'", 16, "astype('float64')"),
            ("'<c32'", 32, "astype('complex128')"),
            ("'|O'", 8, "astype('float64')"),
            ("'<U3'", 12, "astype('float64')"),
            ("'<M8[ns]'", 8, "astype('float64')"),
            ("[('a', '<f4')]", 4, "x['name']"),
            ("[('a', '<f4', (2,)), ('b', [('c', '<f8')])]", 16, "x['name']"),
        ] {
            let message = refused(read(&file(1, descr, false, "(1,)", &vec![0; size])));
            assert!(message.contains(descr.trim_matches('\'')) && message.contains(way_out), "{message}");
        }
    }

    #[test]
    fn lying_headers_are_refused_before_memory_is_taken() {
        for shape in [
            "(4,)",
            "(2,)",
            "(1000000000000,)",
            "(4294967296, 4294967296)",
            "(9223372036854775808, 2, 0)",
            "(0, 18446744073709551615, 18446744073709551615)",
            "(99999999999999999999999,)",
            "(-3,)",
            "3",
        ] {
            let message = refused(read(&file(1, "'<f8'", false, shape, &[0; 24])));
            assert!(message.contains("x.npy: "), "{shape}: {message}");
        }
        let mut long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
        long.extend([b' '; 100]);
        assert!(refused(read(&long)).contains("claims 4294967295 bytes"));
        let nested = format!("{}1{}", "(".repeat(5000), ",)".repeat(5000));
        refused(read(&file(2, &nested, false, "(1,)", &[])));
        refused(read(&file(2, &"{".repeat(9000), false, "(1,)", &[])));
        refused(read(&file(2, &"-".repeat(9000), false, "(1,)", &[])));
        assert!(refused(read(b"no array at all")).contains("not a .npy file"));
        refused(read(b""));
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = file(1, "'<f4'", true, "(2, 3)", &[7; 24]);
        damage(&bytes, true, |path| read_npy(path));
        let long = [&bytes[..], b"x"].concat();
        assert!(refused(read(&long)).contains("longer than its header says"));
    }

    #[test]
    fn conversions_are_exact_and_complex_is_not_real() {
        let single = AnyArray::F32(array![0.1_f32].into_dyn());
        assert_eq!(single.clone().into_f64().unwrap()[[0]], f64::from(0.1_f32));
        assert_eq!(single.into_c128()[[0]], Complex::new(f64::from(0.1_f32), 0.0));
        let complex = AnyArray::C64(array![Complex::new(1.0_f32, 0.0)].into_dyn());
        assert!(complex.into_f64().unwrap_err().to_string().contains("complex64"));
    }

    #[test]
    fn fortran_layout_is_kept() {
        let (_folder, path) = place("x.npy");
        write_npy(&path, &Array2::<f32>::zeros((3, 4).f())).unwrap();
        let AnyArray::F32(a) = read_npy(&path).unwrap() else { panic!("another type") };
        assert_eq!(a.strides(), [1, 3]);
    }

    #[test]
    fn missing_files_and_folders_are_system_errors() {
        let (folder, path) = place("missing.npy");
        assert!(matches!(read_npy(&path), Err(Error::Io { .. })));
        assert!(matches!(read_npy(folder.path()), Err(Error::Io { .. })));
        assert!(matches!(read_image(folder.path()), Err(Error::Io { .. })));
        assert!(matches!(read_matrix_market::<f64, i32>(folder.path()), Err(Error::Io { .. })));
        assert!(matches!(read_npz::<i32>(&path), Err(Error::Io { .. })));
    }
}

mod image {
    use super::*;

    /// Planes whose values are stored exactly at this depth, with the extremes in them.
    fn picture(colours: usize, alpha: bool, depth: Depth) -> Image {
        let value = |c: usize, (i, j): (usize, usize)| {
            let k = 7 * c + 3 * i + 5 * j;
            match depth {
                Depth::U8 => [0.0, 1.0, 51.0, 128.0, 254.0, 255.0, 77.0][k % 7] / 255.0,
                Depth::U16 => [0.0, 1.0, 256.0, 32_768.0, 65_534.0, 65_535.0, 771.0][k % 7] / 65_535.0,
                Depth::F32 => f64::from([0.1_f32, -2.0, 1e30, 0.5, f32::MIN_POSITIVE, 1.0, 3.25][k % 7]),
                Depth::F64 => [0.1, -2.0, 1e300, 0.5, 5e-324, 1.0, 3.25][k % 7],
            }
        };
        let plane = |c| Array2::from_shape_fn((5, 3), |ij| value(c, ij));
        Image::new((0..colours).map(plane).collect(), alpha.then(|| plane(3)), depth).unwrap()
    }

    const COLOURS: [(usize, bool); 4] = [(1, false), (1, true), (3, false), (3, true)];

    fn can_hold(extension: &str, colours: usize, alpha: bool) -> bool {
        match extension {
            "pgm" => colours == 1 && !alpha,
            "ppm" => colours == 3 && !alpha,
            "jpg" | "jpeg" => !alpha,
            _ => true,
        }
    }

    #[test]
    fn every_depth_and_colour_comes_back_the_same() {
        for &extension in IMAGE_EXTENSIONS {
            let (_folder, path) = place(&format!("x.{extension}"));
            let depths: &[Depth] = match extension {
                "jpg" | "jpeg" => &[],
                "npy" => &[Depth::F32, Depth::F64],
                "tif" | "tiff" => &[Depth::U8, Depth::U16, Depth::F32, Depth::F64],
                _ => &[Depth::U8, Depth::U16],
            };
            for &depth in depths {
                for (colours, alpha) in COLOURS {
                    let image = picture(colours, alpha, depth);
                    if can_hold(extension, colours, alpha) {
                        write_image(&path, &image).unwrap();
                        assert_eq!(read_image(&path).unwrap(), image, "{extension}");
                    } else {
                        refused(write_image(&path, &image));
                    }
                }
            }
        }
    }

    #[test]
    fn jpeg_keeps_size_and_colours_and_about_the_values() {
        let (_folder, path) = place("x.jpg");
        for colours in [1, 3] {
            let plane = |c: usize| Array2::from_shape_fn((40, 24), |(i, j)| (i + j + 10 * c) as f64 / 100.0);
            let image = Image::new((0..colours).map(plane).collect(), None, Depth::U16).unwrap();
            write_image(&path, &image).unwrap();
            let back = read_image(&path).unwrap();
            assert_eq!((back.shape(), back.planes.len(), back.depth), ((40, 24), colours, Depth::U8));
            for (a, b) in back.planes.iter().zip(&image.planes) {
                assert!((a - b).iter().all(|d| d.abs() < 0.03));
            }
        }
        let message = refused(write_image(&path, &picture(3, true, Depth::U8)));
        assert!(message.contains("x.jpg: JPEG has no alpha"), "{message}");
    }

    #[test]
    fn integers_are_clipped_and_rounded_to_even() {
        let (_folder, path) = place("x.png");
        let values = [-0.5, 1.5, 0.5 / 255.0, 1.5 / 255.0, 2.5 / 255.0, 0.999];
        let image = Image::new(vec![Array2::from_shape_vec((1, 6), values.into()).unwrap()], None, Depth::U8);
        write_image(&path, &image.unwrap()).unwrap();
        let stored = read_image(&path).unwrap().planes[0].mapv(|v| v * 255.0);
        assert_eq!(stored, array![[0.0, 255.0, 0.0, 2.0, 2.0, 255.0]]);
    }

    #[test]
    fn floats_become_sixteen_bits_where_the_format_has_integers() {
        for extension in ["png", "pgm", "pam"] {
            let (_folder, path) = place(&format!("x.{extension}"));
            let image = Image::new(vec![array![[0.25, 2.0]]], None, Depth::F64).unwrap();
            write_image(&path, &image).unwrap();
            let back = read_image(&path).unwrap();
            assert_eq!((back.depth, &back.planes[0]), (Depth::U16, &array![[16_384.0 / 65_535.0, 1.0]]));
        }
    }

    #[test]
    fn non_finite_values_are_refused_for_integers_only() {
        for bad in [f64::NAN, f64::INFINITY] {
            let image = Image::new(vec![array![[0.0, bad]]], None, Depth::U8).unwrap();
            for &extension in IMAGE_EXTENSIONS {
                let (_folder, path) = place(&format!("x.{extension}"));
                match write_image(&path, &image) {
                    Ok(()) => assert_eq!(extension, "npy"),
                    Err(Error::NonFinite { index, .. }) => assert_eq!(index, 1),
                    Err(e) => assert_eq!(extension, "ppm", "{e}"),
                }
            }
            let (_folder, path) = place("x.tif");
            write_image(&path, &Image { depth: Depth::F32, ..image }).unwrap();
            assert_eq!(read_image(&path).unwrap().planes[0][[0, 1]].to_string(), bad.to_string());
        }
    }

    #[test]
    fn unknown_formats_list_the_known_ones() {
        let (_folder, path) = place("x.bmp");
        let message = refused(write_image(&path, &picture(1, false, Depth::U8)));
        assert!(
            message.contains("x.bmp: the extension 'bmp' is not one of png, jpg, jpeg, tif"),
            "{message}"
        );
        fs::write(&path, "BM and so on").unwrap();
        assert!(refused(read_image(&path)).contains("which are PNG, JPEG, TIFF, PNM"));
    }

    #[test]
    fn small_and_odd_sources_are_scaled_to_one() {
        let (_folder, path) = place("x");
        fs::write(&path, b"P2\n3 1\n100\n0 50 100\n").unwrap();
        assert_eq!(read_image(&path).unwrap().planes[0][[0, 2]], 1.0);
        fs::write(&path, b"P4\n3 1\n\xa0").unwrap(); // ink is 1: black white black
        assert_eq!(read_image(&path).unwrap().planes[0], array![[0.0, 1.0, 0.0]]);
    }

    #[test]
    fn arrays_as_pictures() {
        let (_folder, path) = place("x.npy");
        write_npy(&path, &ArrayD::<f32>::zeros(IxDyn(&[2, 3, 1]))).unwrap();
        assert_eq!(read_image(&path).unwrap().planes.len(), 1);
        write_npy(&path, &Array2::<f64>::zeros((2, 3).f())).unwrap();
        assert_eq!(read_image(&path).unwrap().shape(), (2, 3));
        for shape in [&[2][..], &[2, 3, 5], &[2, 3, 0], &[0, 3], &[2, 3, 3, 1]] {
            write_npy(&path, &ArrayD::<f64>::zeros(IxDyn(shape))).unwrap();
            refused(read_image(&path));
        }
        write_npy(&path, &array![[Complex::new(0.0, 1.0)]]).unwrap();
        assert!(refused(read_image(&path)).contains("complex128"));
        let mut integers = b"\x93NUMPY\x01\x00\x3a\x00".to_vec();
        integers.extend(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)}\n\x07");
        fs::write(&path, integers).unwrap();
        assert!(refused(read_image(&path)).contains("x / 255.0"));
    }

    #[test]
    fn inconsistent_images_are_refused() {
        let plane = Array2::<f64>::zeros((2, 3));
        assert!(matches!(Image::new(vec![plane.clone(); 2], None, Depth::U8), Err(Error::Value { .. })));
        assert!(matches!(Image::new(vec![], None, Depth::U8), Err(Error::Value { .. })));
        let alpha = Some(Array2::zeros((3, 2)));
        assert!(matches!(Image::new(vec![plane], alpha, Depth::U8), Err(Error::Shape { .. })));
        assert!(matches!(Image::new(vec![Array2::zeros((0, 2))], None, Depth::U8), Err(Error::Empty { .. })));
        let (_folder, path) = place("x.png");
        let broken = Image { planes: vec![], alpha: None, depth: Depth::U8 };
        assert!(write_image(&path, &broken).is_err());
    }

    #[test]
    fn damaged_pictures_do_not_panic() {
        for (extension, depth) in [
            ("png", Depth::U8),
            ("jpg", Depth::U8),
            ("tif", Depth::U16),
            ("tif", Depth::F32),
            ("ppm", Depth::U8),
            ("pam", Depth::U16),
        ] {
            let (_folder, path) = place(&format!("x.{extension}"));
            write_image(&path, &picture(3, false, depth)).unwrap();
            damage(&fs::read(&path).unwrap(), false, |path| read_image(path));
        }
    }

    #[test]
    fn sizes_that_lie_are_refused_before_memory_is_taken() {
        let (_folder, path) = place("x");
        for header in ["P5\n4000000000 1000000000\n255\n", "P6\n65000 65000\n65535\n", "P4\n4294967295 1\n"] {
            fs::write(&path, header).unwrap();
            refused(read_image(&path));
        }
    }
}

mod matrix_market {
    use super::*;

    fn read<T: convmtx::io::Element>(text: impl AsRef<[u8]>) -> Result<CsMatI<T, i32>> {
        let (_folder, path) = place("a.mtx");
        fs::write(&path, text).unwrap();
        read_matrix_market(&path)
    }

    const REAL: &str = "%%MatrixMarket matrix coordinate real general\n";

    #[test]
    fn every_type_comes_back_bit_by_bit() {
        fn check<T: convmtx::io::Element, I: convmtx::io::FileIndex + TryFrom<i32, Error: Debug>>(
            values: [T; 6],
        ) {
            let (_folder, path) = place("a.mtx");
            let indices = [1, 4, 0, 2, 3, 4].map(|i| I::try_from(i).unwrap()).to_vec();
            let indptr = [0, 2, 2, 6].map(|i| I::try_from(i).unwrap()).to_vec();
            let a = CsMatI::<T, I>::new((3, 5), indptr, indices, values.to_vec());
            for a in [a.clone(), a.to_csc()] {
                write_matrix_market(&path, &a).unwrap();
                let back = read_matrix_market::<T, I>(&path).unwrap();
                assert!(back.is_csr());
                // `Debug` tells −0 from 0.
                assert_eq!(format!("{back:?}"), format!("{:?}", a.to_csr()));
            }
        }
        let single = [0.1_f32, -0.0, f32::MAX, f32::MIN_POSITIVE / 8.0, 1.0 / 3.0, 16_777_217.0];
        let double = [0.1_f64, -0.0, f64::MAX, 5e-324, 1.0 / 3.0, 9_007_199_254_740_993.0];
        check::<f32, i32>(single);
        check::<f32, i64>(single);
        check::<f64, i32>(double);
        check::<f64, i64>([f64::INFINITY, f64::NEG_INFINITY, 1e16, 1e-5, 9.999e-6, 123_456.0]);
        check::<Complex<f32>, i32>(single.map(|v| Complex::new(v, -v)));
        check::<Complex<f64>, i64>(double.map(|v| Complex::new(-v, v)));
    }

    #[test]
    fn nan_is_written_and_read() {
        assert!(read::<f64>(format!("{REAL}1 1 1\n1 1 NaN\n")).unwrap().data()[0].is_nan());
    }

    #[test]
    fn symmetries_are_expanded() {
        let body = "2 2 1\n2 1 3\n";
        let dense = |symmetry| {
            read::<f64>(format!("%%MatrixMarket matrix coordinate integer {symmetry}\n{body}"))
                .unwrap()
                .to_dense()
        };
        assert_eq!(dense("general"), array![[0.0, 0.0], [3.0, 0.0]]);
        assert_eq!(dense("symmetric"), array![[0.0, 3.0], [3.0, 0.0]]);
        assert_eq!(dense("skew-symmetric"), array![[0.0, -3.0], [3.0, 0.0]]);
        let text = "%%MatrixMarket matrix coordinate complex hermitian\n2 2 2\n1 1 5 0\n2 1 3 4\n";
        let a = read::<Complex<f64>>(text).unwrap().to_dense();
        assert_eq!(a, array![[5.0.into(), Complex::new(3.0, -4.0)], [Complex::new(3.0, 4.0), 0.0.into()]]);
        let pattern = read::<f32>("%%matrixmarket MATRIX Coordinate pattern general\n1 2 1\n1 2\n").unwrap();
        assert_eq!(pattern.to_dense(), array![[0.0, 1.0]]);
    }

    #[test]
    fn any_order_comments_and_duplicates() {
        let text = format!("{REAL}% note\n\n%\n 2  3\t4 \r\n2 3 1e0\n\n1 1 +2.\n2 1 .5\n2 3 -4E-1\n\n");
        let a = read::<f64>(text).unwrap();
        assert_eq!(a.to_dense(), array![[2.0, 0.0, 0.0], [0.5, 0.0, 1.0 - 0.4]]);
        assert_eq!(a.nnz(), 3);
        assert_eq!(read::<f64>(format!("{REAL}0 0 0\n")).unwrap().shape(), (0, 0));
    }

    #[test]
    fn malformed_files_are_refused_with_line_and_reason() {
        let complex = "%%MatrixMarket matrix coordinate complex general\n";
        let integer = "%%MatrixMarket matrix coordinate integer general\n";
        let skew = "%%MatrixMarket matrix coordinate real skew-symmetric\n";
        let hermitian = "%%MatrixMarket matrix coordinate complex hermitian\n";
        for (text, reason) in [
            (String::new(), "empty"),
            ("hello\n".into(), "not a Matrix Market file"),
            ("%%MatrixMarket matrix array real general\n".into(), "'matrix array'"),
            ("%%MatrixMarket matrix coordinate real\n".into(), "3 words"),
            ("%%MatrixMarket matrix coordinate quaternion general\n".into(), "'quaternion'"),
            ("%%MatrixMarket matrix coordinate real odd\n".into(), "'odd'"),
            (REAL.into(), "sizes is missing"),
            (format!("{REAL}% only comments\n"), "sizes is missing"),
            (format!("{REAL}2 2\n"), "line 2: a number is missing"),
            (format!("{REAL}2 2 1 1\n"), "one word too many"),
            (format!("{REAL}2 -2 1\n"), "'-2' is not a number"),
            (format!("{REAL}2 2 1\n"), "the file ends before"),
            (format!("{REAL}2 2 1\n1 1 1\n1 2 1\n"), "line 4: more than the 1"),
            (format!("{REAL}2 2 1\n0 1 1\n"), "line 3: the row is 0, expected 1 to 2"),
            (format!("{REAL}2 2 1\n1 3 1\n"), "the column is 3"),
            (format!("{REAL}2 2 1\n1 1 x\n"), "'x' is not a number"),
            (format!("{REAL}2 2 1\n1 1 1 1\n"), "one word too many"),
            (format!("{REAL}2 2 99999999999999\n1 1 1\n"), "do not fit into a file"),
            (format!("{REAL}2 2 18446744073709551615\n1 1 1\n"), "do not fit into a file"),
            (format!("{REAL}1000000000 2 1\n1 1 1\n"), "not plausible"),
            (format!("{REAL}2 3000000000 1\n1 1 1\n"), "read it with i64"),
            (format!("{complex}2 2 1\n1 1 1 1\n"), "the matrix is complex"),
            (format!("{integer}2 2 1\n1 1 9007199254740993\n"), "not exact as float64"),
            (format!("{skew}2 2 1\n1 1 1\n"), "diagonal"),
            (format!("{skew}2 3 1\n1 1 1\n"), "square"),
        ] {
            let message = refused(read::<f64>(&text));
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        assert!(refused(read::<Complex<f32>>(format!("{hermitian}1 1 1\n1 1 1 1\n"))).contains("diagonal"));
        assert!(refused(read::<f32>(format!("{integer}1 1 1\n1 1 16777217\n"))).contains("float32"));
        assert!(refused(read::<f64>([REAL.as_bytes(), b"1 1 1\n1 1 \xff\n"].concat())).contains("not text"));
        assert!(refused(read::<f64>(vec![b'%'; 100_000])).contains("longer than"));
        let wide = format!("{REAL}2 3000000000 1\n1 3000000000 1\n");
        let (_folder, path) = place("a.mtx");
        fs::write(&path, wide).unwrap();
        assert_eq!(read_matrix_market::<f32, i64>(&path).unwrap().cols(), 3_000_000_000);
    }

    #[test]
    fn damaged_files_do_not_panic() {
        let text = format!("{REAL}3 4 3\n1 1 1.5\n2 3 -2e-3\n3 4 7\n");
        damage(text.as_bytes(), false, |path| read_matrix_market::<f64, i32>(path));
    }
}

mod npz {
    use super::*;
    use zip::write::SimpleFileOptions;

    /// A `.npy` entry as NumPy writes it.
    fn entry(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{dict:<117}\n").bytes());
        bytes.extend(data);
        bytes
    }

    fn little(values: &[i64]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    /// What `save_npz` writes for [[0, 5], [6, 0]] with one entry replaced.
    fn archive(method: zip::CompressionMethod, replaced: &str, by: Option<Vec<u8>>) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let ones: Vec<u8> = [5.0_f64, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        for (name, bytes) in [
            ("indices.npy", entry("<i8", "(2,)", &little(&[1, 0]))),
            ("indptr.npy", entry("<i8", "(3,)", &little(&[0, 1, 2]))),
            ("format.npy", entry("|S3", "()", b"csr")),
            ("shape.npy", entry("<i8", "(2,)", &little(&[2, 2]))),
            ("data.npy", entry("<f8", "(2,)", &ones)),
        ] {
            let bytes = if name == replaced { by.clone() } else { Some(bytes) };
            if let Some(bytes) = bytes {
                zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
                zip.write_all(&bytes).unwrap();
            }
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<AnySparse<i32>> {
        let (_folder, path) = place("a.npz");
        fs::write(&path, bytes).unwrap();
        read_npz(&path)
    }

    #[test]
    fn every_type_and_storage_comes_back() {
        let (_folder, path) = place("a.npz");
        let a = CsMatI::<f64, i32>::new((2, 3), vec![0, 1, 3], vec![2, 0, 1], vec![0.1, -0.0, f64::MAX]);
        for a in [a.clone(), a.to_csc()] {
            write_npz(&path, &a).unwrap();
            assert_eq!(read_npz::<i32>(&path).unwrap(), AnySparse::F64(a.clone()));
            assert_eq!(read_npz::<i64>(&path).unwrap().storage(), a.storage());
            let single = a.map(|&v| v as f32);
            write_npz(&path, &single).unwrap();
            assert_eq!(read_npz::<i32>(&path).unwrap(), AnySparse::F32(single));
            let complex = a.map(|&v| Complex::new(v, 1.0));
            write_npz(&path, &complex).unwrap();
            assert_eq!(read_npz::<i32>(&path).unwrap(), AnySparse::C128(complex));
            let complex = a.map(|&v| Complex::new(v as f32, -1.0));
            write_npz(&path, &complex).unwrap();
            let back = read_npz::<i32>(&path).unwrap();
            assert_eq!((back.dtype(), back.shape(), back.nnz()), ("complex64", (2, 3), 3));
            assert_eq!(back, AnySparse::C64(complex));
        }
        let wide = CsMatI::<f32, i64>::new((2, 1 << 40), vec![0, 0, 1], vec![(1 << 40) - 1], vec![1.0]);
        write_npz(&path, &wide).unwrap();
        assert_eq!(read_npz::<i64>(&path).unwrap(), AnySparse::F32(wide));
        assert!(refused(read_npz::<i32>(&path)).contains("read it with i64 indices"));
        let empty = CsMatI::<f32, i64>::zero((0, 0));
        write_npz(&path, &empty).unwrap();
        assert_eq!(read_npz::<i64>(&path).unwrap(), AnySparse::F32(empty));
    }

    #[test]
    fn stored_and_deflated_are_read_and_damage_is_refused() {
        let a = CsMatI::<f64, i32>::new((2, 2), vec![0, 1, 2], vec![1, 0], vec![5.0, 6.0]);
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let bytes = archive(method, "", None);
            assert_eq!(read(&bytes).unwrap(), AnySparse::F64(a.clone()));
            damage(&bytes, true, |path| read_npz::<i32>(path));
        }
    }

    #[test]
    fn each_broken_entry_is_refused_by_name() {
        let broken: [(&str, Option<Vec<u8>>, &str); 14] = [
            ("format.npy", None, "format.npy: missing"),
            ("format.npy", Some(entry("|S3", "()", b"coo")), "the format is 'coo', expected csr or csc"),
            ("format.npy", Some(b"csr".into()), "format.npy: not a .npy file"),
            ("shape.npy", Some(entry("<i8", "(3,)", &little(&[2, 2, 2]))), "two dimensions, not 3"),
            ("shape.npy", Some(entry("<i8", "(2,)", &little(&[-2, 2]))), "negative"),
            ("shape.npy", Some(entry("<f8", "(2,)", &[0; 16])), "expected int32 or int64"),
            ("shape.npy", Some(entry("<i8", "(2,)", &little(&[i64::MAX, 2]))), "indices"),
            ("indptr.npy", Some(entry("<i8", "(3,)", &little(&[0, 2, 1]))), "ascend"),
            ("indptr.npy", Some(entry("<i8", "(3,)", &little(&[0, 1, 3]))), "ascend"),
            ("indices.npy", Some(entry("<i8", "(2,)", &little(&[0, 2]))), "outside 0..2"),
            ("indices.npy", Some(entry("<i8", "(2,)", &little(&[0, -1]))), "-1 is not an index"),
            ("indices.npy", Some(entry("<i8", "(1, 2)", &little(&[0, 1]))), "one dimension"),
            ("data.npy", Some(entry("<f8", "(2, 1)", &[0; 16])), "one dimension"),
            ("data.npy", Some(entry("|O", "(2,)", &[0; 16])), "data.npy: the dtype"),
        ];
        for (name, by, reason) in broken {
            let message = refused(read(&archive(zip::CompressionMethod::Stored, name, by)));
            assert!(message.contains(reason), "{name}: {message}");
        }
        let text = entry("<U3", "()", b"c\0\0\0s\0\0\0r\0\0\0");
        assert!(read(&archive(zip::CompressionMethod::Deflated, "format.npy", Some(text))).is_ok());
        let integers = entry("|i1", "(2,)", &[1, 2]);
        let back = read(&archive(zip::CompressionMethod::Deflated, "data.npy", Some(integers))).unwrap();
        assert_eq!(back.dtype(), "float64");
    }
}

/// Beginnings that lead random bytes past the first check.
const STARTS: [&[u8]; 13] = [
    b"",
    b"\x93NUMPY\x01\x00",
    b"\x93NUMPY\x01\x00\x3a\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"%%MatrixMarket matrix coordinate real general\n",
    b"%%MatrixMarket matrix coordinate real general\n3 3 2\n1 ",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"P5\n",
    b"P7\nWIDTH 2\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(
        start in 0..STARTS.len(),
        tail in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            proptest::collection::vec(prop_oneof![0x20_u8..0x7f, Just(b'\n'), b'0'..=b'9'], 0..300),
        ],
    ) {
        let (_folder, path) = place("bytes");
        fs::write(&path, [STARTS[start], &tail].concat()).unwrap();
        let _ = read_npy(&path);
        let _ = read_image(&path);
        let _ = read_npz::<i64>(&path);
        let _ = read_matrix_market::<f32, i32>(&path);
        let _ = read_matrix_market::<Complex<f64>, i64>(&path);
    }

    #[test]
    fn every_number_survives_matrix_market(bits in any::<u64>(), single in any::<u32>()) {
        let (_folder, path) = place("a.mtx");
        let value = f64::from_bits(bits);
        write_matrix_market(&path, &CsMatI::<f64, i32>::new((1, 1), vec![0, 1], vec![0], vec![value])).unwrap();
        let back = read_matrix_market::<f64, i32>(&path).unwrap().data()[0];
        prop_assert!(back.to_bits() == bits || value.is_nan() && back.is_nan());

        let value = f32::from_bits(single);
        write_matrix_market(&path, &CsMatI::<f32, i32>::new((1, 1), vec![0, 1], vec![0], vec![value])).unwrap();
        let back = read_matrix_market::<f32, i32>(&path).unwrap().data()[0];
        prop_assert!(back.to_bits() == single || value.is_nan() && back.is_nan());
    }
}
