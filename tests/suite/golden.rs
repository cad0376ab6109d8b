//! The golden files of Octave, SciPy, NumPy, torch and MATLAB, each case by the direct engine and by the matrix.

use crate::common::dense_of_operator;
use crate::common::golden_data::{Case, Group, MODES, Sparse, mode};
use convmtx::csr::CsrOperator;
use convmtx::direct::DirectConv;
use convmtx::op::{Apply, Vector};
use convmtx::{
    Boundary, Conv, Conv1d, Conv2d, Conv3d, ConvMode, Convention, Error, FilterBank, Geometry, Layer, Order,
    RowwiseConv, Scalar, Summation,
};
use ndarray::{ArrayD, ArrayView1, Axis, IxDyn};
use sprs::CsMatI;

/// The constructor of every dimension, under one name.
trait Build<T: Scalar, const D: usize>: Sized {
    fn build(kernel: &ArrayD<T>, signal: &[usize], geometry: Geometry<T, D>) -> Self;
}

impl<T: Scalar> Build<T, 1> for Conv1d<T> {
    fn build(kernel: &ArrayD<T>, signal: &[usize], geometry: Geometry<T, 1>) -> Self {
        assert_eq!(kernel.ndim(), 1);
        Conv1d::new(kernel.as_slice().unwrap(), signal[0], geometry).unwrap()
    }
}

impl<T: Scalar> Build<T, 2> for Conv2d<T> {
    fn build(kernel: &ArrayD<T>, signal: &[usize], geometry: Geometry<T, 2>) -> Self {
        let kernel = kernel.view().into_dimensionality().unwrap();
        Conv2d::new(kernel, signal.try_into().unwrap(), geometry).unwrap()
    }
}

impl<T: Scalar> Build<T, 3> for Conv3d<T> {
    fn build(kernel: &ArrayD<T>, signal: &[usize], geometry: Geometry<T, 3>) -> Self {
        let kernel = kernel.view().into_dimensionality().unwrap();
        Conv3d::new(kernel, signal.try_into().unwrap(), geometry).unwrap()
    }
}

/// Direct engine in both orders of summation, and the matrix; each plus the constant term where there is one.
fn check_products<T: Scalar, const D: usize>(
    (group, case, what): (&Group, &Case, &str),
    direct: DirectConv<T, D>,
    matrix: CsMatI<T, i32>,
    term: Option<Vec<T>>,
    (x, want): (&[T], &[T]),
) {
    let plus_term = |mut y: Vec<T>| {
        if let Some(term) = &term {
            y.iter_mut().zip(term).for_each(|(y, &d)| *y += d);
        }
        y
    };
    let check = |engine: &str, y: Vec<T>| group.check(case, &format!("{what} {engine}"), &plus_term(y), want);
    check("direct", direct.apply(x).unwrap());
    check("ascending", direct.with_summation(Summation::Ascending).apply(x).unwrap());
    check("matrix", CsrOperator::new(matrix).unwrap().apply(x).unwrap());
}

fn check_conv<T: Scalar, const D: usize>(
    at: (&Group, &Case, &str),
    conv: &Conv<T, D>,
    x: &ArrayD<T>,
    want: &ArrayD<T>,
) {
    let (x, flat) = (x.as_slice().unwrap(), want.as_slice().unwrap());
    assert_eq!(conv.output_shape(), want.shape(), "{} {}", at.1.id(), at.2);
    at.0.check(at.1, at.2, &conv.apply(x).unwrap(), flat);
    check_products(
        at,
        conv.to_direct().unwrap(),
        conv.to_csr().unwrap(),
        conv.constant_term().unwrap(),
        (x, flat),
    );
}

/// The matrix entry by entry, and the direct engine on unit vectors.
fn check_matrix<T: Scalar, const D: usize>(
    (group, case, what): (&Group, &Case, &str),
    conv: &Conv<T, D>,
    want: &Sparse<T>,
) {
    group.check_matrix(case, what, &conv.to_csr().unwrap(), want);
    let (forward, adjoint) = dense_of_operator(&conv.to_direct().unwrap());
    assert_eq!(forward.shape(), want.shape, "{} {what}", case.id());
    let mut dense = nalgebra::DMatrix::from_element(want.shape.0, want.shape.1, T::zero());
    want.entries.iter().for_each(|&(r, c, v)| dense[(r, c)] = v);
    group.check(case, &format!("{what} direct"), forward.as_slice(), dense.as_slice());
    group.check(
        case,
        &format!("{what} adjoint"),
        adjoint.as_slice(),
        crate::common::adjoint(&dense).as_slice(),
    );
}

