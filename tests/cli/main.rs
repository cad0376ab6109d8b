//! The command line as a user meets it: files, printed numbers, exit codes, and what is left behind.
#![cfg(feature = "cli")]

mod demo;
mod ending;
mod pictures;
mod plan;
mod products;
mod refusals;

use convmtx::io::{AnyArray, Depth, Image, read_npy};
use convmtx::ndarray::{Array2, ArrayD};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder of its own in which commands are run.
pub(crate) struct Place(TempDir);

/// What a command left behind.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command that is about to run here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convmtx"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command; afterwards no temporary file may be left.
    pub fn run(&self, args: &[&str]) -> Outcome {
        let output = self.command(args).output().unwrap();
        self.assert_tidy();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command that must succeed in silence on stderr; what it printed.
    pub fn succeed(&self, args: &[&str]) -> String {
        let outcome = self.run(args);
        assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""), "{args:?}: {outcome:?}");
        outcome.out
    }

    /// Runs a command that must fail with one line on stderr and nothing on stdout; that line.
    pub fn refuse(&self, code: i32, args: &[&str]) -> String {
        let before = self.names();
        let outcome = self.run(args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
        assert!(outcome.err.starts_with("convmtx: ") && outcome.err.lines().count() == 1, "{outcome:?}");
        assert_eq!(outcome.out, "", "{args:?}");
        assert_eq!(self.names(), before, "{args:?} left files");
        outcome.err
    }

    /// The files that lie here.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn assert_tidy(&self) {
        assert!(!self.names().iter().any(|n| n.contains(".tmp-")), "{:?}", self.names());
    }

    pub fn read_f64(&self, name: &str) -> ArrayD<f64> {
        match read_npy(self.path(name)).unwrap() {
            AnyArray::F64(a) => a,
            other => panic!("{name} is {}", other.dtype()),
        }
    }
}

/// A picture with edges, texture and slopes; every channel differs.
pub fn scene(rows: usize, cols: usize, channels: usize) -> Vec<Array2<f64>> {
    let plane = |c: usize| {
        Array2::from_shape_fn((rows, cols), |(i, j)| {
            let (y, x) = (i as f64 / rows as f64, j as f64 / cols as f64);
            let square = if (0.25..0.6).contains(&y) && (0.3..0.75).contains(&x) { 0.4 } else { 0.0 };
            let stripes = 0.12 * (0.9 * (i + c) as f64).sin() * (0.7 * j as f64).cos();
            (0.3 + 0.2 * x - 0.1 * y + square + stripes + 0.05 * c as f64).clamp(0.0, 1.0)
        })
    };
    (0..channels).map(plane).collect()
}

/// [`scene`] as a picture.
pub fn image(rows: usize, cols: usize, channels: usize, depth: Depth) -> Image {
    Image::new(scene(rows, cols, channels), None, depth).unwrap()
}
