//! Doors and connections: everything between the configuration and a request.

use crate::app::{App, Arrival, Door};
use crate::config::Config;
use crate::connections::Connections;
use crate::pin::{Pin, PinError};
use crate::routes::router;
use crate::tls::{Identity, TlsError};
use crate::watch::{Seen, Watcher, watch};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// How long a request's head may take to come, and a handshake; a connection that asks nothing for
/// so long is closed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes that are taken before a handshake is done; a browser sends some two thousand. All of it is
/// held until it is whole, and TLS itself lets it have 64 KiB.
const HANDSHAKE: u64 = 8 << 10;

/// Longest head of a request, in bytes.
const HEAD: usize = 16 << 10;

/// Why the screen does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "server.listen has {0}, which others can reach, and there is no PIN: expected one in access.folder; set it \
         with `pneumoscope-screen set-pin`, or listen on 127.0.0.1 alone"
    )]
    NoPin(SocketAddr),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(
        "cannot listen on {address}: {source}; is the address this machine's, and no other program on it?"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// Whether only this machine reaches an address.
fn loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// What a configuration asks for, checked, before anything is listened on.
#[derive(Debug)]
pub struct Plan {
    config: Config,
    pin: Option<Pin>,
}

impl Plan {
    /// # Errors
    /// [`StartError::NoPin`] where others can reach it without one.
    pub fn new(config: Config) -> Result<Self, StartError> {
        let pin = match config.server.listen.iter().find(|address| !loopback(address)) {
            Some(open) => Some(Pin::read(&config.access.folder)?.ok_or(StartError::NoPin(*open))?),
            None => None,
        };
        Ok(Self { config, pin })
    }

    fn door(&self, address: &SocketAddr) -> Door {
        let guarded = !loopback(address);
        Door { guarded, secure: guarded && !self.config.server.plain }
    }
}

/// The pages without doors, for who has the bytes of a connection.
#[derive(Clone, Debug)]
pub struct Pages {
    router: Router,
    connections: Arc<Connections>,
}

impl Pages {
    /// # Errors
    /// [`StartError::Random`].
    pub fn new(plan: Plan, seen: tokio::sync::watch::Receiver<Seen>) -> Result<Self, StartError> {
        let router = router(Arc::new(App::new(plan.config, seen, plan.pin)?));
        Ok(Self { router, connections: Arc::default() })
    }

    /// One connection of this machine itself, to its end, however it ends; where `guarded` one of
    /// another machine, without encryption.
    pub async fn converse(&self, stream: impl AsyncRead + AsyncWrite + Unpin, guarded: bool) {
        let door = Door { guarded, secure: false };
        let arrival = self.arrival(door, IpAddr::from([127, 0, 0, 1]));
        converse(stream, self.router.clone(), arrival).await;
    }

    fn arrival(&self, door: Door, peer: IpAddr) -> Arrival {
        Arrival { door, peer, seat: Arc::new(self.connections.enter()) }
    }
}

/// Serves the pages until the future is dropped. `ready` is told, once, what is listened on; `alive`
/// the time with each look at the device.
///
/// # Errors
/// [`StartError`]: an address cannot be listened on, or there is no certificate.
pub async fn serve(
    plan: Plan,
    ready: impl FnOnce(&[String]),
    alive: impl FnMut(u64),
) -> Result<(), StartError> {
    let listen = plan.config.server.listen.clone();
    let mut lines = Vec::new();
    let mut acceptor = None;
    if listen.iter().any(|address| plan.door(address).secure) {
        let identity = identity(&plan.config)?;
        lines.push(format!("certificate's SHA-256 fingerprint: {}", identity.fingerprint()));
        acceptor = Some(identity.acceptor()?);
    }
    let mut listeners = Vec::new();
    for address in &listen {
        let failed = |source| StartError::Listen { address: *address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let door = plan.door(address);
        let how = match door {
            Door { guarded: false, .. } => "this machine alone, without PIN",
            Door { secure: true, .. } => "encrypted, with PIN",
            Door { .. } => "NOT ENCRYPTED: whoever hears this network sees patients and learns the PIN",
        };
        lines.push(format!("{}://{bound} ({how})", if door.secure { "https" } else { "http" }));
        listeners.push((listener, door));
    }
    let mut watcher = Watcher::new(&plan.config.device.status);
    let first = watcher.look(base::clock::monotonic_ms).unwrap_or(Seen::Lost("nothing was read yet".into()));
    let (sender, seen) = tokio::sync::watch::channel(first);
    let pages = Pages::new(plan, seen)?;
    for (listener, door) in listeners {
        let acceptor = acceptor.clone().filter(|_| door.secure);
        tokio::spawn(accept(listener, door, acceptor, pages.clone()));
    }
    ready(&lines);
    watch(watcher, sender, alive).await;
    Ok(())
}

/// The certificate that a configuration's encrypted addresses have; one is made where there is none.
///
/// # Errors
/// `access.folder` cannot be read or written.
pub fn identity(config: &Config) -> Result<Identity, TlsError> {
    Identity::load(&config.access.folder, &names(config))
}

/// What the certificate is for.
fn names(config: &Config) -> Vec<String> {
    let addresses = config.server.listen.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    let mut names: Vec<String> = addresses.map(|ip: IpAddr| ip.to_string()).collect();
    names.extend(config.server.names.iter().cloned());
    names.push("localhost".into());
    names.dedup();
    names
}

async fn accept(listener: TcpListener, door: Door, acceptor: Option<TlsAcceptor>, pages: Pages) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // No file descriptor is left, say; others close meanwhile.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let arrival = pages.arrival(door, peer.ip().to_canonical());
        let (acceptor, router, seat) = (acceptor.clone(), pages.router.clone(), Arc::clone(&arrival.seat));
        tokio::spawn(async move {
            tokio::select! {
                () = seat.lost() => {}
                () = talk(stream, acceptor, router, arrival) => {}
            }
        });
        // Whoever lost the seat goes before the next one comes.
        tokio::task::yield_now().await;
    }
}

/// One connection, to its end, however it ends.
async fn talk(stream: TcpStream, acceptor: Option<TlsAcceptor>, router: Router, arrival: Arrival) {
    // Events are small and must not wait for one another.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => converse(stream, router, arrival).await,
        Some(acceptor) => {
            let (reader, writer) = stream.into_split();
            let sparing = join(reader.take(HANDSHAKE), writer);
            if let Ok(Ok(mut stream)) = timeout(PATIENCE, acceptor.accept(sparing)).await {
                stream.get_mut().0.reader_mut().set_limit(u64::MAX);
                converse(stream, router, arrival).await;
            }
        }
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, arrival: Arrival) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(arrival.clone());
        router.clone().call(request)
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
