//! Matrices so large that they are built in several parts, by blocks and from shared lines; and their update in place.

use crate::common::naive;
use crate::common::setting::Setting;
use crate::common::*;
use convmtx::memory::Index;
use convmtx::{
    Conv, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Error, FilterBank, Geometry, RowwiseConv, Scalar,
};
use ndarray::{Array, Array2, Array3};
use proptest::prelude::*;
use sprs::CsMatI;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

fn bits<I: Index>(a: &CsMatI<f64, I>) -> (Vec<I>, Vec<I>, Vec<u64>) {
    let values = a.data().iter().map(|v| v.to_bits()).collect();
    (a.indptr().raw_storage().to_vec(), a.indices().to_vec(), values)
}

fn geometry<T: Scalar>(mode: ConvMode, word: &str, stride: usize, dilation: usize) -> Geometry<T, 1> {
    Geometry::from(mode).boundary(boundary(word)).stride(stride).dilation(dilation)
}

#[test]
fn long_signals_are_the_definition() {
    for (n, taps, stride, dilation) in
        [(2500, 31, 1, 1), (2500, 31, 3, 2), (1400, 60, 2, 3), (70, 1500, 1, 1)]
    {
        for (word, mode) in BOUNDARIES.into_iter().zip(MODES.into_iter().cycle()) {
            let setting =
                Setting { mode, convention: Convention::Matlab, n, taps, stride, dilation, boundary: word };
            let kernel = integers::<f64>(taps, n);
            let conv = Conv1d::new(&kernel, n, geometry(mode, word, stride, dilation)).unwrap();
            let expected = dense(&naive::matrix(&[setting.axis()], &kernel), n);
            assert_eq!(dense_of_csr(&conv.to_csr().unwrap()), expected, "{setting:?}");
            assert_eq!(dense_of_csr(&conv.to_csr_transpose().unwrap()), expected.transpose(), "{setting:?}");
        }
    }
}

#[test]
fn images_are_the_definition() {
    let (size, taps) = ([30, 50], [9, 8]);
    let kernel = integers::<f64>(taps[0] * taps[1], 3);
    let view = Array2::from_shape_vec(taps, kernel.clone()).unwrap();
    for (words, stride) in
        [(["zero", "zero"], [1, 1]), (["symmetric", "zero"], [2, 3]), (["periodic", "reflect"], [1, 1])]
    {
        for mode in MODES {
            let of_axis = |a: usize| Setting {
                mode,
                convention: Convention::Matlab,
                n: size[a],
                taps: taps[a],
                stride: stride[a],
                dilation: 1,
                boundary: words[a],
            };
            let geometry: Geometry<f64, 2> =
                Geometry::from(mode).boundaries(words.map(boundary)).strides(stride);
            let conv = Conv2d::new(view.view(), size, geometry).unwrap();
            let expected = dense(&naive::matrix(&[of_axis(0).axis(), of_axis(1).axis()], &kernel), 1500);
            assert_eq!(dense_of_csr(&conv.to_csr().unwrap()), expected, "{words:?} {mode:?}");
            assert_eq!(
                dense_of_csr(&conv.to_csr_transpose().unwrap()),
                expected.transpose(),
                "{words:?} {mode:?}"
            );
        }
    }
}