fn three_parts<T: Scalar, const D: usize>(group: &Group, case: &Case)
where
    Conv<T, D>: Build<T, D>,
{
    let (x, h) = (case.input::<T>("x"), kernel::<T>(case));
    for (word, mode) in MODES {
        let conv = Conv::build(&h, x.shape(), mode.into());
        check_conv((group, case, word), &conv, &x, &case.expected(word));
    }
}

/// `h`, or the outer product of `u` (down the columns) and `v` (along the rows).
fn kernel<T: Scalar>(case: &Case) -> ArrayD<T> {
    if case.has_input("h") {
        return case.input("h");
    }
    let (u, v) = (case.vector::<T>("u"), case.vector::<T>("v"));
    ArrayD::from_shape_fn(IxDyn(&[u.len(), v.len()]), |i| u[i[0]] * v[i[1]])
}

#[test]
fn conv1d() {
    let group = Group::load("conv1d");
    for case in &group.cases {
        in_dtype!(case, three_parts::<1>(&group, case));
    }
    group.done(67);
}

#[test]
fn conv2d() {
    let group = Group::load("conv2d");
    for case in &group.cases {
        in_dtype!(case, three_parts::<2>(&group, case));
        if case.has_input("u") {
            in_one_dimension_after_the_other(&group, case);
        }
    }
    group.done(34);
}

/// `conv2(u, v, X)` as two convolutions: u down the columns, then v along the rows.
fn in_one_dimension_after_the_other(group: &Group, case: &Case) {
    let x = case.input::<f64>("x");
    for (word, mode) in MODES {
        let u = case.input::<f64>("u").insert_axis(Axis(1));
        let v = case.input::<f64>("v").insert_axis(Axis(0));
        let down = Conv2d::build(&u, x.shape(), mode.into());
        let mut y = down.apply(x.as_slice().unwrap()).unwrap();
        if !y.is_empty() {
            y = Conv2d::build(&v, &down.output_shape(), mode.into()).apply(&y).unwrap();
        }
        group.check(case, word, &y, case.expected::<f64>(word).as_slice().unwrap());
    }
}

#[test]
fn convn() {
    let group = Group::load("convn");
    for case in &group.cases {
        in_dtype!(case, three_parts::<3>(&group, case));
    }
    group.done(6);
}

#[test]
fn convmtx() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        let (h, n) = (case.vector::<T>("h"), case.size("n"));
        let want = case.expected_matrix("matrix");
        let conv = Conv1d::new(&h, n, ConvMode::Full).unwrap();
        match case.word("orientation") {
            "column" => {
                group.check_matrix(case, "convmtx", &convmtx::convmtx(&h, n).unwrap(), &want);
                check_matrix((group, case, "to_csr"), &conv, &want);
            }
            "row" => {
                group.check_matrix(case, "convmtx_row", &convmtx::convmtx_row(&h, n).unwrap(), &want);
                group.check_matrix(case, "transpose", &conv.to_csr_transpose().unwrap(), &want);
            }
            other => panic!("orientation {other}"),
        }
    }
    let group = Group::load("convmtx");
    for case in &group.cases {
        in_dtype!(case, one::<1>(&group, case));
    }
    group.done(20);
}

#[test]
fn matrix1d() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        for (word, mode) in MODES {
            let conv = Conv1d::new(&case.vector::<T>("h"), case.size("n"), mode).unwrap();
            check_matrix((group, case, word), &conv, &case.expected_matrix(word));
        }
    }
    let group = Group::load("matrix1d");
    for case in &group.cases {
        in_dtype!(case, one::<1>(&group, case));
    }
    group.done(22);
}

