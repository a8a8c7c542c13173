//! Registries that are right, wrong, slow, endless or none at all.

mod fake;

use std::io::Write as _;
use std::time::Duration;

use fake::{Fake, answer};
use stageplot_health::registry::{self, Limits, Logins, RegistryError};
use stageplot_topology::{App, Digest, ImageRef, Lock, NodeSpec, Plot, RegistryAccess, Topology};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A manifest, and what `sha256sum` says of it.
const BODY: &str = r#"{"schemaVersion":2}"#;
const DIGEST: &str = "sha256:bafebd36189ad3688b7b3915ea55d461e0bfcfbdde11e54b0a123999fb6be50f";
const OTHER: &str = "sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// A topology that runs one image of a registry, which is said to speak plain HTTP.
fn topology(registry: &str, image: &str) -> Topology {
    let app = App { image: Some(image.parse().expect("an image")), ..App::default() };
    let mut plot = Plot::new("live".parse().expect("a name"))
        .service("app", app)
        .node("front", NodeSpec::private("10.0.0.1".parse().expect("an address")).role("app"));
    plot.registries.insert(registry.parse().expect("a registry"), RegistryAccess { http: true }.into());
    plot.build().expect("a sound plot").topology
}

fn image(fake: &Fake) -> String {
    format!("{}/team/app:1", fake.name())
}

async fn ask_with(
    fake: &Fake,
    image: &str,
    known: Option<&str>,
    logins: &Logins,
) -> Result<Digest, RegistryError> {
    let image: ImageRef = image.parse().expect("an image");
    let mut lock = Lock::new();
    if let Some(known) = known {
        lock.insert(image.clone(), known.parse().expect("a digest"));
    }
    let mut limits = Limits::default();
    // Long for this machine to answer itself, short for a test to wait.
    limits.answer = Duration::from_secs(2);
    let topology = topology(&fake.name(), &image.to_string());
    let answers = registry::ask(&topology, [image.clone()], &lock, logins, limits).await.expect("TLS");
    answers.into_iter().next().expect("an answer").1
}

async fn ask(fake: &Fake) -> Result<Digest, RegistryError> {
    ask_with(fake, &image(fake), None, &Logins::none()).await
}

/// What is said of a registry that always answers the same, without its name.
async fn told(answer: String) -> String {
    let fake = Fake::saying(answer);
    ask(&fake).await.expect_err("an error").to_string().replace(&fake.name(), "HOST")
}

