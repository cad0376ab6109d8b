//! Mistakes are typed errors with numbers in them, raised before any work; and what is no mistake is not refused.

use crate::common::{BOUNDARIES, boundary, dense_of_csr, dense_of_operator, integers};
use convmtx::csr::CsrOperator;
use convmtx::op::{Apply, BatchOperator};
use convmtx::{
    Boundary, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Error, FilterBank, Geometry, RowwiseConv,
    Summation,
};
use nalgebra::DMatrix;
use ndarray::{Array2, Array3, ArrayD, IxDyn};
use std::sync::mpsc;
use std::time::Duration;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

/// The error of a call that must fail at once, not after hours of work.
fn promptly<T: Send + 'static>(call: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Error {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(call().err()));
    let answer = receiver.recv_timeout(Duration::from_secs(5));
    answer.expect("an answer within seconds, and no panic").expect("an error")
}

fn error<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

#[test]
fn empty_kernels_and_signals() {
    for mode in MODES {
        for convention in [Convention::Matlab, Convention::Scipy, Convention::Numpy] {
            let geometry = || Geometry::from(mode).convention(convention);
            let got = error(Conv1d::<f64>::new(&[], 4, geometry()));
            assert_eq!(got.to_string(), "the kernel is empty, expected at least one element");
            assert!(matches!(got, Error::Empty { what: "the kernel" }));
            let got = error(Conv1d::new(&[1.0], 0, geometry()));
            assert!(matches!(got, Error::Empty { what: "the signal" }), "{got}");
            let got = error(Conv1d::<f64>::new(&[], 0, geometry()));
            assert!(matches!(got, Error::Empty { .. }), "{got}");
        }
        for (kernel, signal) in [([0, 2], [3, 3]), ([2, 0], [3, 3]), ([2, 2], [0, 3]), ([2, 2], [3, 0])] {
            let got = error(Conv2d::new(&Array2::<f64>::zeros(kernel), signal, mode));
            assert!(matches!(got, Error::Empty { .. }), "{got}");
        }
        let got = error(Conv3d::new(&Array3::<f64>::zeros([1, 0, 1]), [2, 2, 2], mode));
        assert!(matches!(got, Error::Empty { what: "the kernel" }), "{got}");
    }
    assert!(matches!(error(convmtx::convmtx::<f64>(&[], 3)), Error::Empty { .. }));
    assert!(matches!(error(convmtx::convmtx(&[1.0], 0)), Error::Empty { .. }));
    assert!(matches!(error(convmtx::convmtx_row(&[1.0], 0)), Error::Empty { .. }));
    let kernel = Array2::<f64>::ones((2, 2));
    assert!(matches!(error(convmtx::convmtx2(&kernel, 0, 3)), Error::Empty { .. }));
    assert!(matches!(error(convmtx::convmtx2(&kernel, 3, 0)), Error::Empty { .. }));
}

#[test]
fn steps_of_zero() {
    for mode in MODES {
        let got = error(Conv1d::new(&[1.0], 4, Geometry::from(mode).stride(0)));
        assert_eq!(got.to_string(), "stride is 0, expected at least 1");
        assert!(matches!(got, Error::Value { what: "stride", .. }));
        let got = error(Conv1d::new(&[1.0], 4, Geometry::from(mode).dilation(0)));
        assert!(matches!(got, Error::Value { what: "dilation", .. }), "{got}");
        let kernel = Array2::<f64>::ones((2, 2));
        let got = error(Conv2d::new(&kernel, [4, 4], Geometry::from(mode).strides([1, 0])));
        assert!(matches!(got, Error::Value { what: "stride", .. }), "{got}");
    }
    let got = error(Conv1d::new(&[1.0], 4, Geometry::window([0], [4]).dilation(0)));
    assert!(matches!(got, Error::Value { what: "dilation", .. }), "{got}");
}