#[test]
fn matrix2d() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        let (h, size) = (case.input::<T>("h"), case.sizes::<2>("size"));
        for (word, mode) in MODES {
            for (suffix, order) in [("F", Order::ColumnMajor), ("C", Order::RowMajor)] {
                let conv = Conv2d::build(&h, &size, Geometry::from(mode).order(order));
                let what = format!("{word}_{suffix}");
                check_matrix((group, case, &what), &conv, &case.expected_matrix(&what));
            }
        }
        let [m, n] = size;
        let t = convmtx::convmtx2(h.view().into_dimensionality::<ndarray::Ix2>().unwrap(), m, n).unwrap();
        group.check_matrix(case, "convmtx2", &t, &case.expected_matrix("full_F"));
    }
    let group = Group::load("matrix2d");
    for case in &group.cases {
        in_dtype!(case, one::<2>(&group, case));
    }
    group.done(15);
}

fn boundary(case: &Case) -> Boundary<f64> {
    match case.word("boundary") {
        "constant" => Boundary::Constant(case.number("value")),
        word => crate::common::boundary(word),
    }
}

/// The geometry of MATLAB's `imfilter` with these options.
fn filter_geometry<const D: usize>(case: &Case, mode: ConvMode, boundary: Boundary<f64>) -> Geometry<f64, D> {
    let geometry = Geometry::from(mode).boundary(boundary);
    match case.word("mode") {
        "conv" => geometry,
        "corr" => geometry.correlate(),
        other => panic!("mode {other}"),
    }
}

#[test]
fn imfilter() {
    let group = Group::load("imfilter");
    for case in &group.cases {
        let (x, h) = (case.input::<f64>("x"), case.input::<f64>("h"));
        for word in ["same", "full"] {
            let geometry = filter_geometry(case, mode(word).unwrap(), boundary(case));
            let want = case.expected::<f64>(word);
            let conv = Conv2d::build(&h, x.shape(), geometry);
            assert_eq!(conv.constant_term().unwrap().is_some(), case.word("boundary") == "constant");
            check_conv((&group, case, word), &conv, &x, &want);
            // The same image, column by column.
            let (xt, wt) =
                (x.t().iter().copied().collect::<Vec<_>>(), want.t().iter().copied().collect::<Vec<_>>());
            let conv = Conv2d::build(&h, x.shape(), geometry.order(Order::ColumnMajor));
            group.check(case, &format!("{word} column-major"), &conv.apply(&xt).unwrap(), &wt);
        }
    }
    group.done(104);
}

#[test]
fn imfilter_matrix() {
    let group = Group::load("imfilter_matrix");
    for case in &group.cases {
        let (h, size) = (case.input::<f64>("h"), case.sizes::<2>("size"));
        for word in ["same", "full"] {
            let geometry =
                filter_geometry(case, mode(word).unwrap(), crate::common::boundary(case.word("boundary")));
            let conv = Conv2d::build(&h, &size, geometry.order(Order::ColumnMajor));
            check_matrix((&group, case, word), &conv, &case.expected_matrix(word));
        }
    }
    group.done(24);
}

#[test]
fn boundary1d() {
    let group = Group::load("boundary1d");
    for case in &group.cases {
        let (x, h) = (case.input::<f64>("x"), case.input::<f64>("h"));
        for word in ["same", "full"] {
            let geometry = Geometry::from(mode(word).unwrap()).boundary(boundary(case));
            let conv = Conv1d::build(&h, x.shape(), geometry);
            check_conv((&group, case, word), &conv, &x, &case.expected(word));
        }
    }
    group.done(35);
}

#[test]
fn rowwise() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        let (a, b) = (case.input::<T>("a"), case.input::<T>("b"));
        let signals = (a.shape()[0], a.shape()[1]);
        let kernels = b.view().into_dimensionality::<ndarray::Ix2>().unwrap();
        for (word, mode) in MODES {
            let rows = RowwiseConv::new(kernels, signals, mode).unwrap();
            let want = case.expected::<T>(word);
            assert_eq!(rows.output_shape(), (want.shape()[0], want.shape()[1]), "{} {word}", case.id());
            let (x, want) = (a.as_slice().unwrap(), want.as_slice().unwrap());
            group.check(case, word, &rows.apply(x).unwrap(), want);
            let (direct, matrix) = (rows.to_direct().unwrap(), rows.to_csr().unwrap());
            check_products((group, case, word), direct, matrix, rows.constant_term().unwrap(), (x, want));
        }
    }
    let group = Group::load("rowwise");
    for case in &group.cases {
        in_dtype!(case, one::<1>(&group, case));
    }
    group.done(10);
}

