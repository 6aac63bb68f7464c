//! Which language a file is in, by its name.

use serde::Serialize;

/// The language of a file, as far as the lexers tell languages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Python source.
    Python,
    /// JavaScript, TypeScript, and the components that embed them.
    JavaScript,
    /// A Jupyter notebook.
    Notebook,
    /// JSON, with or without comments.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// `NAME=value` lines: `.env`, `.ini`, `.properties`.
    Env,
    /// A POSIX shell script, or a makefile.
    Shell,
    /// A Dockerfile.
    Dockerfile,
    /// Terraform and other HCL.
    Hcl,
    /// Go.
    Go,
    /// Java, Kotlin, Scala, Groovy.
    Java,
    /// Rust.
    Rust,
    /// C#.
    CSharp,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Text for people: Markdown, reStructuredText, AsciiDoc. Only ever a mention.
    Prose,
    /// Anything else, read line by line.
    Other,
}

impl Language {
    /// The language of the file at `path` (forward slashes), by its name alone.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let lower = name.to_ascii_lowercase();
        if let Some(language) = by_name(&lower) {
            return language;
        }
        let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
        by_extension(extension)
    }

    /// Whether text outside strings and comments is code, so that a model id there is no literal.
    pub fn is_code(self) -> bool {
        matches!(
            self,
            Self::Python
                | Self::JavaScript
                | Self::Notebook
                | Self::Go
                | Self::Java
                | Self::Rust
                | Self::CSharp
                | Self::Ruby
                | Self::Php
                | Self::Hcl
        )
    }
}

/// Files that their name tells, whatever their ending.
fn by_name(lower: &str) -> Option<Language> {
    let prose = ["readme", "changelog", "changes", "history", "news", "license", "authors", "contributing"];
    let is_env = lower == ".env" || lower.starts_with(".env.");
    match lower {
        "dockerfile" | "containerfile" => Some(Language::Dockerfile),
        "makefile" | "justfile" | "procfile" | ".bashrc" | ".zshrc" | ".profile" | ".envrc" => {
            Some(Language::Shell)
        }
        "gemfile" | "rakefile" => Some(Language::Ruby),
        _ if is_env => Some(Language::Env),
        _ if lower.starts_with("dockerfile.") => Some(Language::Dockerfile),
        _ if prose.contains(&lower) => Some(Language::Prose),
        _ => None,
    }
}

fn by_extension(extension: &str) -> Language {
    match extension {
        "py" | "pyi" | "pyx" => Language::Python,
        "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" | "astro" => {
            Language::JavaScript
        }
        "ipynb" => Language::Notebook,
        "json" | "jsonc" | "json5" | "jsonl" | "ndjson" | "webmanifest" => Language::Json,
        "yaml" | "yml" => Language::Yaml,
        "toml" => Language::Toml,
        "env" | "ini" | "cfg" | "conf" | "properties" => Language::Env,
        "sh" | "bash" | "zsh" | "ksh" | "fish" | "mk" => Language::Shell,
        "dockerfile" => Language::Dockerfile,
        "tf" | "tfvars" | "hcl" | "bicep" => Language::Hcl,
        "go" => Language::Go,
        "java" | "kt" | "kts" | "scala" | "groovy" | "gradle" => Language::Java,
        "rs" => Language::Rust,
        "cs" | "fs" | "vb" => Language::CSharp,
        "rb" | "erb" => Language::Ruby,
        "php" => Language::Php,
        "md" | "mdx" | "markdown" | "rst" | "adoc" | "asciidoc" | "org" | "tex" => Language::Prose,
        _ => Language::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name() {
        for (path, language) in [
            ("a/b.py", Language::Python),
            ("a/.env", Language::Env),
            ("a/.env.production", Language::Env),
            ("prod.env", Language::Env),
            ("Dockerfile", Language::Dockerfile),
            ("x/Dockerfile.gpu", Language::Dockerfile),
            ("README", Language::Prose),
            ("requirements.txt", Language::Other),
            ("main.tf", Language::Hcl),
            ("nb.ipynb", Language::Notebook),
            ("noending", Language::Other),
        ] {
            assert_eq!(Language::of(path), language, "{path}");
        }
    }
}
