//! Signals other than model ids: imports, dependencies, addresses, key variables, services, old calls.

use crate::detector::{Draft, File};
use crate::finding::{AttributedBy, Attribution, Class, Confidence, Signal};
use crate::language::Language;
use crate::lex::{Piece, PieceKind};
use crate::needles::{Hit, Needle};
use crate::sdk;
use mains_catalog::Catalog;

/// Everything but model ids that a file says.
pub(crate) fn signals(catalog: &Catalog, file: &File<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(table) = sdk::of_manifest(file.name()) {
        manifest(table, file, &mut drafts);
    }
    if file.hits.iter().any(|hit| matches!(hit.needle, Needle::Sdk | Needle::Name | Needle::Key)) {
        imports(file, &mut drafts);
    }
    for hit in &file.hits {
        let piece = file.piece_at(hit.start);
        let draft = match hit.needle {
            Needle::Host => host(catalog, file, hit, piece),
            Needle::Key => key_variable(catalog, file, hit, piece),
            Needle::Service => service(file, hit, piece),
            Needle::Legacy(row) => legacy(catalog, file, hit, piece, row),
            _ => None,
        };
        drafts.extend(draft);
    }
    drafts
}

/// How a signal at this place is meant: only speech in comments and prose.
fn class_of(piece: Option<&Piece>) -> Class {
    match piece.map(|piece| piece.kind) {
        Some(PieceKind::Comment | PieceKind::Docstring | PieceKind::Prose) => Class::Mention,
        _ => Class::Use,
    }
}

fn draft(
    signal: Signal,
    (start, end): (usize, usize),
    class: Class,
    host: &str,
    by: AttributedBy,
    why: &str,
) -> Draft {
    Draft {
        signal,
        start,
        end,
        class,
        confidence: Confidence::High,
        slot: None,
        attribution: (!host.is_empty()).then(|| Attribution { host: host.to_owned(), by }),
        why: why.to_owned(),
        listable: false,
    }
}

/// An address of a provider: the run of address bytes around the hit, asked of the catalogue.
fn host(catalog: &Catalog, file: &File<'_>, hit: &Hit, piece: Option<&Piece>) -> Option<Draft> {
    let piece = piece?;
    let text = &file.text;
    let address = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'{' | b'}' | b'$');
    let (mut start, mut end) = (hit.start, hit.end);
    while start > piece.start && address(text[start - 1]) {
        start -= 1;
    }
    while end < piece.end && address(text[end]) {
        end += 1;
    }
    let tail = (end..piece.end.min(end + 80)).take_while(|at| !text[*at].is_ascii_whitespace()).last();
    let whole = String::from_utf8_lossy(&text[start..tail.map_or(end, |at| at + 1)]);
    let host = catalog.host_by_api(whole.trim_matches(['{', '}', '$']))?;
    Some(draft(
        Signal::Host,
        (start, end),
        class_of(Some(piece)),
        &host.id,
        AttributedBy::Host,
        "an address of its API",
    ))
}

/// A key variable as a whole name.
fn key_variable(catalog: &Catalog, file: &File<'_>, hit: &Hit, piece: Option<&Piece>) -> Option<Draft> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let text = &file.text;
    let alone = (hit.start == 0 || !word(text[hit.start - 1])) && text.get(hit.end).is_none_or(|b| !word(*b));
    if !alone {
        return None;
    }
    let name = String::from_utf8_lossy(&text[hit.start..hit.end]);
    let host = catalog.host_by_key_variable(&name)?;
    let class = class_of(piece);
    Some(draft(
        Signal::KeyVariable,
        (hit.start, hit.end),
        class,
        &host.id,
        AttributedBy::KeyVariable,
        "the variable of its key",
    ))
}

fn service(file: &File<'_>, hit: &Hit, piece: Option<&Piece>) -> Option<Draft> {
    let name = String::from_utf8_lossy(&file.text[hit.start..hit.end]);
    let (_, host) = sdk::SERVICES.iter().find(|(service, _)| service.eq_ignore_ascii_case(&name))?;
    Some(draft(
        Signal::Service,
        (hit.start, hit.end),
        class_of(piece),
        host,
        AttributedBy::Host,
        "the name of its service",
    ))
}

/// An old call counts where its package is imported, in code of its language.
fn legacy(catalog: &Catalog, file: &File<'_>, hit: &Hit, piece: Option<&Piece>, row: usize) -> Option<Draft> {
    let legacy = catalog.legacy_calls().nth(row)?;
    let language = match file.language {
        Language::Python | Language::Notebook => "python",
        Language::JavaScript => "javascript",
        _ => return None,
    };
    let spoken = legacy.language == language || (language == "javascript" && legacy.language == "typescript");
    let text = &file.text;
    let starts =
        hit.start == 0 || !(text[hit.start - 1].is_ascii_alphanumeric() || text[hit.start - 1] == b'_');
    let exact = text.get(hit.start..hit.end) == Some(legacy.shape.as_bytes());
    if !spoken || !starts || !exact || piece.is_some() {
        return None;
    }
    let host = sdk::find(sdk::of(file.language), &legacy.package).map_or("", |sdk| sdk.host);
    let why = format!("a call that `{}` dropped in {}", legacy.package, legacy.ended_with);
    let signal = Signal::LegacyCall { shape: legacy.shape.to_string() };
    Some(draft(signal, (hit.start, hit.end), Class::Use, host, AttributedBy::Import, &why))
}

