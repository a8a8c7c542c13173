//! `stageplot serve`

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use stageplot_topology::Period;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::failure::{Failure, reason};
use crate::probing::{Probing, ProbingArgs};
use crate::report::metrics;
use crate::screen;

/// Try what `verify` tries again and again, for Prometheus to scrape
///
/// `GET /metrics` answers with what the last run saw, in the OpenMetrics text format; before
/// the first one has ended, with 503. It goes on until it is ended.
#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    probing: ProbingArgs,

    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9477")]
    listen: SocketAddr,

    /// How long from one run's beginning to the next
    #[arg(long, value_name = "TIME", default_value = "30s")]
    every: Period,
}

/// How many connections are served at a time; more wait.
const AT_ONCE: usize = 16;

/// How long a connection may take, whatever it asks.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a request may take to come.
const REQUEST: Duration = Duration::from_secs(5);

/// What the last run saw, as metrics.
type Last = Arc<RwLock<Option<Bytes>>>;

impl Serve {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let Some(probing) = self.probing.prepare()? else { return Ok(Exit::Findings) };
        let last = Last::default();
        let every = self.every.duration().max(Duration::from_secs(1));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot wait for connections: {}", reason(&error))))?;
        let listener = runtime.block_on(TcpListener::bind(self.listen)).map_err(|error| {
            Failure::new(format!("cannot listen on {}: {}", self.listen, reason(&error)))
                .help("choose another one: --listen ADDRESS:PORT")
        })?;
        let own = listener.local_addr().unwrap_or(self.listen);
        screen::talk(&format!("metrics of {} at http://{own}/metrics\n", probing.topology.name()));
        let told = last.clone();
        thread::Builder::new()
            .name("stageplot-runs".to_owned())
            .spawn(move || again_and_again(&probing, every, &told))
            .map_err(|error| Failure::new(format!("cannot try anything: {}", reason(&error))))?;
        runtime.block_on(accept(listener, last));
        Ok(Exit::Well)
    }
}

/// Tries all of it, for ever.
fn again_and_again(probing: &Probing, every: Duration, last: &Last) {
    loop {
        let next = Instant::now() + every;
        let metrics = probing.run(|_| ()).and_then(|report| metrics::write(&report));
        let metrics = match metrics {
            Ok(text) => Some(text.into()),
            // What is old is not told as if it were new.
            Err(failure) => {
                screen::talk(&failure.draw());
                None
            }
        };
        *last.write().unwrap_or_else(PoisonError::into_inner) = metrics;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

async fn accept(listener: TcpListener, last: Last) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let last = last.clone();
                tokio::spawn(async move {
                    let _permit = permit;
                    // Whoever takes longer has gone.
                    let _ = timeout(DEADLINE, serve(stream, last)).await;
                });
            }
            // Too many open files, say: others end.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(stream: TcpStream, last: Last) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(request.method(), request.uri().path(), &last);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(REQUEST).max_buf_size(16 << 10);
    // What a client does wrong is its own affair.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(method: &Method, path: &str, last: &Last) -> Response<Full<Bytes>> {
    const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";
    let last = last.read().unwrap_or_else(PoisonError::into_inner).clone();
    let (status, kind, body) = match (method, path, last) {
        (&Method::GET | &Method::HEAD, "/metrics", Some(metrics)) => (StatusCode::OK, OPENMETRICS, metrics),
        (&Method::GET | &Method::HEAD, "/metrics", None) => {
            (StatusCode::SERVICE_UNAVAILABLE, TEXT, "nothing was tried yet\n".into())
        }
        (&Method::GET | &Method::HEAD, "/", _) => {
            (StatusCode::OK, HTML, "<a href=\"metrics\">metrics</a>\n".into())
        }
        (&Method::GET | &Method::HEAD, ..) => {
            (StatusCode::NOT_FOUND, TEXT, "there is /metrics alone\n".into())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