fn layer_of<const D: usize>(case: &Case) -> Layer<D> {
    Layer::new()
        .stride(case.sizes("stride"))
        .padding(case.sizes("padding"))
        .dilation(case.sizes("dilation"))
        .groups(case.size("groups"))
}

/// The lengths of the axes behind the batch and the channels.
fn axes<T, const D: usize>(array: &ArrayD<T>) -> [usize; D] {
    array.shape()[2..].try_into().unwrap()
}

/// The elements of every member of a batch.
fn members<T>(array: &ArrayD<T>) -> impl Iterator<Item = &[T]> {
    array.axis_iter(Axis(0)).map(|member| member.to_slice().unwrap())
}

#[test]
fn conv_layer() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        let [x, w, g] = ["x", "w", "g"].map(|name| case.input::<T>(name));
        let [y, grad_x, grad_w] = ["y", "grad_x", "grad_w"].map(|name| case.expected::<T>(name));
        let layer = FilterBank::<T, D>::layer(w.view(), axes(&x), layer_of(case)).unwrap();
        assert_eq!(layer.input_shape(), (x.shape()[1], axes(&x)));
        assert_eq!(layer.output_shape(), (y.shape()[1], axes(&y)));
        let matrix = CsrOperator::new(layer.to_csr().unwrap()).unwrap();
        let direct = layer.to_direct().unwrap();
        let mut gradient = vec![T::zero(); w.len()];
        for (i, ((x, y), (g, grad_x))) in
            members(&x).zip(members(&y)).zip(members(&g).zip(members(&grad_x))).enumerate()
        {
            let at = |what: &str| format!("{what} of member {i}");
            group.check(case, &at("y"), &layer.apply(x).unwrap(), y);
            let operators = (layer.to_direct().unwrap(), layer.to_csr().unwrap());
            check_products((group, case, &at("y")), operators.0, operators.1, None, (x, y));
            group.check(case, &at("grad_x direct"), &direct.apply_adjoint(g).unwrap(), grad_x);
            group.check(case, &at("grad_x matrix"), &matrix.apply_adjoint(g).unwrap(), grad_x);
            let of_member = layer.adjoint_kernel(x, g).unwrap();
            gradient.iter_mut().zip(of_member).for_each(|(sum, v)| *sum += v);
        }
        group.check(case, "grad_w", &gradient, grad_w.as_slice().unwrap());
    }
    let group = Group::load("conv_layer");
    for case in &group.cases {
        match case.input::<f64>("x").ndim() {
            3 => in_dtype!(case, one::<1>(&group, case)),
            4 => in_dtype!(case, one::<2>(&group, case)),
            other => panic!("{other} axes"),
        }
    }
    group.done(11);
}

#[test]
fn conv_transpose() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case) {
        let (x, w, y) = (case.input::<T>("x"), case.input::<T>("w"), case.expected::<T>("y"));
        let parameters = layer_of::<D>(case);
        let padded = parameters.output_padding(case.sizes("output_padding"));
        let transposed = FilterBank::<T, D>::transposed_layer(w.view(), axes(&x), padded).unwrap();
        assert_eq!(transposed.input_shape(), (x.shape()[1], axes(&x)));
        assert_eq!(transposed.output_shape(), (y.shape()[1], axes(&y)), "{}", case.id());
        // The same numbers as the adjoint of the layer with these weights, from signals of y's shape.
        let layer = FilterBank::<T, D>::layer(w.view(), axes(&y), parameters).unwrap();
        assert_eq!(layer.output_shape(), (x.shape()[1], axes(&x)), "{}", case.id());
        let adjoint = CsrOperator::new(layer.to_csr().unwrap()).unwrap();
        for (x, y) in members(&x).zip(members(&y)) {
            group.check(case, "y", &transposed.apply(x).unwrap(), y);
            let operators = (transposed.to_direct().unwrap(), transposed.to_csr().unwrap());
            check_products((group, case, "y"), operators.0, operators.1, None, (x, y));
            group.check(
                case,
                "adjoint of the layer",
                &layer.to_direct().unwrap().apply_adjoint(x).unwrap(),
                y,
            );
            group.check(case, "adjoint of its matrix", &adjoint.apply_adjoint(x).unwrap(), y);
        }
    }
    let group = Group::load("conv_transpose");
    for case in &group.cases {
        match case.input::<f64>("x").ndim() {
            3 => in_dtype!(case, one::<1>(&group, case)),
            4 => in_dtype!(case, one::<2>(&group, case)),
            other => panic!("{other} axes"),
        }
    }
    group.done(6);
}

