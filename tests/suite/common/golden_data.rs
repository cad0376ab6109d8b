//! Reading the golden files: numbers that other programs computed. See tests/golden/README.md.

use convmtx::{ConvMode, Real, Scalar};
use ndarray::{ArrayD, IxDyn};
use num_complex::Complex;
use num_traits::Float;
use serde_json::Value;
use sprs::CsMatI;
use std::cell::Cell;

/// A golden file, and how many arrays were compared with it.
pub struct Group {
    name: &'static str,
    pub cases: Vec<Case>,
    comparisons: Cell<usize>,
}

/// One case: inputs, expected results, tolerance.
pub struct Case(Value);

/// A sparse matrix as the files store it: sorted by row, then by column, no zeros.
pub struct Sparse<T> {
    pub shape: (usize, usize),
    pub entries: Vec<(usize, usize, T)>,
}

impl Group {
    pub fn load(name: &'static str) -> Self {
        let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let Value::Object(mut file) = serde_json::from_str(&text).expect("JSON") else { panic!("{path}") };
        let Some(Value::Array(cases)) = file.remove("cases") else { panic!("{path} has no cases") };
        Group { name, cases: cases.into_iter().map(Case).collect(), comparisons: Cell::new(0) }
    }

    pub fn case(&self, id: &str) -> &Case {
        self.cases.iter().find(|c| c.id() == format!("{}/{id}", self.name)).expect("a case of that name")
    }

    /// Counts a comparison made elsewhere.
    pub fn count(&self) {
        self.comparisons.set(self.comparisons.get() + 1);
    }

    /// `|got − want| ≤ abs + rel·max|want|` elementwise; `==` where the tolerance of the case is zero.
    pub fn check<T: Scalar>(&self, case: &Case, what: &str, got: &[T], want: &[T]) {
        self.check_within(case, what, got, want, case.tolerance().0);
    }

    /// The same with an absolute tolerance of its own.
    pub fn check_within<T: Scalar>(&self, case: &Case, what: &str, got: &[T], want: &[T], abs: f64) {
        self.count();
        let id = case.id();
        assert_eq!(got.len(), want.len(), "{id} {what}: length");
        let rel = case.tolerance().1;
        let largest = want.iter().map(|w| w.modulus().as_f64()).fold(0.0, f64::max);
        for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
            let nan = |v: T| v.modulus().is_nan();
            let equal = g == w || (nan(g) && nan(w));
            let near = (abs, rel) != (0.0, 0.0) && (g - w).modulus().as_f64() <= abs + rel * largest;
            assert!(equal || near, "{id} {what} [{i}]: {g}, expected {w}\n   got {got:?}\nwanted {want:?}");
        }
    }

    /// Structure and values, exactly.
    pub fn check_matrix<T: Scalar>(&self, case: &Case, what: &str, got: &CsMatI<T, i32>, want: &Sparse<T>) {
        self.count();
        let id = case.id();
        assert_eq!(got.shape(), want.shape, "{id} {what}: shape");
        assert!(got.is_csr(), "{id} {what}: compressed rows");
        got.check_compressed_structure().expect("sorted columns, no duplicates");
        let entries: Vec<_> = got.iter().map(|(&v, (r, c))| (r as usize, c as usize, v)).collect();
        assert_eq!(entries, want.entries, "{id} {what}");
    }

    /// Reports the numbers; a case that was skipped, or a file that lost one, fails here.
    pub fn done(self, cases: usize) {
        println!("group {}: {} cases, {} comparisons", self.name, self.cases.len(), self.comparisons.get());
        assert_eq!(self.cases.len(), cases, "cases of group {}", self.name);
        assert!(self.comparisons.get() >= cases, "group {}: every case compares something", self.name);
    }
}

impl Case {
    pub fn id(&self) -> &str {
        self.0["id"].as_str().expect("an id")
    }

    pub fn dtype(&self) -> &str {
        self.0["dtype"].as_str().expect("a dtype")
    }

    fn tolerance(&self) -> (f64, f64) {
        (number(&self.0["tolerance"]["abs"]), number(&self.0["tolerance"]["rel"]))
    }

    fn field(&self, of: &str, name: &str) -> &Value {
        self.0[of].get(name).unwrap_or_else(|| panic!("{} has no {of}/{name}", self.id()))
    }

    pub fn has_input(&self, name: &str) -> bool {
        self.0["inputs"].get(name).is_some()
    }

    /// Whether there is an expected result of this name.
    pub fn has_expected(&self, name: &str) -> bool {
        self.0["expected"].get(name).is_some()
    }

    pub fn input<T: Scalar>(&self, name: &str) -> ArrayD<T> {
        array(self.field("inputs", name))
    }

