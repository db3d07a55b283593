//! Server-sent events (WHATWG HTML): the part of a page that changes, whenever it does.

use crate::app::{App, Visit};
use crate::pages::{self, Page, Reader};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::clock::monotonic_ms;
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

// Every event carries when it was made: a link that is too slow delivers all of them in order, and what
// comes was true long ago.

/// How often a page hears that it is still connected; it believes it for three times as long.
const ALIVE: Duration = Duration::from_millis(500);

struct Stream {
    app: Arc<App>,
    visit: Visit,
    page: Page,
    seen: watch::Receiver<crate::watch::Seen>,
    /// What the browser has.
    last: Option<String>,
}

/// The events of `page`, for as long as the visitor may look.
pub fn events(app: Arc<App>, visit: Visit, page: Page) -> Response {
    visit.arrival.seat.streams();
    let seen = app.seen.clone();
    let stream = Stream { app, visit, page, seen, last: None };
    let events = stream::unfold(stream, async |mut stream| {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        if self.last.is_some() && matches!(timeout(ALIVE, self.seen.changed()).await, Ok(Err(_))) {
            return None; // the program ends
        }
        let (app, visit) = (&self.app, &self.visit);
        if !app.may_look(visit.arrival.door, &visit.visitor) {
            return None;
        }
        let token = app.access().token(&visit.visitor);
        let reader =
            Reader { language: visit.language, token: &token, offset: app.config.display.utc_offset };
        let seen = self.seen.borrow_and_update().clone();
        // Before all that takes time: were this program stopped from here on, its event would be
        // as old as what it says.
        let said_ms = monotonic_ms();
        let seen = seen.at(said_ms);
        let part = pages::part(self.page, &reader, &seen).into_string().replace(['\r', '\n'], " ");
        if self.last.as_ref() == Some(&part) {
            return Some(format!("event: alive\ndata: {said_ms}\n\n"));
        }
        let event = format!("retry: 1000\nid: {said_ms}\nevent: part\ndata: {part}\n\n");
        self.last = Some(part);
        Some(event)
    }
}