#[test]
fn adjoint() {
    fn one<T: Scalar, const D: usize>(group: &Group, case: &Case)
    where
        Conv<T, D>: Build<T, D>,
    {
        let [x, h, y] = ["x", "h", "y"].map(|name| case.input::<T>(name));
        let [ax, signal, kernel, inner] =
            ["ax", "adjoint_signal", "adjoint_kernel", "inner_product"].map(|name| case.expected::<T>(name));
        let conv = Conv::<T, D>::build(&h, x.shape(), mode(case.word("shape")).unwrap().into());
        check_conv((group, case, "ax"), &conv, &x, &ax);
        let [x, h, y] = [&x, &h, &y].map(|a| a.as_slice().unwrap());
        let [ax, signal, kernel] = [&ax, &signal, &kernel].map(|a| a.as_slice().unwrap());
        let matrix = CsrOperator::new(conv.to_csr().unwrap()).unwrap();
        let by_kernel = conv.kernel_operator(x).unwrap();
        let kernel_matrix = CsrOperator::new(by_kernel.to_csr().unwrap()).unwrap();
        let check = |what: &str, got: Vec<T>, want: &[T]| group.check(case, what, &got, want);
        check("adjoint_signal direct", conv.to_direct().unwrap().apply_adjoint(y).unwrap(), signal);
        check("adjoint_signal matrix", matrix.apply_adjoint(y).unwrap(), signal);
        check("adjoint_kernel", conv.adjoint_kernel(x, y).unwrap(), kernel);
        check("adjoint_kernel matrix", kernel_matrix.apply_adjoint(y).unwrap(), kernel);
        check("ax by the kernel operator", by_kernel.apply(h).unwrap(), ax);
        // ⟨Ax, y⟩ = ⟨x, Aᴴy⟩ = ⟨h, Hᴴy⟩
        let inner = inner.iter().copied().collect::<Vec<_>>();
        check("inner product of outputs", vec![ax.dot(y).unwrap()], &inner);
        check("inner product of signals", vec![x.dot(signal).unwrap()], &inner);
        check("inner product of kernels", vec![h.dot(kernel).unwrap()], &inner);
    }
    let group = Group::load("adjoint");
    for case in &group.cases {
        match case.input::<num_complex::Complex64>("x").ndim() {
            1 => in_dtype!(case, one::<1>(&group, case)),
            2 => in_dtype!(case, one::<2>(&group, case)),
            other => panic!("{other} axes"),
        }
    }
    group.done(31);
}

#[test]
fn conventions() {
    let group = Group::load("conventions");
    for case in &group.cases {
        let (x, h) = (case.input::<f64>("x"), case.input::<f64>("h"));
        for (word, mode) in MODES {
            for (name, convention) in [("scipy", Convention::Scipy), ("numpy", Convention::Numpy)] {
                let conv = Conv1d::build(&h, x.shape(), Geometry::from(mode).convention(convention));
                let what = format!("{name}_{word}");
                check_conv((&group, case, &what), &conv, &x, &case.expected(&what));
            }
            // scipy.linalg.convolution_matrix follows NumPy.
            let conv = Conv1d::build(&h, x.shape(), Geometry::from(mode).convention(Convention::Numpy));
            let what = format!("numpy_matrix_{word}");
            check_matrix((&group, case, &what), &conv, &case.expected_matrix(&what));
        }
    }
    group.done(13);
}