    /// The elements of an input vector.
    pub fn vector<T: Scalar>(&self, name: &str) -> Vec<T> {
        self.input(name).into_raw_vec_and_offset().0
    }

    pub fn expected<T: Scalar>(&self, name: &str) -> ArrayD<T> {
        array(self.field("expected", name))
    }

    pub fn expected_matrix<T: Scalar>(&self, name: &str) -> Sparse<T> {
        let v = self.field("expected", name);
        assert_eq!(v["format"], "coo", "{} {name}", self.id());
        let (shape, row, col) = (usizes(&v["shape"]), usizes(&v["row"]), usizes(&v["col"]));
        let values = scalars(v);
        assert!(row.len() == col.len() && row.len() == values.len());
        let entries = row.into_iter().zip(col).zip(values).map(|((r, c), v)| (r, c, v)).collect();
        Sparse { shape: (shape[0], shape[1]), entries }
    }

    pub fn is_expected(&self, name: &str) -> bool {
        self.field("expected", name).as_bool().expect("a truth value")
    }

    pub fn expected_sizes(&self, name: &str) -> Vec<usize> {
        usizes(self.field("expected", name))
    }

    /// A plain number, possibly negative.
    pub fn int(&self, name: &str) -> i64 {
        self.field("inputs", name).as_i64().expect("an integer")
    }

    pub fn size(&self, name: &str) -> usize {
        self.int(name).try_into().expect("not negative")
    }

    pub fn number(&self, name: &str) -> f64 {
        number(self.field("inputs", name))
    }

    /// One number per axis; a single one stands for all.
    pub fn sizes<const D: usize>(&self, name: &str) -> [usize; D] {
        match self.field("inputs", name) {
            list @ Value::Array(_) => usizes(list).try_into().expect("one number per axis"),
            one => [one.as_u64().expect("an integer") as usize; D],
        }
    }

    pub fn word(&self, name: &str) -> &str {
        self.field("inputs", name).as_str().expect("a word")
    }
}

/// The mode of a shape word; `None` for words that MATLAB does not know either.
pub fn mode(word: &str) -> Option<ConvMode> {
    MODES.iter().find(|m| m.0 == word).map(|m| m.1)
}

/// The shape words, and what they mean.
pub const MODES: [(&str, ConvMode); 3] =
    [("full", ConvMode::Full), ("same", ConvMode::Same), ("valid", ConvMode::Valid)];

/// A number of a golden file: a JSON number, or "nan", "inf", "-inf".
fn number(v: &Value) -> f64 {
    match v.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => v.as_f64().expect("a number"),
    }
}

fn list(v: &Value) -> &[Value] {
    v.as_array().expect("a list")
}

fn usizes(v: &Value) -> Vec<usize> {
    list(v).iter().map(|v| v.as_u64().expect("a size") as usize).collect()
}

/// The elements of an array; real data may be read as complex, never the reverse.
fn scalars<T: Scalar>(v: &Value) -> Vec<T> {
    let part = |name: &str| list(&v[name]).iter().map(number).collect::<Vec<_>>();
    let build = |re: f64, im: f64| T::from_parts(T::Real::of(re), T::Real::of(im));
    if v["dtype"] == "c128" {
        assert!(T::IS_COMPLEX, "complex data read as {}", T::NAME);
        let (re, im) = (part("re"), part("im"));
        assert_eq!(re.len(), im.len());
        return re.into_iter().zip(im).map(|(re, im)| build(re, im)).collect();
    }
    part("data").into_iter().map(|re| build(re, 0.0)).collect()
}

/// An array, or a bare number as an array without axes.
fn array<T: Scalar>(v: &Value) -> ArrayD<T> {
    if v.is_number() {
        return ArrayD::from_elem(IxDyn(&[]), T::from_real(T::Real::of(number(v))));
    }
    ArrayD::from_shape_vec(IxDyn(&usizes(&v["shape"])), scalars(v))
        .expect("as many elements as the shape says")
}

/// Calls `$function::<T, D>(arguments)` with the element type that the case names.
macro_rules! in_dtype {
    ($case:expr, $function:ident::<$dimensions:literal>($($argument:expr),*)) => {
        match $case.dtype() {
            "f32" => $function::<f32, $dimensions>($($argument),*),
            "f64" => $function::<f64, $dimensions>($($argument),*),
            "c128" => $function::<$crate::common::golden_data::Complex64, $dimensions>($($argument),*),
            other => panic!("{}: dtype {other}", $case.id()),
        }
    };
}

/// What the files call `c128`.
pub type Complex64 = Complex<f64>;
