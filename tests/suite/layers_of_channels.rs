//! Many channels: filter banks, layers, transposed layers and row-wise convolutions against loops over the definition.
//!
//! Integers, compared with `==`, so CSR = direct = definition; sizes from one sample and one tap.

use crate::common::naive::{self, extend};
use crate::common::*;
use convmtx::csr::CsrOperator;
use convmtx::op::{Apply, BatchOperator};
use convmtx::{
    Conv1d, ConvMode, Error, Extension, FilterBank, Geometry, Layer, Order, RowwiseConv, Scalar, Summation,
};
use nalgebra::DMatrix;
use ndarray::{Array2, ArrayD, IxDyn};
use num_complex::Complex;
use sprs::CsMatI;
use std::fmt::Debug;

const MODES: [ConvMode; 3] = [ConvMode::Full, ConvMode::Same, ConvMode::Valid];

fn whole<T: Scalar>(w: i64) -> T {
    T::from_real(convmtx::Real::of(w as f64))
}

/// The multi-index of a row-major position.
fn unravel<const D: usize>(mut flat: usize, shape: [usize; D]) -> [usize; D] {
    let mut index = [0; D];
    for a in (0..D).rev() {
        index[a] = flat % shape[a];
        flat /= shape[a];
    }
    index
}

/// The parameters of a layer, as plain numbers.
#[derive(Debug, Clone, Copy)]
struct Plain<const D: usize> {
    /// Channels in and out, of all groups together.
    inputs: usize,
    outputs: usize,
    groups: usize,
    n: [usize; D],
    taps: [usize; D],
    stride: [usize; D],
    padding: [usize; D],
    dilation: [usize; D],
    boundary: &'static str,
}

impl<const D: usize> Plain<D> {
    fn layer(&self) -> Layer<D> {
        Layer::new()
            .stride(self.stride)
            .padding(self.padding)
            .dilation(self.dilation)
            .groups(self.groups)
            .padding_mode(padding_mode(self.boundary))
    }

    fn weights(&self) -> [usize; 2] {
        [self.outputs, self.inputs / self.groups]
    }

    fn weight_shape(&self) -> IxDyn {
        IxDyn(&[&self.weights()[..], &self.taps].concat())
    }

    fn count(&self) -> usize {
        self.weights().iter().chain(&self.taps).product()
    }

    /// Outputs per axis; `None` where the kernel is longer than the padded signal.
    fn m(&self) -> Option<[usize; D]> {
        let mut m = [0; D];
        for (a, m) in m.iter_mut().enumerate() {
            let room =
                (self.n[a] + 2 * self.padding[a]).checked_sub((self.taps[a] - 1) * self.dilation[a] + 1)?;
            *m = room / self.stride[a] + 1;
        }
        Some(m)
    }

    /// `y[o][i] = Σ_c Σ_t w[o, c][t]·x̃[c][i·stride + t·dilation − padding]`, loop by loop.
    fn matrix<T: Scalar>(&self, w: &[T]) -> DMatrix<T> {
        let m = self.m().unwrap();
        let (samples, outputs, taps) = (
            self.n.iter().product::<usize>(),
            m.iter().product::<usize>(),
            self.taps.iter().product::<usize>(),
        );
        let [_, ins] = self.weights();
        let per_group = self.outputs / self.groups;
        let mut a = DMatrix::from_element(self.outputs * outputs, self.inputs * samples, T::zero());
        for o in 0..self.outputs {
            for c in 0..ins {
                let channel = o / per_group * ins + c;
                for i in 0..outputs {
                    for t in 0..taps {
                        let weight = w[(o * ins + c) * taps + t];
                        for (p, e) in self.read(unravel(i, m), unravel(t, self.taps)) {
                            a[(o * outputs + i, channel * samples + p)] += whole::<T>(e) * weight;
                        }
                    }
                }
            }
        }
        a
    }

    /// The samples, and their weights, that stand where output `i` reads with tap `t`.
    fn read(&self, i: [usize; D], t: [usize; D]) -> Vec<(usize, i64)> {
        let mut terms = vec![(0, 1)];
        for a in 0..D {
            let place = (i[a] * self.stride[a] + t[a] * self.dilation[a]) as i64 - self.padding[a] as i64;
            let along = extend(place, self.n[a] as i64, self.boundary);
            let next = |(p, e): (usize, i64)| {
                along.iter().map(move |&(q, f)| (p * self.n[a] + q as usize, e * f)).collect::<Vec<_>>()
            };
            terms = terms.into_iter().flat_map(next).collect();
        }
        terms
    }
}

/// The boundary of a word, without an element type.
fn padding_mode(word: &str) -> Extension {
    match word {
        "zero" => Extension::Zero,
        "periodic" => Extension::Periodic,
        "symmetric" => Extension::Symmetric,
        "reflect" => Extension::Reflect,
        "replicate" => Extension::Replicate,
        "antireflective" => Extension::Antireflective,
        _ => panic!("unknown boundary {word}"),
    }
}

/// What the crate makes of a description.
struct Made<T: Scalar> {
    csr: CsMatI<T, i32>,
    csr_adjoint: CsMatI<T, i32>,
    csr_transpose: CsMatI<T, i32>,
    csc: CsMatI<T, i32>,
    normal: CsMatI<T, i32>,
    direct: Box<dyn BatchOperator<T> + Sync>,
    ascending: Box<dyn BatchOperator<T> + Sync>,
}