#[test]
fn sizes_beyond_what_indices_can_count() {
    for n in [usize::MAX, 1 << 62, (1 << 61) + 1] {
        for mode in MODES {
            let got = error(Conv1d::new(&[1.0, 2.0], n, mode));
            assert!(matches!(got, Error::Overflow { .. }), "{got}");
            assert!(got.to_string().contains("overflows"), "{got}");
        }
    }
    let taps = [1.0, 2.0];
    for geometry in [
        Geometry::full().dilation(usize::MAX),
        Geometry::full().stride(usize::MAX),
        Geometry::window([i64::MIN], [4]),
        Geometry::window([i64::MAX], [4]),
        Geometry::window([0], [usize::MAX]),
        Geometry::window([0], [1 << 40]).stride(1 << 40),
    ] {
        let got = error(Conv1d::new(&taps, 4, geometry));
        assert!(matches!(got, Error::Overflow { .. }), "{got}");
    }
    // Each axis may be long, their product may not.
    let kernel = Array2::<f64>::ones((1, 1));
    for shape in [[1 << 40, 1 << 40], [1 << 32, 1 << 31]] {
        for mode in MODES {
            let got = error(Conv2d::new(&kernel, shape, mode));
            assert!(matches!(got, Error::Overflow { .. }), "{got}");
        }
    }
    let kernel = Array3::<f64>::ones((1, 1, 1));
    let got = error(Conv3d::new(&kernel, [1 << 30, 1 << 30, 1 << 30], ConvMode::Full));
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
    assert!(matches!(error(convmtx::convmtx(&taps, usize::MAX)), Error::Overflow { .. }));
}

#[test]
fn the_largest_sizes_are_described_without_overflow() {
    for n in [1 << 60, (1 << 61) - 8] {
        for mode in MODES {
            let conv = Conv1d::new(&[1.0, 2.0, 3.0], n, mode).unwrap();
            let rows = [n + 2, n, n - 2][MODES.iter().position(|&m| m == mode).unwrap()];
            assert_eq!(conv.shape(), (rows, n));
            assert!(conv.to_direct().is_ok());
        }
    }
}

#[test]
fn a_matrix_too_large_for_32_bit_indices_names_the_wide_one() {
    let huge = || Conv1d::new(&[1.0, 2.0], 3_000_000_000, ConvMode::Same).unwrap();
    type Build = fn(&Conv1d<f64>) -> Result<(), Error>;
    let builders: [Build; 5] = [
        |c| c.to_csr().map(drop),
        |c| c.to_csr_keeping_zeros().map(drop),
        |c| c.to_csc().map(drop),
        |c| c.to_csr_transpose().map(drop),
        |c| c.to_csr_adjoint().map(drop),
    ];
    for build in builders {
        let got = promptly(move || build(&huge()));
        assert!(matches!(got, Error::Overflow { hint, .. } if hint.contains("to_csr_wide")), "{got}");
        assert!(got.to_string().contains("3000000000 rows, 3000000000 columns"), "{got}");
        assert!(got.to_string().contains("32-bit"), "{got}");
    }
    let got = promptly(|| convmtx::convmtx(&[1.0], 3_000_000_000));
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
    let rows = || RowwiseConv::new(Array2::<f64>::ones((1, 2)).view(), (1 << 30, 5), ConvMode::Same).unwrap();
    let got = promptly(move || rows().to_csr());
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
}

/// 10¹³ rows: 80 TB for the row pointers, 480 TB for the rows of three taps inside.
const TOO_LARGE: usize = 10_000_000_000_000;

#[test]
fn a_matrix_larger_than_memory_is_refused_with_the_number_of_bytes() {
    let huge = |mode| Conv1d::new(&[1.0, 2.0, 1.0], TOO_LARGE, mode).unwrap();
    let got = promptly(move || huge(ConvMode::Same).to_csr_wide());
    assert!(matches!(got, Error::Memory { what: "the matrix", needed: 559_999_999_999_912, .. }), "{got}");
    assert!(got.to_string().contains("the matrix needs 559999999999912 bytes, available are"), "{got}");
    let got = promptly(move || Conv1d::new(&[1.0], 1 << 30, ConvMode::Same).unwrap().to_dense());
    assert!(matches!(got, Error::Memory { what: "the dense matrix", .. }), "{got}");
    assert!(got.to_string().contains("needs 9223372036854775808 bytes"), "{got}");
    let got = promptly(move || huge(ConvMode::Same).to_dense());
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
}

#[test]
fn a_normal_matrix_larger_than_memory_is_refused() {
    for n in [1 << 60, (1 << 61) - 8] {
        let got = promptly(move || Conv1d::new(&[1.0, 2.0], n, ConvMode::Same).unwrap().to_normal());
        assert!(matches!(got, Error::Overflow { .. } | Error::Memory { .. }), "{got}");
    }
    let got = promptly(|| Conv1d::new(&[1.0, 2.0], 3_000_000_000, ConvMode::Same).unwrap().to_normal());
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
}