#[test]
fn seeds() {
    // The numbers themselves are told as stories in seeds.rs; here is what every group gets.
    let group = Group::load("seeds");
    let scatter = group.case("001_scatter");
    let (vals, w0) = (scatter.input::<f64>("vals"), scatter.input::<f64>("w0"));
    for (name, mode) in [("stack", ConvMode::Full), ("cropped", ConvMode::Same)] {
        let bank = FilterBank::new(w0.view(), [5, 5], mode).unwrap();
        let want = scatter.expected::<f64>(name);
        let products = (vals.as_slice().unwrap(), want.as_slice().unwrap());
        let operators = (bank.to_direct().unwrap(), bank.to_csr().unwrap());
        check_products((&group, scatter, name), operators.0, operators.1, None, products);
    }
    let gradient = group.case("001_kernel_gradient");
    let (vals, a) = (gradient.vector::<f64>("vals"), gradient.input::<f64>("a"));
    let want = gradient.expected::<f64>("grad");
    for (a, want) in members(&a).zip(members(&want)) {
        let any = ArrayD::zeros(IxDyn(&[3, 3]));
        let correlation = Conv2d::build(&any, &[5, 5], Geometry::same().correlate());
        group.check(gradient, "grad", &correlation.adjoint_kernel(a, &vals).unwrap(), want);
    }
    let rowwise = group.case("000_rowwise");
    let (a, b) = (rowwise.input::<f64>("a"), rowwise.input::<f64>("b"));
    let rows = RowwiseConv::new(b.view().into_dimensionality().unwrap(), (4, 10), ConvMode::Full).unwrap();
    for name in ["c", "c_torch"] {
        let want = rowwise.expected::<f64>(name);
        let products = (a.as_slice().unwrap(), want.as_slice().unwrap());
        let operators = (rows.to_direct().unwrap(), rows.to_csr().unwrap());
        check_products((&group, rowwise, name), operators.0, operators.1, None, products);
    }
    let binomial = group.case("002_binomial50");
    for (word, mode) in MODES {
        let conv = Conv1d::new(&binomial.vector::<f64>("h"), binomial.size("n"), mode).unwrap();
        check_matrix((&group, binomial, word), &conv, &binomial.expected_matrix(word));
    }
    group.done(4);
}

#[test]
fn matlab_doc() {
    let group = Group::load("matlab_doc");
    for case in &group.cases {
        let want = case.expected::<f64>("y");
        let h = case.input::<f64>("h");
        let of_word = || mode(case.word("shape")).unwrap();
        match case.word("call") {
            "conv" => {
                let x = case.input::<f64>("x");
                check_conv(
                    (&group, case, "conv"),
                    &Conv1d::build(&h, x.shape(), of_word().into()),
                    &x,
                    &want,
                );
            }
            "conv2" => {
                let x = case.input::<f64>("x");
                let conv = Conv2d::build(&h, x.shape(), of_word().into());
                check_conv((&group, case, "conv2"), &conv, &x, &want);
                if of_word() == ConvMode::Full {
                    by_convmtx2(&group, case, &x, &h, &want);
                }
            }
            "imfilter" => {
                let x = case.input::<f64>("x");
                let geometry =
                    filter_geometry(case, of_word(), crate::common::boundary(case.word("boundary")));
                check_conv((&group, case, "imfilter"), &Conv2d::build(&h, x.shape(), geometry), &x, &want);
            }
            "cconv" => {
                // Modulo n, for a signal of n samples.
                let (x, n) = (case.input::<f64>("x"), case.size("n"));
                assert_eq!(x.len(), n);
                let geometry = Geometry::window([0], [n]).boundary(Boundary::Periodic);
                check_conv((&group, case, "cconv"), &Conv1d::build(&h, x.shape(), geometry), &x, &want);
            }
            "convmtx" => {
                assert_eq!(case.word("orientation"), "row");
                let a = convmtx::convmtx_row(h.as_slice().unwrap(), case.size("n")).unwrap().to_dense();
                assert_eq!(a.shape(), want.shape(), "{}", case.id());
                group.check(case, "convmtx", a.as_slice().unwrap(), want.as_slice().unwrap());
            }
            "deconv_q" => group.check(case, "q", &divide(case).0, want.as_slice().unwrap()),
            "deconv_r" => group.check(case, "r", &divide(case).1, want.as_slice().unwrap()),
            other => panic!("{}: call {other}", case.id()),
        }
    }
    group.done(20);
}