/// Everything that must hold of a description whose matrix is `expected`.
fn check_made<T: Scalar>(made: Made<T>, expected: &DMatrix<T>, what: &dyn Debug) {
    let adjoint = adjoint(expected);
    assert_eq!(&dense_of_csr(&made.csr), expected, "to_csr {what:?}");
    assert_eq!(dense_of_csr(&made.csr_adjoint), adjoint, "to_csr_adjoint {what:?}");
    assert_eq!(dense_of_csr(&made.csr_transpose), expected.transpose(), "to_csr_transpose {what:?}");
    assert_eq!(made.csc.to_csr(), made.csr, "to_csc {what:?}");
    let product = DMatrix::from_fn(expected.ncols(), expected.ncols(), |i, j| {
        (0..expected.nrows()).map(|r| adjoint[(i, r)] * expected[(r, j)]).sum()
    });
    assert_eq!(dense_of_csr(&made.normal), product, "to_normal {what:?}");
    let matrix: Box<dyn BatchOperator<T> + Sync> = Box::new(CsrOperator::new(made.csr).unwrap());
    // Three signals at once, as rows and as columns.
    let x = Array2::from_shape_vec((expected.ncols(), 3), integers(3 * expected.ncols(), 7)).unwrap();
    let by_columns = x.t().as_standard_layout().into_owned().reversed_axes();
    let y = Array2::from_shape_fn((expected.nrows(), 3), |(i, s)| {
        (0..expected.ncols()).map(|j| expected[(i, j)] * x[(j, s)]).sum()
    });
    for (name, operator) in [("direct", &made.direct), ("ascending", &made.ascending), ("matrix", &matrix)] {
        let operator = &**operator;
        let (forward, back) = dense_of_operator(&operator);
        assert_eq!((&forward, &back), (expected, &adjoint), "{name} {what:?}");
        assert_eq!(operator.apply_batch(x.view()).unwrap(), y, "{name}, batch {what:?}");
        assert_eq!(operator.apply_batch(by_columns.view()).unwrap(), y, "{name}, columns {what:?}");
    }
}

/// `check_made` for descriptions of any type.
macro_rules! check_matrix {
    ($description:expr, $expected:expr, $what:expr) => {{
        let (d, expected) = (&$description, &$expected);
        assert_eq!(d.shape(), expected.shape(), "{:?}", $what);
        let made = Made {
            csr: d.to_csr().unwrap(),
            csr_adjoint: d.to_csr_adjoint().unwrap(),
            csr_transpose: d.to_csr_transpose().unwrap(),
            csc: d.to_csc().unwrap(),
            normal: d.to_normal().unwrap(),
            direct: Box::new(d.to_direct().unwrap()),
            ascending: Box::new(d.to_direct().unwrap().with_summation(Summation::Ascending)),
        };
        check_made(made, expected, &$what);
    }};
}

/// The kernel operator of a description: its matrix is `expected`, its adjoint the conjugate transpose.
macro_rules! check_kernel_operator {
    ($description:expr, $x:expr, $expected:expr, $what:expr) => {{
        let (expected, what) = (&$expected, &$what);
        let by_kernel = $description.kernel_operator($x).unwrap();
        assert_eq!(by_kernel.shape(), expected.shape(), "kernel operator {what:?}");
        assert_eq!(&dense_of_csr(&by_kernel.to_csr().unwrap()), expected, "kernel matrix {what:?}");
        let of_direct = dense_of_operator(&by_kernel.to_direct().unwrap());
        assert_eq!((&of_direct.0, &of_direct.1), (expected, &adjoint(expected)), "kernel operator {what:?}");
    }};
}

/// Columns `A(e_q)·x` for every unit vector e_q of weights.
fn by_unit_weights<T: Scalar>(count: usize, x: &[T], matrix: impl Fn(&[T]) -> DMatrix<T>) -> DMatrix<T> {
    let columns: Vec<_> = (0..count)
        .map(|q| {
            let mut e = vec![T::zero(); count];
            e[q] = T::one();
            multiply(&matrix(&e), x)
        })
        .collect();
    DMatrix::from_fn(columns[0].len(), count, |i, q| columns[q][i])
}

/// Reverses each kernel of `taps` taps: columns of the operator of a correlation, seen as a convolution.
fn reversed_kernels<T: Scalar>(a: &DMatrix<T>, taps: usize) -> DMatrix<T> {
    DMatrix::from_fn(a.nrows(), a.ncols(), |i, q| a[(i, q / taps * taps + taps - 1 - q % taps)])
}

fn check_layer<T: Scalar, const D: usize>(plain: &Plain<D>) {
    let flat = integers::<T>(plain.count(), plain.n[0] + plain.taps[0]);
    let weights = ArrayD::from_shape_vec(plain.weight_shape(), flat.clone()).unwrap();
    let layer = FilterBank::<T, D>::layer(weights.view(), plain.n, plain.layer());
    let Some(m) = plain.m() else {
        assert!(matches!(layer, Err(Error::Value { what: "the length of the kernel", .. })), "{plain:?}");
        return;
    };
    let layer = layer.unwrap();
    assert_eq!((layer.input_shape(), layer.output_shape()), ((plain.inputs, plain.n), (plain.outputs, m)));
    let expected = plain.matrix(&flat);
    check_matrix!(layer, expected, plain);
    let x = integers::<T>(expected.ncols(), 3);
    assert_eq!(layer.apply(&x).unwrap(), multiply(&expected, &x), "{plain:?}");
    // By the weights: in the caller's order the gradient, reversed per kernel the operator.
    let taps = plain.taps.iter().product();
    let by_weights = by_unit_weights(flat.len(), &x, |w| plain.matrix(w));
    check_kernel_operator!(layer, &x, reversed_kernels(&by_weights, taps), plain);
    let y = integers::<T>(expected.nrows(), 4);
    assert_eq!(layer.adjoint_kernel(&x, &y).unwrap(), multiply(&adjoint(&by_weights), &y), "{plain:?}");
    if plain.boundary == "zero" {
        check_transposed::<T, D>(plain, &weights, &expected);
    }
}

