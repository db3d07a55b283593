//! HTTP/1.1 as far as a test needs it: what is sent is written by hand, so that it may be wrong.

use crate::support::Site;
use crate::support::tls::Trust;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than anything takes: what hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// By lower-case name, the last of each.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The first value of a form's hidden field.
    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let mark = format!("name=\"{name}\" value=\"");
        text.split_once(&mark).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default().to_owned()
    }
}

/// What bytes go through: a socket, or TLS over one.
pub trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

/// A browser with its cookies.
pub struct Client {
    pub port: u16,
    /// None where nothing is encrypted.
    trust: Option<Trust>,
    pub cookies: RefCell<BTreeMap<String, String>>,
}

impl Client {
    pub fn new(port: u16) -> Self {
        Self { port, trust: None, cookies: RefCell::default() }
    }

    /// The same with encryption, to a started screen of `site`.
    pub fn encrypted(self, site: &Site) -> Self {
        Self { trust: Some(Trust::of(site)), ..self }
    }

    /// A connection that nothing was said on yet, not even for a handshake.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A connection for requests.
    pub fn open(&self) -> Box<dyn Wire> {
        let stream = self.connect();
        match &self.trust {
            Some(trust) => Box::new(trust.over(stream)),
            None => Box::new(stream),
        }
    }

    fn cookie(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }

    pub fn request(&self, head: &str, body: &str) -> String {
        let cookie = self.cookie();
        format!("{head} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{cookie}Connection: close\r\n{body}", self.port)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&self.request(&format!("GET {path}"), "\r\n"))
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let form = pairs.join("&");
        let head = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send(
            &self.request(
                &format!("POST {path}"),
                &format!("{head}Content-Length: {}\r\n\r\n{form}", form.len()),
            ),
        )
    }

    /// Sends bytes on a new connection, reads the answer, keeps its cookies.
    pub fn send(&self, request: &str) -> Answer {
        let mut stream = self.open();
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read(&mut stream);
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.borrow_mut().insert(name.into(), value.into());
        }
        answer
    }

    /// The events of a page, as lines.
    pub fn events(&self, page: &str) -> impl Iterator<Item = String> + use<> {
        let mut stream = self.open();
        stream.write_all(self.request(&format!("GET /events?page={page}"), "\r\n").as_bytes()).unwrap();
        BufReader::new(stream).lines().map_while(Result::ok)
    }
}

/// Reads one answer to the end of the connection.
pub fn read(stream: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Answer::default() };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let mut body = bytes.split_off(end + 4);
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        body = unchunked(&body);
    }
    Answer { status, headers, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&bytes[..end]), 16).unwrap_or(0);
        let Some(chunk) = bytes.get(end + 2..end + 2 + length).filter(|_| length > 0) else { break };
        whole.extend_from_slice(chunk);
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
    }
    whole
}