/// What must hold of two descriptions of one geometry.
macro_rules! check_update {
    ($old:expr, $new:expr) => {{
        let (old, new) = (&$old, &$new);
        let mut matrix = old.to_csr_keeping_zeros().unwrap();
        new.update_csr(&mut matrix).unwrap();
        assert_eq!(bits(&matrix), bits(&new.to_csr_keeping_zeros().unwrap()), "{new:?}");
        let mut wide = old.to_csr_keeping_zeros_wide().unwrap();
        new.update_csr(&mut wide).unwrap();
        assert_eq!(bits(&wide), bits(&new.to_csr_keeping_zeros_wide().unwrap()), "{new:?}");
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn updating_a_line_is_building_it(
        n in 1_usize..400, taps in 1_usize..40, stride in 1_usize..4, dilation in 1_usize..4,
        word in 0_usize..6, mode in 0_usize..3, seed in 0_usize..1000,
    ) {
        let make = |seed| {
            let geometry = geometry(MODES[mode], BOUNDARIES[word], stride, dilation);
            Conv1d::new(&integers::<f64>(taps, seed), n, geometry).unwrap()
        };
        check_update!(make(seed), make(seed + 1));
    }

    #[test]
    fn updating_an_image_is_building_it(
        size in [1_usize..40, 1_usize..40], taps in [1_usize..7, 1_usize..7], stride in [1_usize..3, 1_usize..3],
        word in [0_usize..6, 0_usize..6], mode in 0_usize..3, seed in 0_usize..1000,
    ) {
        let make = |seed| {
            let kernel = Array2::from_shape_vec(taps, integers::<f64>(taps[0] * taps[1], seed)).unwrap();
            let geometry: Geometry<f64, 2> =
                Geometry::from(MODES[mode]).boundaries(word.map(|w| boundary(BOUNDARIES[w]))).strides(stride);
            Conv2d::new(kernel.view(), size, geometry).unwrap()
        };
        check_update!(make(seed), make(seed + 1));
    }
}

#[test]
fn updating_every_description_is_building_it() {
    let values = |len, seed| integers::<f64>(len, seed);
    let line = |seed| Conv1d::new(&values(31, seed), 100_000, ConvMode::Same).unwrap();
    check_update!(line(1), line(2));
    let volume = |seed| {
        let kernel = Array3::from_shape_vec([3, 2, 4], values(24, seed)).unwrap();
        Conv3d::new(kernel.view(), [12, 17, 19], ConvMode::Same).unwrap()
    };
    check_update!(volume(1), volume(2));
    let bank = |seed| {
        let kernels = Array::from_shape_vec([7, 3, 3], values(63, seed)).unwrap();
        FilterBank::new(kernels.view().into_dyn(), [30, 40], ConvMode::Valid).unwrap()
    };
    check_update!(bank(1), bank(2));
    let rows = |seed| {
        let kernels = Array2::from_shape_vec([50, 5], values(250, seed)).unwrap();
        RowwiseConv::new(kernels.view(), (50, 300), ConvMode::Full).unwrap()
    };
    check_update!(rows(1), rows(2));
    let of_kernel = |seed| line(1).kernel_operator(&values(100_000, seed)).unwrap();
    check_update!(of_kernel(1), of_kernel(2));
}

fn refusal<const D: usize>(conv: &Conv<f64, D>, matrix: &mut CsMatI<f64, i32>) -> Error {
    let before = bits(matrix);
    let error = conv.update_csr(matrix).unwrap_err();
    assert_eq!(bits(matrix), before, "a refused matrix is untouched");
    error
}

#[test]
fn another_pattern_is_refused_and_left_alone() {
    let taps = [1.0, 2.0, 3.0, 4.0, 5.0];
    let conv = Conv1d::new(&taps, 5000, ConvMode::Same).unwrap();
    let words = |e: Error| e.to_string();

    let mut short = Conv1d::new(&taps, 4999, ConvMode::Same).unwrap().to_csr().unwrap();
    assert_eq!(words(refusal(&conv, &mut short)), "the matrix has shape [4999, 4999], expected [5000, 5000]");

    let mut holes = Conv1d::new(&[1.0, 0.0, 3.0, 4.0, 5.0], 5000, ConvMode::Same).unwrap().to_csr().unwrap();
    assert_eq!(
        words(refusal(&conv, &mut holes)),
        "the pattern of the matrix is 2 entries in row 0, expected 3; build the matrix with to_csr_keeping_zeros"
    );

    // As many entries in every row, in other columns.
    let periodic = |offset| {
        let geometry = Geometry::window([offset], [5000]).boundary(boundary("periodic"));
        Conv1d::new(&taps, 5000, geometry).unwrap()
    };
    let mut shifted = periodic(3).to_csr().unwrap();
    assert_eq!(
        words(refusal(&periodic(4), &mut shifted)),
        "the pattern of the matrix is column 4999 at entry 4 of row 0, expected 4; build the matrix with to_csr_keeping_zeros"
    );

    let mut columns = conv.to_csc().unwrap();
    assert!(words(refusal(&conv, &mut columns)).contains("convert it with to_csr()"));
}