/// The transposed layer with the same weights and parameters: its matrix is the plain transpose.
fn check_transposed<T: Scalar, const D: usize>(plain: &Plain<D>, weights: &ArrayD<T>, expected: &DMatrix<T>) {
    let m = plain.m().unwrap();
    // The output padding that leads back to n.
    let reach = |a: usize| (m[a] - 1) * plain.stride[a] + (plain.taps[a] - 1) * plain.dilation[a] + 1;
    let extra = std::array::from_fn(|a| plain.n[a] + 2 * plain.padding[a] - reach(a));
    let parameters = plain.layer().output_padding(extra);
    let transposed = FilterBank::<T, D>::transposed_layer(weights.view(), m, parameters).unwrap();
    assert_eq!(transposed.input_shape(), (plain.outputs, m));
    assert_eq!(transposed.output_shape(), (plain.inputs, plain.n));
    check_matrix!(transposed, expected.transpose(), (plain, "transposed"));
    // By the weights: in the caller's order the gradient, with the channel axes of a group exchanged the operator.
    let x = integers::<T>(expected.nrows(), 5);
    let as_given = by_unit_weights(plain.count(), &x, |w| plain.matrix(w).transpose());
    let [outs, ins] = plain.weights();
    let (outs, taps) = (outs / plain.groups, plain.taps.iter().product::<usize>());
    let exchanged = DMatrix::from_fn(as_given.nrows(), as_given.ncols(), |i, q| {
        let (channels, t) = (q / taps, q % taps);
        let (g, c, o) = (channels / (ins * outs), channels / outs % ins, channels % outs);
        as_given[(i, ((g * outs + o) * ins + c) * taps + t)]
    });
    check_kernel_operator!(transposed, &x, exchanged, (plain, "transposed"));
    let y = integers::<T>(expected.ncols(), 6);
    assert_eq!(transposed.adjoint_kernel(&x, &y).unwrap(), multiply(&adjoint(&as_given), &y), "{plain:?}");
}

/// Calls `check_layer` with the four element types in turn.
fn check_layer_in_turn<const D: usize>(turn: usize, plain: &Plain<D>) {
    match turn % 4 {
        0 => check_layer::<f64, D>(plain),
        1 => check_layer::<Complex<f64>, D>(plain),
        2 => check_layer::<f32, D>(plain),
        _ => check_layer::<Complex<f32>, D>(plain),
    }
}

