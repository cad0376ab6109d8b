//! The golden files: cases computed by other programs, each naming its program and version.
#![allow(dead_code)] // every test file uses its own part

use convmtx::num_complex::Complex64;
use serde_json::Value;
use std::path::Path;

/// A number of a golden file: a JSON number, or "nan", "inf", "-inf".
pub fn number(v: &Value) -> f64 {
    match v.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => v.as_f64().expect("a number"),
    }
}

/// A size of a golden file.
pub fn size(v: &Value) -> usize {
    usize::try_from(v.as_u64().expect("a size")).expect("a size")
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().expect("a list").iter().map(number).collect()
}

/// An array, row-major.
#[derive(Debug, Clone)]
pub struct Array<T> {
    pub shape: Vec<usize>,
    pub data: Vec<T>,
}

fn shape(v: &Value) -> Vec<usize> {
    v["shape"].as_array().expect("a shape").iter().map(size).collect()
}

/// A real array.
pub fn array(v: &Value) -> Array<f64> {
    let array = Array { shape: shape(v), data: numbers(&v["data"]) };
    assert_eq!(array.data.len(), array.shape.iter().product::<usize>());
    array
}

/// A complex array, or a real one as complex.
pub fn complex_array(v: &Value) -> Array<Complex64> {
    if v["re"].is_null() {
        let Array { shape, data } = array(v);
        return Array { shape, data: data.into_iter().map(|re| Complex64::new(re, 0.0)).collect() };
    }
    let (re, im) = (numbers(&v["re"]), numbers(&v["im"]));
    Array { shape: shape(v), data: re.into_iter().zip(im).map(|(re, im)| Complex64::new(re, im)).collect() }
}

/// One case of a group.
#[derive(Debug)]
pub struct Case {
    pub id: String,
    pub inputs: Value,
    pub expected: Value,
    abs: f64,
    rel: f64,
}

impl Case {
    /// `|got − want| ≤ abs + rel·max|want|`, element by element; NaN and infinities must be equal.
    pub fn compare(&self, what: &str, got: &[f64], want: &[f64]) {
        self.compare_within(what, got, want, self.abs);
    }

    /// The same with an absolute tolerance of its own.
    pub fn compare_within(&self, what: &str, got: &[f64], want: &[f64], abs: f64) {
        assert_eq!(got.len(), want.len(), "{}: length of {what}", self.id);
        let largest = want.iter().filter(|w| w.is_finite()).fold(0.0_f64, |m, w| m.max(w.abs()));
        let bound = abs + self.rel * largest;
        for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
            let equal = got == want || (got.is_nan() && want.is_nan());
            let close = equal || (want.is_finite() && (got - want).abs() <= bound);
            assert!(close, "{}: {what}[{i}] is {got:e}, expected {want:e} within {bound:e}", self.id);
        }
    }
}

/// All cases of a group.
pub fn group(name: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let case = |c: &Value| Case {
        id: c["id"].as_str().expect("an id").to_owned(),
        inputs: c["inputs"].clone(),
        expected: c["expected"].clone(),
        abs: number(&c["tolerance"]["abs"]),
        rel: number(&c["tolerance"]["rel"]),
    };
    file["cases"].as_array().expect("a list of cases").iter().map(case).collect()
}

/// Runs `check` on every case of a group and prints how many there were.
pub fn for_each(name: &str, mut check: impl FnMut(&Case)) {
    let cases = group(name);
    cases.iter().for_each(&mut check);
    println!("golden {name}: {} cases", cases.len());
    assert!(!cases.is_empty());
}
