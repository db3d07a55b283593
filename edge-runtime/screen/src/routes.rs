//! Which address gives what.

use crate::access::Visitor;
use crate::app::{App, Visit};
use crate::cookie;
use crate::form::Form;
use crate::guard::guard;
use crate::live;
use crate::pages::{self, ASSETS, Figures, Page, Reader};
use crate::taps::{TapError, Tapped};
use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use base::clock::monotonic_ms;
use futures_util::stream;
use rustix::fs::OFlags;
use status::Picture;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use texts::Language;
use tokio::task::spawn_blocking;

/// Longest picture that is served: the device makes them smaller than a megapixel.
const MOST_BYTES: u64 = 4 << 20;

type Shared = State<Arc<App>>;

/// A year: what these files are stands in their address.
const FOREVER: &str = "public, max-age=31536000, immutable";

pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/events", get(events))
        .route("/picture/{number}", get(picture))
        .route("/heat/{number}", get(heat))
        .route("/figures.csv", get(table))
        .route("/language/{code}", get(language))
        .route("/login", get(login).post(enter))
        .route("/logout", post(leave))
        .route("/acknowledge", post(acknowledge))
        .fallback(nothing);
    for page in Page::ALL {
        router = router.route(page.path(), get(move |app, visit| show(app, visit, page)));
    }
    for asset in &ASSETS {
        let serve = async || {
            ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, FOREVER)], asset.text)
                .into_response()
        };
        router = router.route(asset.path, get(serve));
    }
    router.layer(middleware::from_fn_with_state(Arc::clone(&app), guard)).with_state(app)
}

async fn show(State(app): Shared, Extension(visit): Extension<Visit>, page: Page) -> Response {
    let seen = app.seen();
    let token = app.access().token(&visit.visitor);
    let reader = Reader { language: visit.language, token: &token, offset: app.config.display.utc_offset };
    let now_ms = || seen.status().map_or_else(unix_ms, |status| status.unix_ms);
    let figures = match page {
        Page::Now | Page::Aim => None,
        Page::Today | Page::Figures => {
            let now_ms = now_ms();
            let days = app.history.days(now_ms).await.inspect_err(|error| eprintln!("{error}")).ok();
            Some(Figures { days, disk: app.history.disk().ok(), now_ms })
        }
    };
    pages::whole(&reader, page, &seen, figures.as_ref(), visit.arrival.door.guarded).into_response()
}

fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn events(
    State(app): Shared,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    match query.get("page").and_then(Page::named).filter(|page| page.is_live()) {
        Some(page) => live::events(app, visit, page),
        None => nothing(Extension(visit)).await,
    }
}

async fn picture(app: Shared, visit: Extension<Visit>, number: Path<String>, run: RawQuery) -> Response {
    png(app, visit, number, run, |picture| Some(picture.file.clone())).await
}

async fn heat(app: Shared, visit: Extension<Visit>, number: Path<String>, run: RawQuery) -> Response {
    png(app, visit, number, run, |picture| picture.heat.as_ref().map(|heat| heat.file.clone())).await
}

