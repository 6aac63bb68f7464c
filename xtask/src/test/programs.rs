//! Programs that tests need: found, installed where that is allowed, or named.
#![expect(clippy::print_stdout, reason = "this is a program for the terminal")]

use std::path::Path;
use std::process::{Command, Stdio};

/// A program outside Rust: the command that shows it is there, and the Debian package that brings it.
pub(crate) struct Program {
    /// Name on the PATH.
    pub(crate) command: &'static str,
    /// Debian package.
    pub(crate) package: &'static str,
}

/// What the tests of clients and pages need.
pub(crate) const PYTHON_VENV: Program = Program { command: "python3", package: "python3-venv" };
pub(crate) const NODE: Program = Program { command: "node", package: "nodejs" };
pub(crate) const NPM: Program = Program { command: "npm", package: "npm" };
pub(crate) const CHROMIUM: Program = Program { command: "chromium", package: "chromium" };
pub(crate) const OPENSSL: Program = Program { command: "openssl", package: "openssl" };

/// Makes sure that a program is there. Errors say what to install.
pub(crate) fn ensure(program: &Program) -> Result<(), String> {
    if there(program.command) {
        return Ok(());
    }
    if is_root() && there("apt-get") {
        println!("installing {}", program.package);
        let quiet = |arguments: &[&str]| {
            Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null())
                .stdin(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let install = ["install", "-y", "-qq", "--no-install-recommends", program.package];
        if quiet(&install) || (quiet(&["update", "-qq"]) && quiet(&install)) {
            return Ok(());
        }
    }
    Err(format!("`{}` is missing; install it with `apt-get install {}`", program.command, program.package))
}

fn there(command: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// A Python environment below `target/` with these packages (`name==version`), made once.
pub(crate) fn python(root: &Path, packages: &[&str]) -> Result<std::path::PathBuf, String> {
    ensure(&PYTHON_VENV)?;
    let folder = target(root).join("test-python");
    let python = folder.join("bin/python");
    if !python.is_file() {
        let made = Command::new("python3").arg("-m").arg("venv").arg(&folder).status();
        if !made.is_ok_and(|status| status.success()) {
            return Err("`python3 -m venv` failed; install it with `apt-get install python3-venv`".into());
        }
    }
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(packages)
        .status();
    if installed.is_ok_and(|status| status.success()) {
        Ok(python)
    } else {
        Err(format!("`pip install {}` failed", packages.join(" ")))
    }
}

/// A folder below `target/` whose `node_modules` holds these packages (`name@version`), made once.
pub(crate) fn node(root: &Path, packages: &[&str]) -> Result<std::path::PathBuf, String> {
    ensure(&NODE)?;
    ensure(&NPM)?;
    let folder = target(root).join("test-node");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let stamp = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(folder);
    }
    let installed = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&folder)
        .args(packages)
        .status();
    if !installed.is_ok_and(|status| status.success()) {
        return Err(format!("`npm install {}` failed", packages.join(" ")));
    }
    std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Where cargo builds.
pub(crate) fn target(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), std::path::PathBuf::from)
}
