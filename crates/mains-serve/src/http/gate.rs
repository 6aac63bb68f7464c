//! Locked from the first day: without any key, only a client on this machine that is no web page.
//!
//! A page from another origin can make a browser send requests to a loopback address. It cannot choose the
//! `Host` header (so a rebound name is seen), its `Origin` is sent along, and it cannot send
//! `application/json` without asking first.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method};

/// Why a request was turned away before it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    /// The `Host` header names another host.
    Host(String),
    /// The request comes from a web page of another origin.
    Origin(String),
    /// A body that is not `application/json`.
    ContentType(String),
}

impl Barred {
    /// What to tell the client.
    pub fn message(&self) -> String {
        match self {
            Self::Host(host) => format!(
                "the host `{host}` is not served here; hint: ask for 127.0.0.1 or localhost, or add it to `allowed_hosts` under [serve]"
            ),
            Self::Origin(origin) => format!(
                "requests from web pages of `{origin}` are refused; hint: call the outlet from a server, not from a page"
            ),
            Self::ContentType(found) => {
                format!(
                    "the content type must be `application/json`, not `{found}`; hint: set the header `content-type`"
                )
            }
        }
    }

    /// The HTTP status that fits.
    pub fn status(&self) -> u16 {
        match self {
            Self::Host(_) => 421,
            Self::Origin(_) => 403,
            Self::ContentType(_) => 415,
        }
    }
}

/// Checks `Host`, `Origin` and content type. `allowed` are further host names, without port.
pub fn check(method: &Method, headers: &HeaderMap, allowed: &[String]) -> Result<(), Barred> {
    let host = text(headers, &HOST);
    if !is_here(host_name(host), allowed) {
        return Err(Barred::Host(shown(host)));
    }
    if headers.contains_key(ORIGIN) {
        let origin = text(headers, &ORIGIN);
        // The page itself posts forms from the very address that it was read from.
        let same =
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
        if !same {
            return Err(Barred::Origin(shown(origin)));
        }
    }
    if method == Method::POST {
        let found = text(headers, &CONTENT_TYPE);
        let essence = found.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Barred::ContentType(shown(found)));
        }
    }
    Ok(())
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// What a stranger sent, cut short, so that an error cannot be made long.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

fn host_name(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    authority.rsplit_once(':').map_or(authority, |(name, _)| name)
}

fn is_here(name: &str, allowed: &[String]) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        || allowed.iter().any(|host| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn get(pairs: &[(http::HeaderName, &str)]) -> Result<(), Barred> {
        check(&Method::GET, &headers(pairs), &["outlet.internal".into()])
    }

    #[test]
    fn only_this_machine_is_served() {
        for host in ["127.0.0.1:2300", "localhost:2300", "LOCALHOST", "[::1]:2300", "outlet.internal:80"] {
            assert_eq!(get(&[(HOST, host)]), Ok(()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:2300", "10.0.0.1", "", "[::2]:1"] {
            assert!(matches!(get(&[(HOST, host)]), Err(Barred::Host(_))), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let host = (HOST, "localhost:2300");
        assert_eq!(get(&[host.clone(), (ORIGIN, "http://localhost:2300")]), Ok(()));
        for origin in ["http://evil.example", "http://localhost:3000", "null"] {
            assert!(matches!(get(&[host.clone(), (ORIGIN, origin)]), Err(Barred::Origin(_))), "{origin}");
        }
    }

    #[test]
    fn a_body_must_say_that_it_is_json() {
        let post =
            |kind: &str| check(&Method::POST, &headers(&[(HOST, "localhost"), (CONTENT_TYPE, kind)]), &[]);
        assert_eq!(post("application/json; charset=utf-8"), Ok(()));
        assert!(matches!(post("text/plain"), Err(Barred::ContentType(_))));
        assert!(matches!(
            check(&Method::POST, &headers(&[(HOST, "localhost")]), &[]),
            Err(Barred::ContentType(_))
        ));
    }
}
