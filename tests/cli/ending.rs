//! How a command ends when it is not left alone: interrupts, closed pipes, helpful words.

use crate::{Place, image};
use convmtx::io::{Depth, write_image};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
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

/// Work that nobody waits for.
#[cfg(unix)]
const ENDLESS: [&str; 12] = [
    "deblur",
    "x.png",
    "--psf",
    "disk:radius=5",
    "--method",
    "rl",
    "--iterations",
    "1000000",
    "-o",
    "y.png",
    "--report",
    "page.svg",
];

#[cfg(unix)]
fn send(signal: &str, child: &Child) {
    let line = format!("kill -{signal} {}", child.id());
    let sent = Command::new("sh").args(["-c", &line]).status().unwrap();
    assert!(sent.success(), "the command had ended before SIG{signal}");
}

/// Whether the tests were started with the signal ignored, as in the background of a script: children inherit that.
#[cfg(unix)]
fn ignored_here(signal: &str) -> bool {
    let number = match signal {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        _ => return false,
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() >> (number - 1) & 1 == 1)
}

#[test]
#[cfg(unix)]
fn interrupts_leave_no_file_and_code_130() {
    for signal in ["INT", "TERM", "QUIT", "HUP"].into_iter().filter(|s| !ignored_here(s)) {
        let place = Place::new();
        write_image(place.path("x.png"), &image(300, 300, 1, Depth::U8)).unwrap();
        let mut command = place.command(&ENDLESS);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let sent = Instant::now();
        send(signal, &child);
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

#[test]
#[cfg(target_os = "linux")]
fn signals_that_were_ignored_stay_ignored() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(300, 300, 1, Depth::U8)).unwrap();
    // As `nohup convmtx … &` in a script.
    let line =
        format!("trap '' HUP INT QUIT; exec '{}' {}", env!("CARGO_BIN_EXE_convmtx"), ENDLESS.join(" "));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(place.path(".")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    for signal in ["HUP", "INT", "QUIT"] {
        send(signal, &child);
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "an ignored signal ended the command");
    send("TERM", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.names(), ["x.png"]);
}

/// How a process that calls the command line as a function is told what to do next.
#[cfg(unix)]
const NEXT: &str = "CONVMTX_TEST_NEXT";

/// The process of the two tests below; nothing by itself.
#[test]
#[cfg(unix)]
fn a_process_that_calls_the_command_line() {
    let Ok(next) = std::env::var(NEXT) else { return };
    std::panic::set_hook(Box::new(|_| println!("own hook")));
    let matrix = ["matrix", "-k", "1,2,3", "--size", "4"];
    println!(
        "codes {:?}",
        [convmtx::cli::run(matrix), convmtx::cli::run(["matrix"]), convmtx::cli::run(matrix)]
    );
    assert!(std::panic::catch_unwind(|| panic!("heard by the hook")).is_err());
    println!("ready");
    if next == "work" {
        convmtx::cli::run(ENDLESS);
    }
    std::thread::sleep(Duration::from_secs(60));
}

/// Starts [`a_process_that_calls_the_command_line`], checks its calls, sends it SIGTERM; how it ended, and its stderr.
#[cfg(unix)]
fn terminated(place: &Place, next: &str) -> (std::process::ExitStatus, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "ending::a_process_that_calls_the_command_line", "--nocapture"]);
    command.env(NEXT, next).current_dir(place.path(".")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.take_while(|line| line != "ready").collect();
    assert_eq!(said[said.len() - 2..], ["codes [0, 2, 0]", "own hook"], "{said:?}");
    assert_eq!(said.iter().filter(|line| line.starts_with("full convolution")).count(), 2, "{said:?}");
    std::thread::sleep(Duration::from_millis(1500));
    send("TERM", &child);
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

#[test]
#[cfg(unix)]
fn a_later_call_in_one_process_is_interrupted_as_the_first() {
    let place = Place::new();
    write_image(place.path("x.png"), &image(300, 300, 1, Depth::U8)).unwrap();
    let (status, said) = terminated(&place, "work");
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.ends_with("convmtx: interrupted; unfinished files were removed\n"), "{said}");
    assert_eq!(place.names(), ["x.png"]);
}

#[test]
#[cfg(unix)]
fn after_a_call_signals_do_what_they_did_before() {
    use std::os::unix::process::ExitStatusExt;
    let (status, said) = terminated(&Place::new(), "nothing");
    assert_eq!(status.signal(), Some(15), "{status}: {said}");
    assert!(!said.contains("interrupted"), "{said}");
}
