//! `plan`: the decision is printed with its reasons, and the rates of the machine are measured, kept and used.

use crate::Place;
use convmtx::plan::Rates;

const GAUSSIAN: [&str; 6] = ["plan", "--kernel", "gaussian:size=15,sigma=3", "--size", "300x200", "--shape"];

#[test]
fn plans_say_what_they_took_and_why() {
    let place = Place::new();
    let out = place.succeed(&[&GAUSSIAN[..], &["same"]].concat());
    assert!(out.contains("convolution 60000 x 60000, float64: separable"), "{out}");
    for words in ["operations", "bytes", "seconds", "an outer product, axis after axis", "tiles"] {
        assert!(out.contains(words), "no {words} in {out}");
    }
    let long = ["plan", "--kernel", "box:size=61", "--size", "61x61", "--dtype", "f32", "--exact"];
    let out = place.succeed(&long);
    assert!(out.contains("float32") && out.contains("exact results are asked for"), "{out}");
    assert!(place.succeed(&["plan", "-k", "1,2", "--size", "9", "--within", "1e-9"]).contains("direct"));
}

#[test]
fn wrong_plans_are_refused() {
    let place = Place::new();
    assert!(place.refuse(2, &["plan"]).contains("--size"));
    assert!(place.refuse(2, &["plan", "--size", "9"]).contains("--kernel"));
    assert!(place.refuse(2, &["plan", "-k", "1,2", "--size", "9", "--within", "-1"]).contains("-1"));
    assert!(place.refuse(2, &["plan", "-k", "1,2", "--size", "9", "--calibrate"]).contains("--calibrate"));
    assert!(place.refuse(2, &["plan", "-k", "1,2", "--size", "9x9"]).contains("as many axes"));
}

#[test]
fn rates_are_measured_kept_and_used() {
    let place = Place::new();
    let file = place.path("folder/rates.txt");
    let run = |args: &[&str]| {
        let output = place.command(args).env("CONVMTX_RATES", &file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let plan = [&GAUSSIAN[..], &["valid"]].concat();
    assert!(run(&plan).1.contains("rates of another machine"));
    let (code, out) = run(&["plan", "--calibrate"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("direct, images") && out.contains("copying memory"), "{out}");
    assert!(std::fs::read_to_string(&file).unwrap().parse::<Rates>().is_ok());
    assert!(run(&plan).1.contains("rates of this machine"));
    // A file of rates that is none does no harm.
    std::fs::write(&file, "nonsense").unwrap();
    assert!(run(&plan).1.contains("rates of another machine"));
    // Nowhere to keep them: one line, code 1.
    std::fs::write(place.path("plain"), "").unwrap();
    let nowhere = place.path("plain/rates.txt");
    let output = place.command(&["plan", "--calibrate"]).env("CONVMTX_RATES", &nowhere).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("plain"));
}
