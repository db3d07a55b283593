//! Cookies, as far as two names need them (RFC 6265).

use axum::http::{HeaderMap, HeaderValue, header};

/// The visitor's cookie, which is the session's too.
pub const VISITOR: &str = "pneumoscope";

/// The language that a visitor has chosen.
pub const LANGUAGE: &str = "language";

/// The value of the first cookie of this name.
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// A `Set-Cookie` that no script reads and no other site sends; `value` is of letters and digits.
pub fn set(name: &str, value: &str, seconds: Option<u64>, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let ends = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{ends}{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("xlanguage=no; a; language=fr;language=es"));
        headers.append(header::COOKIE, HeaderValue::from_static("pneumoscope=7"));
        assert_eq!(get(&headers, LANGUAGE), Some("fr"));
        assert_eq!(get(&headers, VISITOR), Some("7"));
        assert_eq!(get(&headers, "a"), None);
        assert_eq!(set("a", "b\n", None, true), None);
    }
}