#[test]
fn band_storage_larger_than_memory_is_refused_before_the_rows_are_walked() {
    let huge = || Conv1d::new(&[1.0, 2.0, 1.0], TOO_LARGE, ConvMode::Same).unwrap();
    for got in [
        promptly(move || huge().to_banded()),
        promptly(move || huge().to_banded_with_fill()),
        promptly(move || huge().to_diagonals()),
    ] {
        assert!(matches!(got, Error::Memory { .. }), "{got}");
    }
}

#[test]
fn results_larger_than_memory_are_refused() {
    // One sample, ten trillion outputs.
    let far = |b| Conv1d::new(&[1.0, 2.0], 1, Geometry::window([0], [TOO_LARGE]).boundary(b)).unwrap();
    for b in [Boundary::Zero, Boundary::Constant(3.0)] {
        let got = promptly(move || far(b).apply(&[1.0]));
        assert!(matches!(got, Error::Memory { needed: 80_000_000_000_000, .. }), "{got}");
    }
    // A boundary that so many outputs touch has a table as long.
    let got = promptly(move || far(Boundary::Replicate).apply(&[1.0]));
    assert!(matches!(got, Error::Memory { what: "the table of the boundary", .. }), "{got}");
    let got = promptly(move || far(Boundary::Replicate).kernel_operator(&[1.0]));
    assert!(matches!(got, Error::Memory { what: "the extended signal", .. }), "{got}");
    let got =
        promptly(move || Conv1d::new(&[1.0], TOO_LARGE, ConvMode::Same)?.to_direct()?.apply_adjoint(&[1.0]));
    assert!(matches!(got, Error::Memory { .. } | Error::Length { .. }), "{got}");
}

#[test]
fn a_boundary_that_reaches_too_far_is_refused() {
    let reach = |dilation| {
        let geometry = Geometry::same().dilation(dilation).boundary(Boundary::Symmetric);
        Conv1d::new(&[1.0, 2.0], 5, geometry)
    };
    assert!(reach(1000).unwrap().to_direct().is_ok());
    let got = promptly(move || reach(1 << 59)?.to_direct());
    assert!(matches!(got, Error::Memory { .. } | Error::Overflow { .. }), "{got}");
}

fn is_length(got: &Error, name: &str, wanted: usize, had: usize) {
    let right = matches!(got, Error::Length { what, expected, got } if (*what, *expected, *got) == (name, wanted, had));
    assert!(right, "{got}");
    assert_eq!(got.to_string(), format!("{name} has length {had}, expected {wanted}"));
}

fn is_shape(got: &Error, name: &str, wanted: [usize; 2], had: [usize; 2]) {
    let right = matches!(got, Error::Shape { what, expected, got }
        if *what == name && expected[..] == wanted && got[..] == had);
    assert!(right, "{got}");
}

/// `a` is 6×4.
fn wrong_lengths(a: &dyn BatchOperator<f64>) {
    let (x, y) = ([1.0; 4], [1.0; 6]);
    for wrong in [0, 3, 5, 6] {
        is_length(&error(a.apply(&vec![1.0; wrong])), "x", 4, wrong);
        is_length(&error(a.apply_into(&vec![1.0; wrong], &mut [0.0; 6])), "x", 4, wrong);
        is_length(&error(a.apply_adjoint_into(&y, &mut vec![0.0; wrong])), "x", 4, wrong);
        let batch = Array2::zeros((wrong, 2));
        is_shape(&error(a.apply_batch(batch.view())), "X", [4, 2], [wrong, 2]);
    }
    for wrong in [0, 4, 5, 7] {
        is_length(&error(a.apply_adjoint(&vec![1.0; wrong])), "y", 6, wrong);
        is_length(&error(a.apply_into(&x, &mut vec![0.0; wrong])), "y", 6, wrong);
        is_length(&error(a.apply_adjoint_into(&vec![1.0; wrong], &mut [0.0; 4])), "y", 6, wrong);
        let batch = Array2::zeros((wrong, 2));
        is_shape(&error(a.apply_adjoint_batch(batch.view())), "Y", [6, 2], [wrong, 2]);
    }
    // As many results as signals.
    let (mut three, two) = (Array2::from_elem((6, 3), 7.0), Array2::ones((4, 2)));
    is_shape(&error(a.apply_batch_into(two.view(), three.view_mut())), "Y", [6, 2], [6, 3]);
    is_shape(&error(a.apply_batch_into(two.t(), three.view_mut())), "X", [4, 4], [2, 4]);
    assert_eq!(three, Array2::from_elem((6, 3), 7.0), "nothing is written before the check");
    let mut back = Array2::zeros((4, 2));
    is_shape(&error(a.apply_adjoint_batch_into(three.view(), back.view_mut())), "X", [4, 3], [4, 2]);
}