/// Paths and headers that have ended, where the file also names the provider.
pub(crate) fn endpoints(catalog: &Catalog, file: &File<'_>, hosts: &[String]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for hit in &file.hits {
        let Needle::Endpoint(row) = hit.needle else { continue };
        let Some(endpoint) = catalog.endpoints().nth(row) else { continue };
        let Some(piece) = file.piece_at(hit.start) else { continue };
        let after = file.text.get(hit.end).copied().unwrap_or(b' ');
        let ends = hit.end >= piece.end || !(after.is_ascii_alphanumeric() || matches!(after, b'-' | b'_'));
        if !ends || !hosts.iter().any(|host| host == endpoint.host) {
            continue;
        }
        let signal = Signal::Endpoint { path: endpoint.path.to_owned() };
        let why = "a path of its API";
        drafts.push(draft(
            signal,
            (hit.start, hit.end),
            class_of(Some(piece)),
            endpoint.host,
            AttributedBy::Host,
            why,
        ));
    }
    drafts
}

/// Dependencies: every package of the table that a line of the file names as a whole word.
fn manifest(table: &'static [sdk::Sdk], file: &File<'_>, drafts: &mut Vec<Draft>) {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'@' | b'.');
    let mut at = 0;
    for run in file.text.split(|b| !word(*b)) {
        let (start, end) = (at, at + run.len());
        at = end + 1;
        let known = !run.is_empty() && run.len() <= 120;
        if !known || file.piece_at(start).is_some_and(|piece| piece.kind == PieceKind::Comment) {
            continue;
        }
        let line = memchr::memrchr(b'\n', &file.text[..start]).map_or(0, |at| at + 1);
        let before = &file.text[line..start];
        if before.contains(&b'#') || before.starts_with(b"//") || before.windows(4).any(|w| w == b"<!--") {
            continue;
        }
        let package = String::from_utf8_lossy(&file.text[start..end]).into_owned();
        let own = package.trim_end_matches('.');
        let same = |sdk: &&sdk::Sdk| is_same_package(sdk.module, own);
        let below = || if own.contains('/') { sdk::find(table, own) } else { None };
        let Some(sdk) = table.iter().find(same).or_else(below) else { continue };
        let signal = Signal::Manifest { package };
        drafts.push(draft(
            signal,
            (start, end),
            Class::Use,
            sdk.host,
            AttributedBy::Manifest,
            "a dependency",
        ));
    }
}

/// Whether two names are one package: `-`, `_` and `.` are the same in a package's name.
fn is_same_package(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if matches!(byte, b'-' | b'.') { b'_' } else { byte };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| plain(a) == plain(b))
}

/// Imports, by the words that import in each language.
fn imports(file: &File<'_>, drafts: &mut Vec<Draft>) {
    let table = sdk::of(file.language);
    if table.is_empty() {
        return;
    }
    let mut import = |module: &str, start: usize, end: usize, line: &[u8]| {
        if let Some(sdk) = sdk::find(table, module) {
            let signal = Signal::Import { package: sdk.module.to_owned() };
            // OpenAI's library also holds the client for Azure; which of the two is meant, its name says.
            let azure = sdk.host == "openai" && memchr::memmem::find(line, b"AzureOpenAI").is_some();
            let host = if azure { "azure" } else { sdk.host };
            drafts.push(draft(
                signal,
                (start, end),
                Class::Use,
                host,
                AttributedBy::Import,
                "an import of its library",
            ));
        }
    };
    if matches!(file.language, Language::JavaScript | Language::Go | Language::Ruby) {
        for piece in file.pieces.iter().filter(|piece| piece.kind == PieceKind::Text) {
            let call = piece.call.as_deref().unwrap_or("");
            let imports = match file.language {
                Language::JavaScript => matches!(call, "from" | "require" | "import"),
                Language::Go => matches!(call, "import" | "") || piece.slot.is_none(),
                _ => matches!(call, "require" | "gem"),
            };
            if imports && piece.end - piece.start <= 200 {
                let module = String::from_utf8_lossy(&file.text[piece.start..piece.end]);
                let before = memchr::memrchr(b'\n', &file.text[..piece.start]).map_or(0, |at| at + 1);
                import(&module, piece.start, piece.end, &file.text[before..piece.start]);
            }
        }
        return;
    }
    let words: &[&str] = match file.language {
        Language::Python | Language::Notebook => &["import ", "from "],
        Language::CSharp => &["using ", "global using "],
        Language::Rust => &["use ", "pub use "],
        Language::Php => &["use "],
        _ => &["import ", "import static "],
    };
    for (start, line) in file.lines() {
        let indent = line.len() - line.trim_ascii_start().len();
        let line = line.trim_ascii_start();
        let Some(word) = words.iter().find(|word| line.starts_with(word.as_bytes())) else { continue };
        if file.piece_at(start + indent).is_some() {
            continue;
        }
        let mut at = start + indent + word.len();
        let rest = &line[word.len()..];
        let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(*b, b'_' | b'.' | b':' | b'\\');
        // `import a, b as c` names several; `from a import b` one.
        for part in rest.split(|b| *b == b',') {
            let skipped = part.len() - part.trim_ascii_start().len();
            let module: Vec<u8> = part.trim_ascii_start().iter().copied().take_while(|b| name(b)).collect();
            let text = String::from_utf8_lossy(&module);
            import(text.trim_end_matches([':', '.']), at + skipped, at + skipped + module.len(), line);
            at += part.len() + 1;
            if *word != "import " {
                break;
            }
        }
    }
}
