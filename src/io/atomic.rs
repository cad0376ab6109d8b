//! Files that appear as a whole or not at all.
//!
//! The content goes to a temporary name in the same folder, is flushed to the disk and then renamed over the target,
//! which the system does in one step. Temporaries in flight are listed, so that a Ctrl-C handler can remove them.

use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Links followed before a chain counts as a loop, as in Linux.
const MAX_LINKS: usize = 40;

/// Characters of the target's name kept in the temporary's, which must stay below 255 bytes.
const NAME_CHARS: usize = 50;

/// Temporaries that exist now.
static IN_FLIGHT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Makes temporary names of one process distinct.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The list stays right when a thread panics with the lock held: every change is one insertion or removal.
fn in_flight() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the file `path` with `write`; the file is replaced as a whole, or left as it was.
///
/// `write` gets a buffered, seekable writer on the temporary file `.NAME.tmp-PID-N` beside the target. When it returns
/// an error, or panics, or the disk is full, the temporary is removed and an existing target is untouched.
///
/// An existing target keeps its permissions, and one that may not be written is refused. A symbolic link stays a
/// link: the file it points to is replaced. What is no regular file (a pipe, a terminal, `/dev/stdout`) is written in
/// place, and cannot seek.
///
/// # Errors
/// [`Error::Io`] with the path and the system's words: missing or read-only folder, full disk, an error of `write`.
///
/// # Examples
/// ```
/// use convmtx::io::write_atomically;
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("result.txt");
/// write_atomically(&path, |file| writeln!(file, "42"))?;
/// assert!(write_atomically(&path, |_| Err(std::io::Error::other("no idea"))).is_err());
/// assert_eq!(std::fs::read_to_string(&path)?, "42\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_atomically<F>(path: impl AsRef<Path>, write: F) -> Result<()>
where
    F: FnOnce(&mut BufWriter<File>) -> io::Result<()>,
{
    let path = path.as_ref();
    replace(path, write).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Removes the temporary files of all unfinished [`write_atomically`] calls, for a Ctrl-C handler about to exit.
///
/// The interrupted calls fail if the process lives on.
///
/// # Examples
/// ```
/// let on_interrupt = || convmtx::io::remove_temporaries(); // then std::process::exit(130)
/// # on_interrupt();
/// ```
pub fn remove_temporaries() {
    let mut list = in_flight();
    for path in std::mem::take(&mut *list) {
        let _ = fs::remove_file(path); // nothing better to do while leaving
    }
}

/// Where the bytes go.
enum Target {
    /// A regular file, or nothing yet, at this path behind all links.
    File(PathBuf),
    /// Something that must be written as it stands.
    InPlace { append: bool },
}

fn replace<F>(path: &Path, write: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<File>) -> io::Result<()>,
{
    let target = match resolve(path)? {
        Target::File(target) => target,
        Target::InPlace { append } => {
            let mut file = BufWriter::new(OpenOptions::new().write(true).append(append).open(path)?);
            write(&mut file)?;
            return file.flush();
        }
    };
    let existing = match fs::metadata(&target) {
        // Opening asks the system whether the user may write; the content stays.
        Ok(metadata) => OpenOptions::new().write(true).open(&target).map(|_| Some(metadata))?,
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let (temporary, file) = Temporary::create(&target)?;
    let mut file = BufWriter::new(file);
    write(&mut file)?;
    file.flush()?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(metadata) = existing {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()?;
    drop(file); // some systems do not rename open files
    temporary.rename(&target)
}

/// Follows links. Paths into `/proc` and `/dev/fd` name open files of a process: `/dev/stdout` sent to a file must
/// continue that file, not replace it.
fn resolve(path: &Path) -> io::Result<Target> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Ok(Target::InPlace { append: false }),
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return Ok(Target::InPlace { append: true });
        }
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(Target::File(path)), // not a link, or nothing there
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// A temporary file that is removed unless renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// A new file beside `target`.
    fn create(target: &Path) -> io::Result<(Self, File)> {
        let name = target.file_name().ok_or_else(|| io::Error::other("the path has no file name"))?;
        let name: String = name.to_string_lossy().chars().take(NAME_CHARS).collect();
        let pid = std::process::id();
        loop {
            let n = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = target.with_file_name(format!(".{name}.tmp-{pid}-{n}"));
            // Held over both steps: an interrupt finds the file listed as soon as it exists.
            let mut list = in_flight();
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    list.insert(path.clone());
                    return Ok((Temporary(path), file));
                }
                // Left by a killed process that had our number.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The one step that makes the content visible.
    fn rename(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.0, target)?;
        in_flight().remove(&self.0); // `drop` then finds it unlisted and lets go
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if in_flight().remove(&self.0) {
            let _ = fs::remove_file(&self.0); // an error here would hide the one that led here
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_removes_the_temporary_and_fails_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let done = write_atomically(&path, |file| {
            file.write_all(b"half")?;
            // As `remove_temporaries`, but sparing the other tests of this process.
            let ours: Vec<PathBuf> =
                in_flight().iter().filter(|p| p.starts_with(folder.path())).cloned().collect();
            assert_eq!(ours.len(), 1);
            fs::remove_file(&ours[0])
        });
        assert!(matches!(done, Err(Error::Io { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(!in_flight().iter().any(|p| p.starts_with(folder.path())));
    }

    #[test]
    fn long_names_fit_and_existing_temporaries_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ä".repeat(127)); // 254 bytes, the system's limit is 255
        write_atomically(&path, |file| file.write_all(b"x")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