#[test]
fn wrong_lengths_are_named() {
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 4, ConvMode::Full).unwrap();
    wrong_lengths(&conv.to_direct().unwrap());
    wrong_lengths(&conv.to_direct().unwrap().with_summation(Summation::Ascending));
    wrong_lengths(&CsrOperator::new(conv.to_csr().unwrap()).unwrap());
    wrong_lengths(&CsrOperator::new(conv.to_csr_wide().unwrap()).unwrap());
    is_length(&error(conv.apply(&[1.0; 5])), "x", 4, 5);
    is_length(&error(conv.kernel_operator(&[1.0; 5])), "x", 4, 5);
    is_length(&error(conv.kernel_operator(&[1.0; 4]).unwrap().apply(&[1.0; 4])), "x", 3, 4);
    is_length(&error(conv.adjoint_kernel(&[1.0; 6], &[1.0; 4])), "x", 4, 6);
    is_length(&error(conv.adjoint_kernel(&[1.0; 4], &[1.0; 5])), "y", 6, 5);
    let kernels = ArrayD::<f64>::ones(IxDyn(&[2, 3]));
    let bank = FilterBank::new(kernels.view(), [4], ConvMode::Full).unwrap();
    is_length(&error(bank.apply(&[1.0; 3])), "x", 4, 3);
    is_length(&error(bank.kernel_operator(&[1.0; 8])), "x", 4, 8);
    is_length(&error(bank.adjoint_kernel(&[1.0; 4], &[1.0; 6])), "y", 12, 6);
    let rows = RowwiseConv::new(Array2::<f64>::ones((2, 3)).view(), (2, 4), ConvMode::Full).unwrap();
    is_length(&error(rows.apply(&[1.0; 4])), "x", 8, 4);
    is_length(&error(rows.kernel_operator(&[1.0; 4])), "x", 8, 4);
    // With a constant beyond the ends, too.
    let geometry = Geometry::full().boundary(Boundary::Constant(1.0));
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 4, geometry).unwrap();
    is_length(&error(conv.apply(&[1.0; 5])), "x", 4, 5);
    is_length(&error(conv.kernel_operator(&[1.0; 5])), "x", 4, 5);
}

#[test]
fn compressed_columns_are_no_operator() {
    let columns = Conv1d::new(&[1.0, 2.0], 4, ConvMode::Full).unwrap().to_csc().unwrap();
    let got = error(CsrOperator::new(columns));
    assert!(matches!(got, Error::Unsupported { .. }), "{got}");
    assert!(got.to_string().contains("to_csr()"), "{got}");
}

#[test]
fn valid_of_scipy_cannot_swap_what_fits_neither_way() {
    for convention in [Convention::Scipy, Convention::Numpy] {
        let build = |kernel: [usize; 2], signal| {
            let geometry = Geometry::valid().convention(convention);
            Conv2d::new(&Array2::<f64>::ones(kernel), signal, geometry)
        };
        for (kernel, signal) in [([4, 2], [3, 5]), ([2, 5], [3, 3]), ([1, 4], [2, 3])] {
            let got = error(build(kernel, signal));
            assert!(matches!(got, Error::Unsupported { what: "SciPy's valid convolution", .. }), "{got}");
        }
        // Either fits into the other, or they are equal along an axis.
        assert_eq!(build([4, 6], [3, 5]).unwrap().output_shape(), [2, 2]);
        assert_eq!(build([2, 2], [3, 5]).unwrap().output_shape(), [2, 4]);
        assert_eq!(build([4, 5], [3, 5]).unwrap().output_shape(), [2, 1]);
        assert_eq!(build([2, 5], [3, 5]).unwrap().output_shape(), [2, 1]);
    }
    // MATLAB's is empty, and so is a mixed one.
    let kernel = Array2::<f64>::ones((4, 2));
    assert_eq!(Conv2d::new(&kernel, [3, 5], ConvMode::Valid).unwrap().output_shape(), [0, 4]);
}

