//! How a command ends when it is not left alone: interrupts, closed pipes, helpful words.

use crate::{Place, image};
use convmtx::io::{Depth, write_image};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn help_teaches_and_version_is_told() {
    let place = Place::new();
    let help = place.succeed(&["--help"]);
    for command in ["demo", "matrix", "apply", "blur", "deblur", "dottest"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let own = place.succeed(&[command, "--help"]);
        assert!(own.contains("Example") && own.contains(&format!("convmtx {command} ")), "{own}");
    }
    assert!(place.succeed(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
    let nothing = place.run(&[]);
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(2), ""));
    assert!(nothing.err.contains("Usage"));
}

#[test]
#[cfg(unix)]
fn interrupts_leave_no_file_and_code_130() {
    for signal in ["-INT", "-TERM", "-QUIT"] {
        let place = Place::new();
        write_image(place.path("x.png"), &image(300, 300, 1, Depth::U8)).unwrap();
        let args = ["deblur", "x.png", "--psf", "disk:radius=5", "--method", "rl", "--iterations", "1000000"];
        let mut command = place.command(&[&args[..], &["-o", "y.png", "--report", "page.svg"]].concat());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let sent = Instant::now();
        let killed =
            Command::new("sh").args(["-c", &format!("kill {signal} {}", child.id())]).status().unwrap();
        assert!(killed.success(), "the command had ended before the signal");
        let output = child.wait_with_output().unwrap();
        assert!(sent.elapsed() < Duration::from_secs(5));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert_eq!(said, "convmtx: interrupted; unfinished files were removed\n");
        assert_eq!(place.names(), ["x.png"]);
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Place::new();
    let args = ["matrix", "-k", "1,2,3", "--size", "40", "-o", "K.npz"];
    let mut child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take()); // before anything is printed, or after: neither may matter
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    assert_eq!(place.names(), ["K.npz"]);

    let mut child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "full convolution, boundary zero\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_an_error() {
    let place = Place::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = place.command(&["matrix", "-k", "1,2,3", "--size", "4"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("convmtx: stdout: No space left"));
}

#[test]
#[cfg(unix)]
fn a_limit_on_the_size_of_files_is_an_error_and_leaves_nothing() {
    let place = Place::new();
    let convmtx = env!("CARGO_BIN_EXE_convmtx");
    // The shell's unit is 512 or 1024 bytes; both files are far larger.
    for output in ["K.mtx", "K.npz"] {
        let line = format!("ulimit -f 1; exec '{convmtx}' matrix -k 1,2,3 --size 20000 -o {output}");
        let mut command = Command::new("sh");
        let done = command.args(["-c", &line]).current_dir(place.path(".")).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{output}: {said}");
        assert!(said.starts_with("convmtx: ") && said.lines().count() == 1, "{said}");
        assert!(place.names().is_empty(), "{:?}", place.names());
    }
}

#[test]
#[cfg(unix)]
fn words_that_are_not_text_are_refused_in_one_line() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let done = place.command(&[]).arg(std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), said.lines().count()), (Some(2), 1), "{said}");
}