/// A picture's file, where `number` is the newest picture's of this run and the status still holds:
/// after a restart of the device numbers begin anew, and the same one is another patient's.
async fn png(
    State(app): Shared,
    visit: Extension<Visit>,
    Path(number): Path<String>,
    RawQuery(run): RawQuery,
    file: impl Fn(&Picture) -> Option<String>,
) -> Response {
    let run = Form::parse(run.unwrap_or_default().as_bytes());
    let asked_for = || {
        let seen = app.seen();
        let status = seen.status().filter(|status| run.get(&status.run).is_some())?;
        status.picture.clone().filter(|picture| picture.number.to_string() == number)
    };
    let name = asked_for().as_ref().and_then(file);
    // What the device names is a file of its folder and nothing else.
    let plain = |name: &String| {
        name.strip_suffix(".png").is_some_and(|stem| {
            !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    };
    let Some(name) = name.filter(plain) else { return nothing(visit).await };
    let path = app.config.device.status.join(name);
    let read = move || -> std::io::Result<Vec<u8>> {
        let flags = OFlags::NONBLOCK.union(OFlags::NOFOLLOW).bits();
        let file = OpenOptions::new().read(true).custom_flags(flags as i32).open(path)?;
        let length = file.metadata().map(|of| if of.is_file() { of.len() } else { u64::MAX })?;
        if length > MOST_BYTES {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match spawn_blocking(read).await {
        // Another one may have come into its place while it was read.
        Ok(Ok(bytes)) if asked_for().is_some() => {
            ([(header::CONTENT_TYPE, "image/png")], bytes).into_response()
        }
        _ => nothing(visit).await,
    }
}

async fn table(State(app): Shared, Extension(visit): Extension<Visit>) -> Response {
    let Some(table) = app.history.table() else {
        return pages::message(visit.language, StatusCode::SERVICE_UNAVAILABLE, &visit.language.text("busy"));
    };
    let body = stream::unfold(table, async |mut table| table.next().await.map(|piece| (piece, table)));
    let name = "attachment; filename=\"pneumoscope.csv\"";
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(body)).into_response()
}

/// Only to one of our own pages.
fn back(form: &Form) -> &'static str {
    form.get("back").and_then(Page::at).unwrap_or(Page::Now).path()
}

async fn language(visit: Extension<Visit>, Path(code): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(language) = code.parse::<Language>() else { return nothing(visit).await };
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let year = Some(365 * 86_400);
    let set = cookie::set(cookie::LANGUAGE, language.code(), year, visit.arrival.door.secure);
    (set.map(|set| [(header::SET_COOKIE, set)]), Redirect::to(back(&query))).into_response()
}

async fn login(
    State(app): Shared,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let token = app.access().token(&visit.visitor);
    pages::login(visit.language, &token, back(&query), None, StatusCode::OK)
}

async fn enter(State(app): Shared, Extension(visit): Extension<Visit>) -> Response {
    let peer = visit.arrival.peer;
    let token = app.access().token(&visit.visitor);
    let refused = |why, status| pages::login(visit.language, &token, back(&visit.form), Some(why), status);
    let busy = || refused(pages::Refusal::Wait(1), StatusCode::TOO_MANY_REQUESTS);
    let Ok(_check) = app.checks.try_acquire() else { return busy() };
    let wait = app.throttle().wait(peer, app.now());
    if !wait.is_zero() {
        return refused(pages::Refusal::Wait(wait.as_secs() + 1), StatusCode::TOO_MANY_REQUESTS);
    }
    let Some(pin) = app.pin.clone() else { return refused(pages::Refusal::Wrong, StatusCode::FORBIDDEN) };
    let given = visit.form.get("pin").unwrap_or_default().to_owned();
    if !spawn_blocking(move || pin.is(&given)).await.unwrap_or(false) {
        app.throttle().wrong(peer, app.now());
        return refused(pages::Refusal::Wrong, StatusCode::FORBIDDEN);
    }
    app.throttle().right(peer);
    // A new cookie: whoever knew the old one must not come in with it.
    let Ok(visitor) = Visitor::new() else { return busy() };
    app.access().enter(&visitor, app.now());
    let seconds = u64::from(app.config.access.session_minutes) * 60;
    let set = cookie::set(cookie::VISITOR, visitor.value(), Some(seconds), visit.arrival.door.secure);
    (set.map(|set| [(header::SET_COOKIE, set)]), Redirect::to(back(&visit.form))).into_response()
}

async fn leave(State(app): Shared, Extension(visit): Extension<Visit>) -> Response {
    app.access().leave(&visit.visitor);
    Redirect::to("/login").into_response()
}

async fn acknowledge(State(app): Shared, Extension(visit): Extension<Visit>) -> Response {
    let form = &visit.form;
    let tapped = || {
        let (case, pictures) = (form.get("case")?.parse().ok()?, form.get("pictures")?.parse().ok()?);
        let named = back(form) == Page::Now.path();
        Some(Tapped { run: form.get("run")?, case, pictures, named })
    };
    let seen = app.seen();
    let done = match (seen.status(), tapped()) {
        (Some(status), Some(tapped)) => app.taps().tap(status, &tapped, monotonic_ms()),
        _ => Err(TapError::Changed),
    };
    match done {
        Ok(()) => Redirect::to(back(form)).into_response(),
        Err(TapError::Changed) => {
            pages::message(visit.language, StatusCode::CONFLICT, &visit.language.text("answer-changed"))
        }
        Err(error @ TapError::Write { .. }) => {
            eprintln!("an acknowledgement is lost: {error}");
            let told = visit.language.text("not-passed-on");
            pages::message(visit.language, StatusCode::INTERNAL_SERVER_ERROR, &told)
        }
    }
}

async fn nothing(Extension(visit): Extension<Visit>) -> Response {
    pages::message(visit.language, StatusCode::NOT_FOUND, &visit.language.text("no-page"))
}