/// Every operation on a description without outputs works, and gives nothing, or zeros.
macro_rules! check_empty {
    ($description:expr, $cols:expr, $taps:expr) => {{
        let (d, n, taps): (_, usize, usize) = (&$description, $cols, $taps);
        assert_eq!(d.shape(), (0, n));
        let x = integers::<f64>(n, 1);
        assert_eq!(d.apply(&x).unwrap(), [0.0; 0]);
        let nothing = DMatrix::<f64>::zeros(0, n);
        assert_eq!(dense_of_csr(&d.to_csr().unwrap()), nothing);
        assert_eq!(dense_of_csr(&d.to_csr_wide().unwrap()), nothing);
        assert_eq!(d.to_csr_keeping_zeros().unwrap().shape(), (0, n));
        assert_eq!(d.to_csc().unwrap().shape(), (0, n));
        assert_eq!(dense_of_csr(&d.to_csr_transpose().unwrap()), nothing.transpose());
        assert_eq!(dense_of_csr(&d.to_csr_adjoint().unwrap()), nothing.transpose());
        assert_eq!(d.to_dense().unwrap(), nothing);
        let normal = d.to_normal().unwrap();
        assert_eq!((normal.shape(), normal.nnz()), ((n, n), 0));
        let direct = d.to_direct().unwrap();
        check_empty_operator(&direct, n);
        check_empty_operator(&d.to_direct().unwrap().with_summation(Summation::Ascending), n);
        check_empty_operator(&CsrOperator::new(d.to_csr().unwrap()).unwrap(), n);
        assert_eq!(dense_of_operator(&direct), (nothing.clone(), nothing.transpose()));
        let by_kernel = d.kernel_operator(&x).unwrap();
        assert_eq!(by_kernel.shape(), (0, taps));
        assert_eq!(by_kernel.to_csr().unwrap().shape(), (0, taps));
        assert_eq!(by_kernel.apply(&vec![1.0; taps]).unwrap(), [0.0; 0]);
        check_empty_operator(&by_kernel.to_direct().unwrap(), taps);
    }};
}

fn check_empty_operator(a: &dyn BatchOperator<f64>, n: usize) {
    assert_eq!(a.shape(), (0, n));
    assert_eq!(a.apply(&vec![1.0; n]).unwrap(), [0.0; 0]);
    let mut x = vec![f64::NAN; n];
    a.apply_adjoint_into(&[], &mut x).unwrap();
    assert_eq!(x, vec![0.0; n]);
    for columns in 0..4 {
        let batch = Array2::<f64>::ones((n, columns));
        assert_eq!(a.apply_batch(batch.view()).unwrap().dim(), (0, columns));
        let by_columns = Array2::<f64>::ones((columns, n)).reversed_axes();
        assert_eq!(a.apply_batch(by_columns.view()).unwrap().dim(), (0, columns));
        let nothing = Array2::<f64>::zeros((0, columns));
        let mut back = Array2::from_elem((n, columns), f64::NAN);
        a.apply_adjoint_batch_into(nothing.view(), back.view_mut()).unwrap();
        assert_eq!(back, Array2::<f64>::zeros((n, columns)));
        let mut back = Array2::from_elem((columns, n), f64::NAN).reversed_axes();
        a.apply_adjoint_batch_into(nothing.view(), back.view_mut()).unwrap();
        assert_eq!(back, Array2::<f64>::zeros((n, columns)));
    }
}