/// `reshape(convmtx2(H, m, n)*X(:), size(H) + [m n] − 1)`
fn by_convmtx2(group: &Group, case: &Case, x: &ArrayD<f64>, h: &ArrayD<f64>, want: &ArrayD<f64>) {
    let h = h.view().into_dimensionality::<ndarray::Ix2>().unwrap();
    let t = convmtx::convmtx2(h, x.shape()[0], x.shape()[1]).unwrap();
    let columns = |a: &ArrayD<f64>| a.t().iter().copied().collect::<Vec<_>>();
    let y = CsrOperator::new(t).unwrap().apply(&columns(x)).unwrap();
    group.check(case, "convmtx2", &y, &columns(want));
}

/// Polynomial division through the matrix: the first rows of `convmtx(h, q)` are a triangular system for the quotient.
fn divide(case: &Case) -> (Vec<f64>, Vec<f64>) {
    let (y, h) = (case.vector::<f64>("y"), case.vector::<f64>("h"));
    let len = y.len() - h.len() + 1;
    let conv = Conv1d::new(&h, len, ConvMode::Full).unwrap();
    let top = conv.to_dense().unwrap().rows(0, len).into_owned();
    let q = top.solve_lower_triangular(&nalgebra::DVector::from_column_slice(&y[..len])).unwrap();
    let product = conv.apply(q.as_slice()).unwrap();
    let remainder = ArrayView1::from(&y[..]).to_owned() - ArrayView1::from(&product[..]);
    (q.as_slice().to_vec(), remainder.to_vec())
}

#[test]
fn errors() {
    let group = Group::load("errors");
    for case in &group.cases {
        group.count();
        let name = case.id().strip_prefix("errors/").unwrap();
        let conv = || {
            let n = if case.has_input("n") { case.int("n") } else { case.vector::<f64>("x").len() as i64 };
            // Negative lengths and unknown words do not get past the types.
            let n = usize::try_from(n).ok()?;
            Some(Conv1d::new(&case.vector::<f64>("h"), n, mode(case.word("shape"))?))
        };
        match name {
            "empty_kernel" | "convolve_empty_kernel" => {
                assert!(matches!(conv(), Some(Err(Error::Empty { what: "the kernel" }))));
            }
            "n_zero" => assert!(matches!(conv(), Some(Err(Error::Empty { what: "the signal" })))),
            "n_negative" | "bad_shape" => assert!(conv().is_none()),
            "rowwise_mismatch" => {
                let (a, b) = (case.input::<f64>("a"), case.input::<f64>("b"));
                let kernels = b.view().into_dimensionality().unwrap();
                let rows = RowwiseConv::new(kernels, (a.shape()[0], a.shape()[1]), ConvMode::Full);
                assert!(matches!(rows, Err(Error::Value { what: "the number of kernel rows", .. })));
            }
            "rhs_length" => {
                let (conv, b) = (conv().unwrap().unwrap(), case.vector::<f64>("b"));
                let direct = conv.to_direct().unwrap().apply_adjoint(&b);
                let matrix = CsrOperator::new(conv.to_csr().unwrap()).unwrap().apply_adjoint(&b);
                for error in [direct.unwrap_err(), matrix.unwrap_err()] {
                    assert!(matches!(error, Error::Length { what: "y", expected: 5, got: 7 }), "{error}");
                }
            }
            "valid_k_gt_n" => {
                let conv = conv().unwrap().unwrap();
                let shape = case.expected_sizes("shape");
                assert_eq!(conv.shape(), (shape[0], shape[1]));
                assert_eq!(conv.to_csr().unwrap().shape(), (shape[0], shape[1]));
                assert!(conv.apply(&vec![1.0; shape[1]]).unwrap().is_empty());
            }
            other => panic!("no such error case: {other}"),
        }
        assert_eq!(case.is_expected("error"), name != "valid_k_gt_n");
    }
    group.done(8);
}