#[test]
fn layers_and_their_transposes_are_the_loops_of_the_definition_in_one_dimension() {
    let mut cases = 0;
    for n in [1, 2, 5] {
        for taps in [1, 2, 3] {
            for stride in [1, 2, 3] {
                for padding in [0, 1, 2] {
                    for dilation in [1, 2] {
                        for (inputs, outputs, groups) in [(1, 1, 1), (2, 3, 1), (4, 2, 2), (2, 2, 2)] {
                            for boundary in BOUNDARIES {
                                let plain = Plain {
                                    inputs,
                                    outputs,
                                    groups,
                                    n: [n],
                                    taps: [taps],
                                    stride: [stride],
                                    padding: [padding],
                                    dilation: [dilation],
                                    boundary,
                                };
                                // So that every combination of channels and boundary meets every type.
                                check_layer_in_turn(cases + cases / 24, &plain);
                                cases += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{cases} layers of one dimension");
    assert_eq!(cases, 3 * 3 * 3 * 3 * 2 * 4 * 6);
}

#[test]
fn layers_and_their_transposes_are_the_loops_of_the_definition_in_two_dimensions() {
    // (n, taps, stride, padding, dilation) of an axis; every pair, and every boundary with every pair once.
    let axes = [(1, 1, 1, 0, 1), (3, 2, 1, 1, 1), (4, 3, 2, 1, 1), (5, 2, 2, 0, 2), (2, 3, 3, 2, 2)];
    let mut cases = 0;
    for r in axes {
        for c in axes {
            for boundary in BOUNDARIES {
                let (inputs, outputs, groups) = [(1, 2, 1), (2, 2, 2), (2, 1, 1)][cases % 3];
                let plain = Plain {
                    inputs,
                    outputs,
                    groups,
                    n: [r.0, c.0],
                    taps: [r.1, c.1],
                    stride: [r.2, c.2],
                    padding: [r.3, c.3],
                    dilation: [r.4, c.4],
                    boundary,
                };
                // So that every boundary meets every type.
                check_layer_in_turn(cases / 6 + cases % 6, &plain);
                cases += 1;
            }
        }
    }
    println!("{cases} layers of two dimensions");
}

#[test]
fn a_layer_of_three_dimensions() {
    let plain = Plain {
        inputs: 2,
        outputs: 2,
        groups: 2,
        n: [3, 2, 4],
        taps: [2, 1, 3],
        stride: [1, 2, 2],
        padding: [1, 0, 1],
        dilation: [2, 1, 1],
        boundary: "zero",
    };
    check_layer::<f64, 3>(&plain);
    check_layer::<Complex<f32>, 3>(&Plain { boundary: "reflect", ..plain });
}

/// Output padding beyond the stride, which only dilation allows: `y[o][i·s + t·d − p] += w[c, o][t]·x[c][i]`, loop by loop.
#[test]
fn transposed_layers_scatter_also_with_output_padding_beyond_the_stride() {
    let mut cases = 0;
    for (m, taps, stride, padding, dilation) in
        [(1, 1, 2, 0, 1), (3, 2, 1, 0, 3), (3, 2, 2, 1, 3), (2, 3, 3, 2, 1), (4, 3, 1, 1, 2), (1, 4, 2, 1, 1)]
    {
        for (inputs, outputs, groups) in [(1, 1, 1), (2, 4, 2), (3, 2, 1)] {
            for extra in 0..stride.max(dilation) {
                let span = (taps - 1) * dilation + 1;
                let n = (m - 1) * stride + span + extra - 2 * padding;
                let (ins, outs) = (inputs / groups, outputs / groups);
                let flat = integers::<f64>(inputs * outs * taps, m);
                let mut expected = DMatrix::from_element(outputs * n, inputs * m, 0.0);
                for (g, c, o) in
                    (0..groups).flat_map(|g| (0..ins).flat_map(move |c| (0..outs).map(move |o| (g, c, o))))
                {
                    for (i, t) in (0..m).flat_map(|i| (0..taps).map(move |t| (i, t))) {
                        let Some(p) = (i * stride + t * dilation).checked_sub(padding) else { continue };
                        if p < n {
                            let w = flat[((g * ins + c) * outs + o) * taps + t];
                            expected[((g * outs + o) * n + p, (g * ins + c) * m + i)] += w;
                        }
                    }
                }
                let weights = ArrayD::from_shape_vec(IxDyn(&[inputs, outs, taps]), flat).unwrap();
                let parameters = Layer::new()
                    .stride([stride])
                    .padding([padding])
                    .dilation([dilation])
                    .groups(groups)
                    .output_padding([extra]);
                let layer = FilterBank::<f64, 1>::transposed_layer(weights.view(), [m], parameters).unwrap();
                assert_eq!(layer.output_shape(), (outputs, [n]));
                check_matrix!(layer, expected, (m, taps, stride, padding, dilation, extra));
                cases += 1;
            }
        }
    }
    println!("{cases} transposed layers");
}

/// One axis in the words of the oracle.
fn axis(
    mode: ConvMode,
    n: usize,
    taps: usize,
    (stride, dilation): (usize, usize),
    word: &'static str,
) -> naive::Axis {
    let span = (taps - 1) * dilation + 1;
    let (offset, m) = match mode {
        ConvMode::Full => (0, n + span - 1),
        ConvMode::Same => (span / 2, n),
        ConvMode::Valid => (span - 1, (n + 1).saturating_sub(span)),
    };
    naive::Axis {
        n,
        m: m.div_ceil(stride),
        taps,
        offset: offset as i64,
        stride: stride as i64,
        dilation: dilation as i64,
        boundary: word,
    }
}

/// The matrix of one kernel, given in the orientation of the geometry.
fn of_one_kernel<T: Scalar>(axis: naive::Axis, kernel: &[T], correlate: bool) -> DMatrix<T> {
    let mut taps = kernel.to_vec();
    if correlate {
        taps.reverse();
    }
    dense(&naive::matrix(&[axis], &taps), axis.n)
}

/// Blocks below each other, each beginning at the column that `column` says.
fn blocks<T: Scalar>(blocks: &[DMatrix<T>], cols: usize, column: impl Fn(usize) -> usize) -> DMatrix<T> {
    let rows = blocks.first().map_or(0, |b| b.nrows());
    let mut all = DMatrix::from_element(blocks.len() * rows, cols, T::zero());
    for (b, block) in blocks.iter().enumerate() {
        all.view_mut((b * rows, column(b)), block.shape()).copy_from(block);
    }
    all
}

struct Choice {
    mode: ConvMode,
    steps: (usize, usize),
    boundary: &'static str,
    correlate: bool,
}

/// Mode × steps × boundary × orientation.
fn choices() -> Vec<Choice> {
    let mut all = Vec::new();
    for mode in MODES {
        for steps in [(1, 1), (2, 1), (1, 2), (3, 2)] {
            for boundary in BOUNDARIES {
                for correlate in [false, true] {
                    all.push(Choice { mode, steps, boundary, correlate });
                }
            }
        }
    }
    all
}

impl Choice {
    fn geometry<T: Scalar>(&self) -> Geometry<T, 1> {
        let geometry = Geometry::from(self.mode)
            .boundary(crate::common::boundary(self.boundary))
            .stride(self.steps.0)
            .dilation(self.steps.1);
        if self.correlate { geometry.correlate() } else { geometry }
    }

    fn what(&self) -> (ConvMode, (usize, usize), &'static str, bool) {
        (self.mode, self.steps, self.boundary, self.correlate)
    }
}

fn many_kernels<T: Scalar>(choice: &Choice, n: usize, taps: usize, count: usize) {
    let what = (choice.what(), n, taps, count);
    let kernels = integers::<T>(count * taps, n);
    let axis = axis(choice.mode, n, taps, choice.steps, choice.boundary);
    let each: Vec<_> = kernels.chunks(taps).map(|k| of_one_kernel(axis, k, choice.correlate)).collect();
    let expected = blocks(&each, n, |_| 0);
    let array = ArrayD::from_shape_vec(IxDyn(&[count, taps]), kernels).unwrap();
    let bank = FilterBank::new(array.view(), [n], choice.geometry()).unwrap();
    assert_eq!((bank.input_shape(), bank.output_shape()), ((1, [n]), (count, [axis.m])));
    check_matrix!(bank, expected, what);
    let x = integers::<T>(n, 9);
    let by_kernel = by_unit_weights(taps, &x, |e| of_one_kernel(axis, e, false));
    let all = DMatrix::from_fn(count * axis.m, count * taps, |i, q| {
        let same = i / axis.m == q / taps;
        if same { by_kernel[(i % axis.m, q % taps)] } else { T::zero() }
    });
    check_kernel_operator!(bank, &x, all, what);
    let y = integers::<T>(count * axis.m, 8);
    let mut gradient = multiply(&adjoint(&all), &y);
    if choice.correlate {
        gradient.chunks_mut(taps).for_each(<[T]>::reverse);
    }
    assert_eq!(bank.adjoint_kernel(&x, &y).unwrap(), gradient, "{what:?}");
}

#[test]
fn many_kernels_on_one_signal_are_their_matrices_below_each_other() {
    let mut cases = 0;
    for choice in choices() {
        for (n, taps, count) in [(1, 1, 1), (4, 2, 3), (2, 3, 2), (5, 4, 1)] {
            match cases % 4 {
                0 => many_kernels::<f64>(&choice, n, taps, count),
                1 => many_kernels::<Complex<f64>>(&choice, n, taps, count),
                2 => many_kernels::<f32>(&choice, n, taps, count),
                _ => many_kernels::<Complex<f32>>(&choice, n, taps, count),
            }
            cases += 1;
        }
        // The element types meet every choice, not always the same.
        cases += 1;
    }
}

#[test]
fn many_kernels_on_one_image_are_their_matrices_below_each_other() {
    for mode in MODES {
        for boundary in BOUNDARIES {
            let (rows, cols) = (axis(mode, 3, 2, (1, 1), boundary), axis(mode, 4, 3, (1, 1), boundary));
            let kernels = integers::<f64>(3 * 6, 1);
            let each: Vec<_> =
                kernels.chunks(6).map(|k| dense(&naive::matrix(&[rows, cols], k), 12)).collect();
            let array = ArrayD::from_shape_vec(IxDyn(&[3, 2, 3]), kernels).unwrap();
            let geometry = Geometry::from(mode).boundary(crate::common::boundary(boundary));
            let bank = FilterBank::new(array.view(), [3, 4], geometry).unwrap();
            check_matrix!(bank, blocks(&each, 12, |_| 0), (mode, boundary));
        }
    }
}

fn rowwise<T: Scalar>(
    choice: &Choice,
    rows: usize,
    (signals, kernels): (usize, usize),
    n: usize,
    taps: usize,
) {
    let what = (choice.what(), signals, kernels, n, taps);
    let flat = integers::<T>(kernels * taps, n);
    let axis = axis(choice.mode, n, taps, choice.steps, choice.boundary);
    let kernel = |r: usize| &flat[if kernels == 1 { 0 } else { r } * taps..][..taps];
    let signal = |r: usize| if signals == 1 { 0 } else { r };
    let each: Vec<_> = (0..rows).map(|r| of_one_kernel(axis, kernel(r), choice.correlate)).collect();
    let expected = blocks(&each, signals * n, |r| signal(r) * n);
    let array = Array2::from_shape_vec((kernels, taps), flat.clone()).unwrap();
    let description = RowwiseConv::new(array.view(), (signals, n), choice.geometry()).unwrap();
    assert_eq!(description.output_shape(), (rows, axis.m), "{what:?}");
    check_matrix!(description, expected, what);
    // The loop over rows, with the description of one.
    let x = integers::<T>(signals * n, 2);
    let looped = (0..rows).flat_map(|r| {
        let conv = Conv1d::new(kernel(r), n, choice.geometry()).unwrap();
        conv.apply(&x[signal(r) * n..][..n]).unwrap()
    });
    assert_eq!(description.apply(&x).unwrap(), looped.collect::<Vec<_>>(), "{what:?}");
    // By the kernels.
    let mut by_kernels = DMatrix::from_element(rows * axis.m, kernels * taps, T::zero());
    for r in 0..rows {
        let column = if kernels == 1 { 0 } else { r * taps };
        let block = by_unit_weights(taps, &x[signal(r) * n..][..n], |e| of_one_kernel(axis, e, false));
        by_kernels.view_mut((r * axis.m, column), block.shape()).copy_from(&block);
    }
    check_kernel_operator!(description, &x, by_kernels, what);
}

#[test]
fn rows_with_rows_are_blocks_on_the_diagonal_and_shared_ones_are_stacked() {
    let mut cases = 0;
    for choice in choices() {
        for (signals, kernels) in [(1, 1), (3, 3), (3, 1), (1, 3), (2, 2)] {
            for (n, taps) in [(1, 1), (4, 3), (2, 4)] {
                let rows = signals.max(kernels);
                match cases % 4 {
                    0 => rowwise::<f64>(&choice, rows, (signals, kernels), n, taps),
                    1 => rowwise::<Complex<f64>>(&choice, rows, (signals, kernels), n, taps),
                    2 => rowwise::<f32>(&choice, rows, (signals, kernels), n, taps),
                    _ => rowwise::<Complex<f32>>(&choice, rows, (signals, kernels), n, taps),
                }
                cases += 1;
            }
        }
    }
}

#[test]
fn no_signals_and_no_kernels_give_no_rows() {
    rowwise::<f64>(&choices()[0], 0, (0, 0), 4, 3);
}

/// As in NumPy's broadcasting: one row against none is none.
#[test]
fn a_shared_kernel_for_no_signals_gives_no_rows() {
    rowwise::<f64>(&choices()[0], 0, (0, 1), 4, 3);
}

#[test]
fn a_shared_signal_for_no_kernels_gives_no_rows() {
    rowwise::<f64>(&choices()[0], 0, (1, 0), 4, 3);
}

#[test]
fn no_kernels_give_no_images() {
    let bank = FilterBank::new(zeros(&[0, 3]).view(), [4], ConvMode::Full).unwrap();
    assert_eq!((bank.shape(), bank.output_shape()), ((0, 4), (0, [6])));
    assert_eq!(bank.apply(&[1.0; 4]).unwrap(), [0.0; 0]);
    check_matrix!(bank, DMatrix::<f64>::zeros(0, 4), "no kernels");
}

#[test]
fn no_kernels_have_an_empty_gradient() {
    let bank = FilterBank::new(zeros(&[0, 3]).view(), [4], ConvMode::Full).unwrap();
    assert_eq!(bank.adjoint_kernel(&[1.0; 4], &[]).unwrap(), [0.0; 0]);
}

fn error<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

fn zeros(shape: &[usize]) -> ArrayD<f64> {
    ArrayD::zeros(IxDyn(shape))
}

#[test]
fn groups_must_divide_the_channels() {
    for (shape, groups) in [([3, 1, 2], 2), ([2, 2, 2], 3), ([4, 1, 2], 0), ([1, 1, 1], usize::MAX)] {
        let layer = Layer::<1>::new().groups(groups);
        let got = error(FilterBank::layer(zeros(&shape).view(), [9], layer));
        assert!(matches!(got, Error::Value { what: "the number of output channels", .. }), "{got}");
        let got = error(FilterBank::transposed_layer(zeros(&shape).view(), [9], layer));
        assert!(matches!(got, Error::Value { what: "the number of input channels", .. }), "{got}");
    }
    let got = error(FilterBank::layer(zeros(&[3, 1, 2]).view(), [9], Layer::<1>::new().groups(2)));
    assert_eq!(got.to_string(), "the number of output channels is 3, expected a multiple of the 2 groups");
}

#[test]
fn output_padding_belongs_to_transposed_layers_and_stays_below_the_steps() {
    let weights = zeros(&[1, 1, 2]);
    let with = |extra| Layer::<1>::new().stride([2]).dilation([3]).output_padding([extra]);
    let got = error(FilterBank::layer(weights.view(), [9], with(1)));
    assert!(matches!(got, Error::Value { what: "output_padding", .. }), "{got}");
    assert!(FilterBank::transposed_layer(weights.view(), [9], with(2)).is_ok());
    for extra in [3, 4, usize::MAX] {
        let got = error(FilterBank::transposed_layer(weights.view(), [9], with(extra)));
        assert!(matches!(got, Error::Value { what: "output_padding", .. }), "{got}");
    }
}

#[test]
fn kernels_must_fit_the_padded_signal_and_padding_must_leave_an_output() {
    let weights = zeros(&[1, 1, 3]);
    let build = |n, layer: Layer<1>| FilterBank::layer(weights.view(), [n], layer);
    let got = error(build(2, Layer::new()));
    let text = "the length of the kernel is 3, expected at most 2, the padded signal along axis 0";
    assert_eq!(got.to_string(), text);
    assert!(build(1, Layer::new().padding([1])).is_ok());
    assert!(matches!(error(build(4, Layer::new().dilation([2]))), Error::Value { .. }));
    let got = error(FilterBank::transposed_layer(weights.view(), [1], Layer::<1>::new().padding([2])));
    assert!(matches!(got, Error::Value { what: "padding", .. }), "{got}");
    let got =
        error(FilterBank::transposed_layer(weights.view(), [1], Layer::<1>::new().padding([usize::MAX])));
    assert!(matches!(got, Error::Value { what: "padding", .. }), "{got}");
}

#[test]
fn weights_and_kernels_must_have_the_right_number_of_axes_and_no_empty_ones() {
    for shape in [&[2, 2][..], &[2, 2, 2, 2]] {
        let w = zeros(shape);
        for got in [
            error(FilterBank::layer(w.view(), [9], Layer::<1>::new())),
            error(FilterBank::transposed_layer(w.view(), [9], Layer::<1>::new())),
            error(FilterBank::new(zeros(&[2, 2, 2]).view(), [9], ConvMode::Full)),
            error(FilterBank::new(zeros(&[2]).view(), [9], ConvMode::Full)),
        ] {
            assert!(matches!(got, Error::Value { .. } | Error::Shape { .. }), "{got}");
            assert!(got.to_string().contains("axes"), "{got}");
        }
    }
    for (shape, n) in [([0, 1, 2], 5), ([1, 0, 2], 5), ([1, 1, 0], 5), ([1, 1, 2], 0)] {
        for got in [
            error(FilterBank::layer(zeros(&shape).view(), [n], Layer::<1>::new())),
            error(FilterBank::transposed_layer(zeros(&shape).view(), [n], Layer::<1>::new())),
        ] {
            assert!(matches!(got, Error::Empty { .. }), "{got}");
        }
    }
    for (shape, n) in [([2, 0], 5), ([2, 2], 0)] {
        let got = error(FilterBank::new(zeros(&shape).view(), [n], ConvMode::Full));
        assert!(matches!(got, Error::Empty { .. }), "{got}");
        let kernels = Array2::<f64>::zeros(shape);
        let got = error(RowwiseConv::new(kernels.view(), (2, n), ConvMode::Full));
        assert!(matches!(got, Error::Empty { .. }), "{got}");
    }
}

#[test]
fn steps_of_zero_and_other_paddings_are_refused() {
    let w = zeros(&[1, 1, 2]);
    for layer in [Layer::<1>::new().stride([0]), Layer::new().dilation([0])] {
        assert!(matches!(error(FilterBank::layer(w.view(), [5], layer)), Error::Value { .. }));
        assert!(matches!(error(FilterBank::transposed_layer(w.view(), [5], layer)), Error::Value { .. }));
    }
    let periodic = Layer::<1>::new().padding_mode(Extension::Periodic);
    let got = error(FilterBank::transposed_layer(w.view(), [5], periodic));
    assert!(matches!(got, Error::Unsupported { .. }), "{got}");
    let columns = Geometry::<f64, 2>::full().order(Order::ColumnMajor);
    let got = error(FilterBank::new(zeros(&[1, 2, 2]).view(), [5, 5], columns));
    assert!(matches!(got, Error::Unsupported { .. }), "{got}");
}

#[test]
fn sizes_that_overflow_are_refused() {
    let w = zeros(&[1, 1, 2]);
    let huge = usize::MAX;
    for (n, layer) in [
        (huge, Layer::<1>::new()),
        (1 << 62, Layer::new()),
        (5, Layer::new().padding([huge])),
        (5, Layer::new().dilation([huge]).padding([huge])),
        (5, Layer::new().stride([huge])),
    ] {
        // A huge stride keeps the first output and is no error by itself.
        match FilterBank::layer(w.view(), [n], layer) {
            Ok(bank) => assert_eq!(bank.output_shape(), (1, [1])),
            Err(got) => assert!(matches!(got, Error::Overflow { .. } | Error::Value { .. }), "{got}"),
        }
        match FilterBank::transposed_layer(w.view(), [n], layer) {
            Ok(bank) => panic!("{:?} from {n}, {layer:?}", bank.output_shape()),
            Err(got) => assert!(matches!(got, Error::Overflow { .. } | Error::Value { .. }), "{got}"),
        }
    }
}

#[test]
fn row_counts_must_match_or_be_one() {
    for (kernels, signals) in [(2, 3), (3, 2), (2, 0), (0, 2)] {
        let array = Array2::<f64>::zeros((kernels, 2));
        let got = error(RowwiseConv::new(array.view(), (signals, 4), ConvMode::Same));
        assert!(matches!(got, Error::Value { what: "the number of kernel rows", .. }), "{got}");
    }
    let got = error(RowwiseConv::new(Array2::<f64>::zeros((2, 2)).view(), (3, 4), ConvMode::Same));
    assert_eq!(got.to_string(), "the number of kernel rows is 2, expected 3, one per signal, or 1 to share");
    let one = Array2::<f64>::zeros((1, 2));
    let got = error(RowwiseConv::new(one.view(), (usize::MAX, 4), ConvMode::Same));
    assert!(matches!(got, Error::Overflow { .. }), "{got}");
}

#[test]
fn gradients_of_rows_come_in_the_orientation_of_their_kernels() {
    let kernels = Array2::from_shape_vec((2, 3), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let x = [1.0, -2.0, 4.0, 3.0, 0.0, 5.0, 7.0, -1.0];
    for geometry in [Geometry::same(), Geometry::same().correlate()] {
        for (kernels, signals) in
            [(kernels.view(), 2), (kernels.view(), 1), (kernels.slice(ndarray::s![..1, ..]), 2)]
        {
            let rows = RowwiseConv::new(kernels, (signals, 4), geometry).unwrap();
            let x = &x[..4 * signals];
            let y: Vec<f64> = (0..rows.shape().0).map(|i| (i * i % 7) as f64).collect();
            let gradient = rows.adjoint_kernel(x, &y).unwrap();
            // The map is linear in the kernels: each component is the inner product with a unit kernel's output.
            for (t, &g) in gradient.iter().enumerate() {
                let mut unit = Array2::zeros(kernels.raw_dim());
                unit.as_slice_mut().unwrap()[t] = 1.0;
                let out = RowwiseConv::new(unit.view(), (signals, 4), geometry).unwrap().apply(x).unwrap();
                assert_eq!(g, out.iter().zip(&y).map(|(o, y)| o * y).sum::<f64>());
            }
            assert_eq!(gradient.len(), kernels.len());
        }
    }
}

/// Gradients by the kernels, summed over a batch: sizes around the widths of registers, and chunks of long sums.
fn gradient_of_a_batch<T: Scalar, const D: usize>(plain: &Plain<D>, members: usize) {
    let flat = integers::<T>(plain.count(), 1);
    let weights = ArrayD::from_shape_vec(plain.weight_shape(), flat).unwrap();
    let Ok(layer) = FilterBank::<T, D>::layer(weights.view(), plain.n, plain.layer()) else { return };
    let (m, n) = layer.shape();
    let (x, y) = (integers::<T>(members * n, 3), integers::<T>(members * m, 4));
    let (outputs, samples) = (plain.m().unwrap(), plain.n.iter().product::<usize>());
    let (per_channel, taps) = (outputs.iter().product::<usize>(), plain.taps.iter().product::<usize>());
    let [_, ins] = plain.weights();
    let mut expected = vec![T::zero(); plain.count()];
    for i in 0..per_channel {
        for t in 0..taps {
            let read = plain.read(unravel(i, outputs), unravel(t, plain.taps));
            for (o, c, b) in (0..plain.outputs)
                .flat_map(|o| (0..ins).flat_map(move |c| (0..members).map(move |b| (o, c, b))))
            {
                let channel = o / (plain.outputs / plain.groups) * ins + c;
                for &(p, e) in &read {
                    let sample = x[b * n + channel * samples + p];
                    expected[(o * ins + c) * taps + t] +=
                        whole::<T>(e) * sample.conj() * y[b * m + o * per_channel + i];
                }
            }
        }
    }
    assert!(layer.adjoint_kernel_batch(&x, &y).unwrap() == expected, "{} {plain:?} {members}", T::NAME);
    if members == 1 {
        assert!(layer.adjoint_kernel(&x, &y).unwrap() == expected, "{plain:?}");
        let by_kernel = layer.kernel_operator(&x).unwrap().to_direct().unwrap();
        let stored = by_kernel.apply_adjoint(&y).unwrap();
        let reversed: Vec<T> =
            stored.chunks(taps).flat_map(|kernel| kernel.iter().rev().copied().collect::<Vec<_>>()).collect();
        assert!(reversed == expected, "{} {plain:?}", T::NAME);
        let direct = layer.to_direct().unwrap();
        assert!(
            by_kernel.apply(&reversed_each(weights.as_slice().unwrap(), taps)).unwrap()
                == direct.apply(&x).unwrap()
        );
    }
}

/// Each kernel of `taps` taps in reverse.
fn reversed_each<T: Copy>(kernels: &[T], taps: usize) -> Vec<T> {
    kernels.chunks(taps).flat_map(|kernel| kernel.iter().rev().copied().collect::<Vec<_>>()).collect()
}

#[test]
fn gradients_of_batches_are_sums_over_the_definition() {
    let channels = [(1, 1, 1), (1, 5, 1), (3, 1, 1), (2, 6, 2), (3, 3, 3)];
    let mut turn = 0;
    for (n, taps, stride, padding, dilation) in [
        (1, 1, 1, 0, 1),
        (7, 3, 1, 1, 1),
        (16, 5, 1, 2, 1),
        (33, 6, 1, 0, 2),
        (40, 7, 2, 3, 1),
        (50, 3, 3, 4, 2),
        (31, 2, 5, 1, 1),
        (5, 9, 1, 6, 1),
        (2100, 13, 1, 6, 1),
    ] {
        for (inputs, outputs, groups) in channels {
            for boundary in BOUNDARIES {
                let line = Plain {
                    inputs,
                    outputs,
                    groups,
                    n: [n],
                    taps: [taps],
                    stride: [stride],
                    padding: [padding],
                    dilation: [dilation],
                    boundary,
                };
                let image = Plain {
                    inputs,
                    outputs,
                    groups,
                    n: [6, n.min(40)],
                    taps: [3, taps],
                    stride: [1 + turn % 2, stride],
                    padding: [turn % 3, padding],
                    dilation: [1 + turn / 2 % 2, dilation],
                    boundary,
                };
                for members in [1, 3] {
                    match turn % 4 {
                        0 => gradient_of_a_batch::<f32, 1>(&line, members),
                        1 => gradient_of_a_batch::<f64, 1>(&line, members),
                        2 => gradient_of_a_batch::<Complex<f32>, 1>(&line, members),
                        _ => gradient_of_a_batch::<Complex<f64>, 1>(&line, members),
                    }
                    match turn % 4 {
                        0 => gradient_of_a_batch::<f64, 2>(&image, members),
                        1 => gradient_of_a_batch::<Complex<f32>, 2>(&image, members),
                        2 => gradient_of_a_batch::<Complex<f64>, 2>(&image, members),
                        _ => gradient_of_a_batch::<f32, 2>(&image, members),
                    }
                }
                turn += 1;
            }
        }
    }
}

/// Channels of images that need no boundary, one, and batches: tiles of filters and of rows, whole and in part.
#[test]
fn layers_of_many_channels_are_their_matrices() {
    for (inputs, outputs, groups) in [(1, 5, 1), (6, 1, 1), (4, 9, 1), (4, 4, 2)] {
        for (n, taps, padding) in
            [([9, 34], [3, 3], [1, 1]), ([30, 5], [2, 5], [0, 0]), ([7, 8], [1, 1], [0, 0])]
        {
            for boundary in ["zero", "symmetric"] {
                let plain = Plain {
                    inputs,
                    outputs,
                    groups,
                    n,
                    taps,
                    stride: [1, 1],
                    padding,
                    dilation: [1, 1],
                    boundary,
                };
                // No tap is zero.
                let flat: Vec<f64> = integers::<f64>(plain.count(), 2)
                    .iter()
                    .map(|v| if *v == 0.0 { 8.0 } else { *v })
                    .collect();
                let weights = ArrayD::from_shape_vec(plain.weight_shape(), flat.clone()).unwrap();
                let layer = FilterBank::<f64, 2>::layer(weights.view(), n, plain.layer()).unwrap();
                let (matrix, direct) = (layer.to_csr().unwrap(), layer.to_direct().unwrap());
                let matrix = CsrOperator::new(matrix).unwrap();
                let x =
                    Array2::from_shape_vec((3, layer.shape().1), integers(3 * layer.shape().1, 3)).unwrap();
                let y =
                    Array2::from_shape_vec((3, layer.shape().0), integers(3 * layer.shape().0, 4)).unwrap();
                let columns = direct.apply_batch(x.t()).unwrap();
                assert_eq!(columns, matrix.apply_batch(x.t()).unwrap(), "{plain:?}");
                let columns = direct.apply_adjoint_batch(y.t()).unwrap();
                assert_eq!(columns, matrix.apply_adjoint_batch(y.t()).unwrap(), "{plain:?}");
                for (x, y) in x.rows().into_iter().zip(y.rows()) {
                    let (x, y) = (x.to_vec(), y.to_vec());
                    assert_eq!(direct.apply(&x).unwrap(), matrix.apply(&x).unwrap(), "{plain:?}");
                    assert_eq!(
                        direct.apply_adjoint(&y).unwrap(),
                        matrix.apply_adjoint(&y).unwrap(),
                        "{plain:?}"
                    );
                }
            }
        }
    }
}

/// An infinity or NaN in y reaches the taps that see it, and no others: at the ends some do not.
#[test]
fn what_is_not_finite_stays_within_the_taps_that_see_it() {
    let weights = ArrayD::<f64>::ones(IxDyn(&[2, 1, 3]));
    let layer = FilterBank::<f64, 1>::layer(weights.view(), [40], Layer::new().padding([1])).unwrap();
    let (x, mut y) = (vec![1.0; 40], vec![1.0; 80]);
    y[0] = f64::NAN;
    let gradient = layer.adjoint_kernel(&x, &y).unwrap();
    let seen: Vec<bool> = gradient.iter().map(|v| v.is_nan()).collect();
    assert_eq!(seen, [false, true, true, false, false, false]);
    assert_eq!(gradient[0], 39.0);
}

#[test]
fn batches_are_whole_and_as_long_as_each_other() {
    let layer =
        FilterBank::<f64, 1>::layer(zeros(&[2, 1, 3]).view(), [5], Layer::new().padding([1])).unwrap();
    let length = |x: usize, y: usize| error(layer.adjoint_kernel_batch(&vec![0.0; x], &vec![0.0; y]));
    assert!(matches!(length(11, 20), Error::Length { what: "x", expected: 10, got: 11 }));
    assert!(matches!(length(10, 10), Error::Length { what: "y", expected: 20, got: 10 }));
    assert!(matches!(error(layer.adjoint_kernel(&[0.0; 10], &[0.0; 20])), Error::Length { what: "x", .. }));
    assert_eq!(layer.adjoint_kernel_batch(&[], &[]).unwrap(), [0.0; 6]);
}