#[test]
fn valid_with_a_longer_kernel_is_empty_and_every_operation_works_on_it() {
    for word in BOUNDARIES {
        for (n, k, stride, dilation) in [(3, 5, 1, 1), (1, 2, 1, 1), (4, 3, 1, 2), (3, 5, 2, 1), (2, 9, 3, 2)]
        {
            let geometry = Geometry::valid().boundary(boundary(word)).stride(stride).dilation(dilation);
            let kernel = integers::<f64>(k, 3);
            for geometry in [geometry, geometry.correlate()] {
                let conv = Conv1d::new(&kernel, n, geometry).unwrap();
                check_empty!(conv, n, k);
                assert_eq!(conv.output_shape(), [0]);
                assert_eq!(conv.adjoint_kernel(&vec![1.0; n], &[]).unwrap(), vec![0.0; k]);
                if stride == 1 && word != "periodic" {
                    let band = conv.to_banded().unwrap();
                    assert_eq!((band.rows, band.cols, band.lead), (0, n, 0));
                    assert!(band.data.iter().all(|&v| v == 0.0));
                    assert_eq!(band.data.len(), band.ldab() * n);
                    assert_eq!(conv.to_banded_with_fill().unwrap().rows, 0);
                    let diagonals = conv.to_diagonals().unwrap();
                    assert_eq!((diagonals.rows, diagonals.cols), (0, n));
                    assert!(diagonals.offsets.is_empty() && diagonals.data.is_empty());
                }
            }
        }
        let geometry = Geometry::valid().boundary(boundary(word));
        for (kernel, signal, outputs) in
            [([4, 2], [3, 5], [0, 4]), ([2, 6], [3, 5], [2, 0]), ([4, 6], [3, 5], [0, 0])]
        {
            let conv = Conv2d::new(&Array2::<f64>::ones(kernel), signal, geometry_2d(word)).unwrap();
            assert_eq!(conv.output_shape(), outputs);
            check_empty!(conv, signal.iter().product(), kernel.iter().product());
        }
        let rows = RowwiseConv::new(Array2::<f64>::ones((2, 5)).view(), (2, 3), geometry).unwrap();
        assert_eq!(rows.output_shape(), (2, 0));
        check_empty!(rows, 6, 10);
        let kernels = ArrayD::<f64>::ones(IxDyn(&[2, 5]));
        let bank = FilterBank::new(kernels.view(), [3], geometry).unwrap();
        assert_eq!(bank.output_shape(), (2, [0]));
        check_empty!(bank, 3, 10);
    }
    let conv = Conv3d::new(&Array3::<f64>::ones((2, 3, 1)), [2, 2, 2], ConvMode::Valid).unwrap();
    assert_eq!(conv.output_shape(), [1, 0, 2]);
    check_empty!(conv, 8, 6);
}

fn geometry_2d(word: &str) -> Geometry<f64, 2> {
    Geometry::valid().boundary(boundary(word))
}

#[test]
fn an_empty_valid_part_with_a_constant_has_an_empty_constant_term() {
    let geometry = Geometry::valid().boundary(Boundary::Constant(2.0));
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 2, geometry).unwrap();
    assert_eq!(conv.constant_term().unwrap().unwrap(), [0.0; 0]);
    check_empty!(conv, 2, 3);
}

#[test]
fn explicit_windows_without_outputs_are_empty() {
    for word in BOUNDARIES {
        for offset in [-5, 0, 9] {
            let geometry = Geometry::window([offset], [0]).boundary(boundary(word));
            check_empty!(Conv1d::new(&[1.0, 2.0], 3, geometry).unwrap(), 3, 2);
        }
    }
}

#[test]
fn a_batch_without_signals_is_no_mistake() {
    let conv = Conv1d::new(&[1.0, 2.0, 3.0], 4, ConvMode::Full).unwrap();
    let operators: [Box<dyn BatchOperator<f64>>; 2] =
        [Box::new(conv.to_direct().unwrap()), Box::new(CsrOperator::new(conv.to_csr().unwrap()).unwrap())];
    for a in &operators {
        let a = &**a;
        assert_eq!(a.apply_batch(Array2::zeros((4, 0)).view()).unwrap().dim(), (6, 0));
        assert_eq!(a.apply_adjoint_batch(Array2::zeros((6, 0)).view()).unwrap().dim(), (4, 0));
    }
}

/// Builders and the direct engine take taps that are not finite, and keep them where they are.
#[test]
fn taps_that_are_not_finite_are_not_refused() {
    let taps = [f64::INFINITY, 1.0, f64::NAN, 5e-324];
    let conv = Conv1d::new(&taps, 3, ConvMode::Full).unwrap();
    let a = conv.to_csr().unwrap();
    assert_eq!((a.get(0, 0), a.get(1, 0), a.get(3, 0)), (Some(&f64::INFINITY), Some(&1.0), Some(&5e-324)));
    assert!(a.get(2, 0).unwrap().is_nan());
    let matrix = CsrOperator::new(a).unwrap();
    let x = [1.0, 0.0, 2.0];
    for y in [conv.apply(&x).unwrap(), matrix.apply(&x).unwrap()] {
        assert_eq!((y[0], y[5]), (f64::INFINITY, 1e-323));
        assert!(y[1..5].iter().all(|v| v.is_nan()), "{y:?}");
    }
}
