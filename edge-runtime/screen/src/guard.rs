//! What every request passes: the name that it asks for, its cookie, the PIN, the token of its form;
//! and what every answer carries.

use crate::access::Visitor;
use crate::app::{App, Arrival, Visit};
use crate::cookie;
use crate::form::{Form, MOST_BYTES};
use crate::pages::{ASSETS, Page, message};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http_body_util::{BodyExt, Limited};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a form may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// Nothing but what this program itself serves: no script or style in a page, no other site's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(header::HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Lets a request through to its route, or answers it.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = admit(&app, request, next).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // All but style, script and icon is about patients, or may be.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn admit(app: &Arc<App>, mut request: Request, next: Next) -> Response {
    let Some(arrival) = request.extensions_mut().remove::<Arrival>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    arrival.seat.asks();
    if !is_ours(request.headers(), request.uri(), &app.config.server.names) {
        let text = "expected an address, localhost or a name of server.names in the address line\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let language = cookie::get(request.headers(), cookie::LANGUAGE).and_then(|code| code.parse().ok());
    let language = language.unwrap_or(app.config.display.language);
    let known = cookie::get(request.headers(), cookie::VISITOR).and_then(Visitor::parse);
    let new = known.is_none();
    let Some(visitor) = known.or_else(|| Visitor::new().ok()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let path = request.uri().path();
    // Who has not signed in may choose the language of the page that asks for it.
    let open =
        path == "/login" || path.starts_with("/language/") || ASSETS.iter().any(|asset| asset.path == path);
    if !open && !app.may_look(arrival.door, &visitor) {
        return match (request.method(), Page::at(path).is_some()) {
            (&Method::GET, true) => Redirect::to(&format!("/login?back={path}")).into_response(),
            // Such as a tap after the session's end, which must not look as if it had been taken.
            _ => message(language, StatusCode::UNAUTHORIZED, &language.text("sign-in")),
        };
    }
    let mut form = Form::default();
    if request.method() == Method::POST {
        let body = std::mem::replace(request.body_mut(), Body::empty());
        form = match read(body).await {
            Ok(form) => form,
            Err(status) => return status.into_response(),
        };
        if !app.access().is_ours(&visitor, form.get("token").unwrap_or_default()) {
            return message(language, StatusCode::FORBIDDEN, &language.text("form-foreign"));
        }
    }
    let secure = arrival.door.secure;
    let set = new.then(|| cookie::set(cookie::VISITOR, visitor.value(), None, secure)).flatten();
    request.extensions_mut().insert(Visit { arrival, visitor, language, form });
    let mut response = next.run(request).await;
    // A route that has begun a session has set it anew.
    if let (Some(set), false) = (set, response.headers().contains_key(header::SET_COOKIE)) {
        response.headers_mut().append(header::SET_COOKIE, set);
    }
    response
}

async fn read(body: Body) -> Result<Form, StatusCode> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(Form::parse(&body.to_bytes())),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Whether the name that a browser asks for is ours: another site's name that was bound to our
/// address would make that site's scripts ours (DNS rebinding). An address needs no name server.
fn is_ours(headers: &HeaderMap, uri: &Uri, names: &[String]) -> bool {
    let ours = |authority: &str| {
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        let named = |name: &String| name.eq_ignore_ascii_case(host);
        host.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost") || names.iter().any(named)
    };
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
    host.is_some_and(ours)
        && more.is_none()
        && uri.authority().is_none_or(|authority| ours(authority.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_by_an_address_or_a_name_of_ours() {
        let names = ["ward.example".to_owned()];
        let asked = |hosts: &[&'static str], uri: &'static str| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            is_ours(&headers, &Uri::from_static(uri), &names)
        };
        for host in
            ["127.0.0.1:8080", "192.0.2.7", "[::1]:8080", "localhost:1", "LOCALHOST", "Ward.example:8443"]
        {
            assert!(asked(&[host], "/"), "{host}");
        }
        for host in ["", "evil.example", "ward.example.evil.example", "127.0.0.1.evil.example", "[evil"] {
            assert!(!asked(&[host], "/"), "{host}");
        }
        assert!(!asked(&[], "/"), "HTTP/1.0");
        assert!(!asked(&["localhost", "localhost"], "/"), "two names");
        assert!(!asked(&["localhost"], "http://evil.example/"));
    }
}
