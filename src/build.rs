//! Embeds every file under `rubrics/`, `templates/`, `catalog/` and `examples/`, so adding one needs no code,
//! and compiles the catalogue into JSON.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

const SHELVES: [&str; 4] = ["rubrics", "templates", "catalog", "examples"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets this"));
    let mut code = String::new();
    for shelf in SHELVES {
        println!("cargo::rerun-if-changed={shelf}");
        let mut files = Vec::new();
        collect(&root.join(shelf), &mut files)?;
        files.sort(); // The order of the file system must never show in our output.
        write_shelf(&mut code, shelf, &root, &files);
    }
    let destination = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets this"));
    fs::write(destination.join("shelf.rs"), code)?;
    compile_catalog(&root.join("catalog"), &destination)
}

/// Turns the catalogue's YAML into JSON: a person writes the one, and the program reads the other in a tenth of the
/// time.
fn compile_catalog(catalog: &Path, destination: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    collect(&catalog.join("models"), &mut files)?;
    files.sort();
    let families = files.iter().map(|it| read_yaml(it)).collect::<io::Result<Vec<_>>>()?;
    let mut code = String::new();
    for (name, value) in [("FAMILIES", families.into()), ("TWINS", read_yaml(&catalog.join("twins.yaml"))?)] {
        let file = destination.join(format!("{name}.json"));
        fs::write(&file, serde_json::Value::to_string(&value))?;
        writeln!(code, "pub(crate) const {name}: &str = include_str!({file:?});").expect("a string");
    }
    fs::write(destination.join("catalog.rs"), code)
}

fn read_yaml(file: &Path) -> io::Result<serde_json::Value> {
    let told = |error| io::Error::other(format!("{}: {error}", file.display()));
    serde_yaml::from_str(&fs::read_to_string(file)?).map_err(told)
}

fn write_shelf(code: &mut String, shelf: &str, root: &Path, files: &[PathBuf]) {
    let name = shelf.to_uppercase();
    writeln!(code, "/// Every file below `{shelf}/`, by its path there, sorted.").expect("a string");
    writeln!(code, "pub static {name}: &[(&str, &[u8])] = &[").expect("a string");
    for file in files {
        let path = file.strip_prefix(root.join(shelf)).expect("collected below it");
        let path = path.to_str().expect("our own file names are UTF-8").replace('\\', "/");
        writeln!(code, "    ({path:?}, include_bytes!({file:?})),").expect("a string");
    }
    code.push_str("];\n");
}

/// Gathers the files below `folder`; what a run left behind in an example's `out/` is not part of the example.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        match (path.is_dir(), name) {
            (true, "out") => {}
            (true, _) => collect(&path, files)?,
            (false, _) if name.starts_with('.') => {}
            (false, _) => files.push(path),
        }
    }
    Ok(())
}