fn logins(registry: &str, pair: &str) -> Logins {
    use base64::Engine as _;
    let dir = tempfile::tempdir().expect("a directory");
    let auth = base64::engine::general_purpose::STANDARD.encode(pair);
    let config =
        format!(r#"{{"auths":{{"https://{registry}/v1/":{{"auth":"{auth}"}}}},"currentContext":"x"}}"#);
    std::fs::write(dir.path().join("config.json"), config).expect("written");
    Logins::read(dir.path()).expect("logins")
}

#[tokio::test]
async fn a_digest_is_computed_from_what_comes() {
    let fake = Fake::saying(answer(200, &[("content-type", INDEX), ("docker-content-digest", DIGEST)], BODY));
    assert_eq!(ask(&fake).await.expect("a digest").as_str(), DIGEST);
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/v2/team/app/manifests/1"));
    let accept = seen[0].header("accept").expect("what we take");
    assert!(accept.starts_with(INDEX) && accept.contains("manifest.list.v2+json"), "{accept}");
    assert!(seen[0].header("authorization").is_none());
    // Not every registry promises one.
    let fake = Fake::saying(answer(200, &[("content-type", &format!("{INDEX}; charset=utf-8"))], BODY));
    assert_eq!(ask(&fake).await.expect("a digest").as_str(), DIGEST);
}

#[tokio::test]
async fn what_is_known_already_costs_no_pull() {
    let fake = Fake::saying(answer(200, &[("content-type", INDEX), ("docker-content-digest", DIGEST)], BODY));
    let asked = ask_with(&fake, &image(&fake), Some(DIGEST), &Logins::none()).await;
    assert_eq!(asked.expect("a digest").as_str(), DIGEST);
    assert_eq!(fake.seen().iter().map(|seen| seen.method.clone()).collect::<Vec<_>>(), ["HEAD"]);
    // What has moved is looked at.
    let asked = ask_with(&fake, &image(&fake), Some(OTHER), &Logins::none()).await;
    assert_eq!(asked.expect("a digest").as_str(), DIGEST);
    assert_eq!(fake.seen().last().expect("a request").method, "GET");
}

#[tokio::test]
async fn a_registry_on_the_machine_itself_may_do_without_tls_unasked() {
    let fake = Fake::saying(answer(200, &[("content-type", INDEX)], BODY));
    let image: ImageRef = image(&fake).parse().expect("an image");
    let topology = topology("elsewhere.example.com", &image.to_string());
    let answers = registry::ask(&topology, [image], &Lock::new(), &Logins::none(), Limits::default()).await;
    assert!(answers.expect("TLS").into_values().all(|answer| answer.is_ok()));
}

#[tokio::test]
async fn what_lies_or_is_no_registry_is_told_apart() {
    let lies = answer(200, &[("content-type", INDEX), ("docker-content-digest", OTHER)], BODY);
    assert_eq!(told(lies).await, format!("HOST says {OTHER}, and sends {DIGEST}"));
    let page = answer(200, &[("content-type", "text/html; charset=utf-8")], "<p>Welcome");
    assert_eq!(told(page).await, "HOST answers with text/html, which is no manifest of an image");
    let page = answer(404, &[("content-type", "text/html")], "<p>Not here");
    assert_eq!(told(page).await, "HOST answers with text/html, which is no manifest of an image");
    let unknown =
        answer(404, &[("content-type", "application/json")], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#);
    assert_eq!(told(unknown).await, "HOST has no team/app with the tag 1");
    let busy = answer(429, &[("retry-after", "90")], "");
    assert_eq!(told(busy).await, "HOST has been asked too often: again in 90 seconds");
    assert_eq!(told(answer(503, &[], "")).await, "HOST answers with status 503");
    assert_eq!(
        told(answer(403, &[], "")).await,
        "HOST refuses to tell without a login, or has no such image"
    );
    let digest = answer(200, &[("content-type", INDEX)], "{}");
    let fake = Fake::saying(digest);
    let by_digest = format!("{}/team/app@{DIGEST}", fake.name());
    let asked = ask_with(&fake, &by_digest, None, &Logins::none()).await;
    assert!(matches!(asked, Err(RegistryError::Contradiction { .. })), "{asked:?}");
    assert!(told("SSH-2.0-OpenSSH_9.2\r\n".to_owned()).await.starts_with("HOST broke off: "));
}

#[tokio::test]
async fn what_never_ends_is_ended() {
    let endless = Fake::new(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {INDEX}\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    let error = ask(&endless).await.expect_err("an error").to_string();
    assert!(error.ends_with("answers with more than 4096 KiB, which is no manifest of an image"), "{error}");
    let slow = Fake::new(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: ");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let error = ask(&slow).await.expect_err("an error");
    assert!(matches!(error, RegistryError::Deadline { .. }), "{error:?}");
}

#[tokio::test]
async fn redirects_are_followed_a_few_times_and_without_the_login() {
    let round = Fake::saying(answer(307, &[("location", "/v2/team/app/manifests/1")], ""));
    let error = ask(&round).await.expect_err("an error").to_string();
    assert!(error.ends_with("redirects more than three times"), "{error}");
    let elsewhere = Fake::saying(answer(200, &[("content-type", INDEX)], BODY));
    let location = format!("http://localhost:{}/m", elsewhere.name().rsplit(':').next().expect("a port"));
    let fake = Fake::new(move |request, stream| {
        let reply = match request.header("authorization") {
            None => answer(401, &[("www-authenticate", "Basic realm=\"x\"")], ""),
            Some(_) => answer(307, &[("location", &location)], ""),
        };
        let _ = stream.write_all(reply.as_bytes());
    });
    let logins = logins(&fake.name(), "ada:hunter2");
    let asked = ask_with(&fake, &image(&fake), None, &logins).await;
    assert_eq!(asked.expect("a digest").as_str(), DIGEST);
    assert!(fake.seen().last().expect("a request").header("authorization").is_some());
    assert!(elsewhere.seen().iter().all(|seen| seen.header("authorization").is_none()));
}

#[tokio::test]
async fn a_password_is_sent_where_it_is_wanted_and_never_told() {
    let fake = Fake::new(|request, stream| {
        // ada:hunter2
        let reply = match request.header("authorization") {
            Some("Basic YWRhOmh1bnRlcjI=") => answer(200, &[("content-type", INDEX)], BODY),
            _ => answer(401, &[("www-authenticate", "Basic realm=\"registry\"")], ""),
        };
        let _ = stream.write_all(reply.as_bytes());
    });
    let right = logins(&fake.name(), "ada:hunter2");
    assert!(!format!("{right:?}").contains("YWRh"), "{right:?}");
    assert!(ask_with(&fake, &image(&fake), None, &right).await.is_ok());
    let wrong = ask_with(&fake, &image(&fake), None, &logins(&fake.name(), "ada:hunter3")).await;
    assert!(matches!(wrong, Err(RegistryError::Refused { logged_in: true, .. })), "{wrong:?}");
    let none = ask(&fake).await;
    assert!(matches!(none, Err(RegistryError::Refused { logged_in: false, .. })), "{none:?}");
    let broken = ask_with(&fake, &image(&fake), None, &logins(&fake.name(), "hunter2")).await;
    let error = broken.expect_err("no login").to_string();
    assert!(error.contains("no login") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says() {
    let authority = Fake::new(|request, stream| {
        let reply = match request.header("authorization") {
            Some("Basic YWRhOmh1bnRlcjI=") => answer(200, &[], r#"{"access_token":"t0ken"}"#),
            _ => answer(401, &[], ""),
        };
        let _ = stream.write_all(reply.as_bytes());
    });
    let challenge = format!(
        r#"Bearer realm="http://{}/token?a=b",service="registry.example.com",scope="repository:team/app:pull""#,
        authority.name()
    );
    let fake = Fake::new(move |request, stream| {
        let reply = match request.header("authorization") {
            Some("Bearer t0ken") => answer(200, &[("content-type", INDEX)], BODY),
            _ => answer(401, &[("www-authenticate", &challenge)], ""),
        };
        let _ = stream.write_all(reply.as_bytes());
    });
    let asked = ask_with(&fake, &image(&fake), None, &logins(&fake.name(), "ada:hunter2")).await;
    assert_eq!(asked.expect("a digest").as_str(), DIGEST);
    let path = &authority.seen()[0].path;
    assert!(path.contains("a=b&scope=repository%3Ateam%2Fapp%3Apull&service=registry.example.com"), "{path}");
    let refused = ask(&fake).await;
    assert!(matches!(refused, Err(RegistryError::Refused { logged_in: false, .. })), "{refused:?}");
}

#[tokio::test]
async fn an_authority_may_not_be_anything_but_that() {
    for token in [r#"{"token":"a\r\nx-evil: 1"}"#, "{}", "<html>"] {
        let authority = Fake::saying(answer(200, &[], token));
        let challenge = format!("Bearer realm=\"http://{}/\"", authority.name());
        let error = told(answer(401, &[("www-authenticate", &challenge)], "")).await;
        assert_eq!(error, "there is no login for HOST: its authority sends no token");
    }
    for challenge in ["Bearer realm=\"file:///etc/passwd\"", "Bearer realm=\"ftp://a.b/\""] {
        let error = told(answer(401, &[("www-authenticate", challenge)], "")).await;
        assert!(error.contains("not reached by TLS"), "{error}");
    }
    // What we do not know, and what is not even a challenge, is a refusal.
    for challenge in ["Negotiate", "Bearer", "Bearer realm=", ", , ,"] {
        let error = told(answer(401, &[("www-authenticate", challenge)], "")).await;
        assert_eq!(error, "HOST refuses to tell without a login, or has no such image", "{challenge}");
    }
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let image: ImageRef = format!("{port}/a:1").parse().expect("an image");
    let nowhere: ImageRef = "registry.invalid/a:1".parse().expect("an image");
    let topology = topology(&port.to_string(), &image.to_string());
    let images = [image.clone(), nowhere.clone()];
    let limits = Limits::default();
    let answers = registry::ask(&topology, images, &Lock::new(), &Logins::none(), limits).await.expect("TLS");
    assert_eq!(
        answers[&image].as_ref().expect_err("an error").to_string(),
        format!("{port} cannot be reached: connection refused")
    );
    assert!(matches!(answers[&nowhere], Err(RegistryError::Unreachable { .. })), "{answers:?}");
    let findings = registry::review(&topology, &answers);
    assert_eq!(
        findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(),
        ["image-unresolved"]
    );
}

#[test]
fn logins_that_cannot_be_read_say_where_and_not_what() {
    let dir = tempfile::tempdir().expect("a directory");
    assert!(Logins::read(dir.path()).is_ok());
    for text in [r#"{"auths":{"a.b":{"auth":["hunter2"]}}}"#, "hunter2", r#"{"credsStore":{"hunter2":1}}"#] {
        std::fs::write(dir.path().join("config.json"), text).expect("written");
        let error = Logins::read(dir.path()).expect_err("no logins").to_string();
        assert!(error.contains("line 1") && !error.contains("hunter2"), "{error}");
    }
}
