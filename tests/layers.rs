//! Imports point down: which room of the house may use which, read from the sources.

use std::collections::BTreeMap;
use std::path::Path;

/// Every room of `src/` and the rooms below it that it may use. A room not listed is an error of this test.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("scalar", &[]),
    // index arithmetic and machinery
    ("memory", &["error", "scalar"]),
    ("parallel", &["error"]),
    ("band", &["error"]),
    ("boundary", &["error"]),
    ("simd", &["memory", "scalar"]),
    ("stencil", &["band", "boundary", "error", "memory", "scalar"]),
    ("blocks", &["boundary", "scalar", "simd", "stencil"]),
    ("transform", &["error", "memory", "parallel", "scalar"]),
    // descriptions, operators, and what stands beside them
    ("conv", &["band", "boundary", "error", "memory", "scalar", "stencil"]),
    ("op", &["error", "memory", "scalar"]),
    ("psf", &["error", "memory", "scalar"]),
    ("noise", &["error", "scalar"]),
    ("metrics", &["error", "scalar"]),
    // engines (never each other) and solvers (never a convolution)
    ("csr", &["band", "boundary", "conv", "error", "memory", "op", "parallel", "scalar", "simd", "stencil"]),
    (
        "direct",
        &[
            "band", "blocks", "boundary", "conv", "error", "memory", "op", "parallel", "scalar", "simd",
            "stencil",
        ],
    ),
    ("separable", &["blocks", "conv", "error", "op", "parallel", "scalar", "stencil"]),
    ("fft", &["boundary", "conv", "error", "memory", "op", "parallel", "scalar", "stencil", "transform"]),
    ("solve", &["error", "memory", "op", "scalar"]),
    // what chooses among engines
    (
        "plan",
        &[
            "band",
            "boundary",
            "conv",
            "direct",
            "error",
            "fft",
            "op",
            "scalar",
            "separable",
            "simd",
            "stencil",
        ],
    ),
    // files and pictures
    ("io", &["error", "memory", "scalar"]),
    ("plot", &["error", "memory", "scalar"]),
];

/// The rooms on top, which may use everything; no room of the table may use them.
const TOP: &[&str] = &["cli", "python"];

/// The `.rs` files of a room: one file, or a folder of them.
fn files(room: &Path, all: &mut Vec<std::path::PathBuf>) {
    if room.is_file() && room.extension().is_some_and(|e| e == "rs") {
        all.push(room.to_path_buf());
    } else if room.is_dir() {
        for entry in std::fs::read_dir(room).unwrap() {
            files(&entry.unwrap().path(), all);
        }
    }
}

/// The first names after `crate::` in code, without comments and without the unit tests.
fn uses(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source);
    let lines: Vec<&str> = code.lines().map(|l| l.split("//").next().unwrap_or(l)).collect();
    let code = lines.join("\n");
    let name =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    let of_path = |rest: &str| match rest.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap_or("").split(',').map(|item| name(item.trim())).collect(),
        None => vec![name(rest)],
    };
    code.split("crate::").skip(1).filter(|rest| !rest.starts_with('$')).flat_map(of_path).collect()
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    // What `lib.rs` re-exports is used by its home, never by its short name.
    let (mut rooms, mut tops) = (0, 0);
    for entry in std::fs::read_dir(&src).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        if TOP.contains(&room.as_str()) {
            tops += 1;
            continue;
        }
        let allowed = table.get(room.as_str()).unwrap_or_else(|| panic!("{room} has no place in the table"));
        rooms += 1;
        let mut sources = Vec::new();
        files(&path, &mut sources);
        for file in sources {
            for used in uses(&std::fs::read_to_string(&file).unwrap()) {
                // What every room may take from the top: the names of the ground floor.
                let everywhere = [
                    "Error",
                    "Result",
                    "Scalar",
                    "Real",
                    "Boundary",
                    "ConvMode",
                    "Convention",
                    "Extension",
                    "Summation",
                ]
                .contains(&used.as_str());
                assert!(
                    everywhere || used == room || allowed.contains(&used.as_str()),
                    "{} uses crate::{used}, which {room} may not",
                    file.display()
                );
            }
        }
    }
    assert_eq!((rooms, tops), (MAY_USE.len(), TOP.len()), "a room of the table has gone");
    for (room, allowed) in MAY_USE {
        assert!(!allowed.iter().any(|used| TOP.contains(used)), "{room} may use a room above it");
    }
}

#[test]
fn unsafe_stands_in_its_three_places_and_argues() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    files(&src, &mut sources);
    for file in sources {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if !code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                continue;
            }
            assert!(name == "memory.rs" || name.starts_with("simd/"), "unsafe in {name}:{}", i + 1);
            // A function that is unsafe to call states its contract, a block of code argues; what implements a trait
            // has its contract there.
            let contract = code.contains("unsafe fn");
            let above = &lines[i.saturating_sub(4)..i];
            let argued = contract || above.iter().any(|l| l.contains("// SAFETY:"));
            assert!(argued, "unsafe without a SAFETY comment in {name}:{}", i + 1);
        }
    }
}
