//! `docs/seeds.md` against what there is: each row points at something that
//! exists, and nothing of the documents that it goes through is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Code, Document, Findings, Format, Plot, dotenv::KnownVariable};

/// What a row says.
struct Row {
    original: String,
    english: String,
    answer: String,
}

#[test]
fn every_row_answers_and_points_at_something_that_exists() {
    let artifacts = artifacts();
    let mut wrong = Vec::new();
    for Row { original, english, answer } in rows() {
        let mut fail = |why: String| wrong.push(format!("{original}: {why}"));
        if english.is_empty() || answer.is_empty() {
            fail("a column is empty".to_owned());
        }
        for capability in answer.split("**To come**: ").skip(1) {
            let known = ["rollout", "backup"];
            if !known.iter().any(|name| capability.starts_with(name)) {
                fail(format!("waits for {capability}"));
            }
        }
        for link in links(&answer) {
            if !repository().join("docs").join(&link).is_file() {
                fail(format!("links to {link}, which is not there"));
            }
        }
        for span in spans(&answer) {
            if let Err(why) = look_up(&span, &artifacts) {
                fail(why);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_of_the_documents_is_left_out() {
    let rows = rows();
    let mut missing = Vec::new();
    let variables = VARIABLES.iter().map(|name| format!("{name}="));
    let others = [COMMANDS, FILES, ANSWERS, CHECKLIST, QUESTIONS, PRACTICES]
        .into_iter()
        .flatten()
        .map(|item| (*item).to_owned());
    for item in variables.chain(others) {
        if !rows.iter().any(|row| row.original.contains(&item)) {
            missing.push(item);
        }
    }
    assert!(missing.is_empty(), "docs/seeds.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn every_variable_of_the_documents_is_known_to_the_import() {
    let unknown: Vec<_> = VARIABLES.iter().filter(|name| KnownVariable::find(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The look-up itself finds mistakes.
#[test]
fn what_is_not_there_is_not_found() {
    let artifacts = artifacts();
    for span in [
        "edge.domian",
        "redis.external.dbs",
        "edge.tls.emial",
        "nodes.NAME.adress",
        "livekit.turn.tsl",
        "app.opne",
        "redis.cnf",
        "acme-prot",
    ] {
        assert!(look_up(span, &artifacts).is_err(), "{span} passed");
    }
}

/// Says what is wrong with something in code style, where it names a thing of
/// ours. Command lines are looked at where the command is.
fn look_up(span: &str, artifacts: &BTreeSet<String>) -> Result<(), String> {
    const FILES: &[&str] = &["toml", "md", "txt", "yaml", "conf", "cnf", "sh", "nft", "svg", "mmd", "json"];
    let first = span.split(['.', ' ']).next().unwrap_or_default();
    if span == "stageplot.toml" {
        return Ok(());
    }
    if span.contains('.') && !span.contains([' ', '/', '{', ':']) {
        let extension = span.rsplit('.').next().unwrap_or_default();
        if FILES.contains(&extension) {
            let found = artifacts.contains(span);
            return if found { Ok(()) } else { Err(format!("{span} is not rendered")) };
        }
    }
    if FIELDS.contains(&first) && span.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c)) {
        return field(span);
    }
    let kebab = span.contains('-') && span.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if kebab && !span.starts_with('-') {
        return span.parse::<Code>().map(drop).map_err(|error| error.to_string());
    }
    Ok(())
}

/// Whether a field exists: decoding a plot that sets it says nothing of an
/// unknown one.
fn field(path: &str) -> Result<(), String> {
    let text = match path.replace("NAME", "name").rsplit_once('.') {
        Some((table, key)) => format!("[{table}]\n{key} = 1\n"),
        None => format!("{path} = 1\n"),
    };
    let unknown = |findings: &Findings| findings.iter().any(|finding| finding.code == Code::UnknownField);
    let document =
        Document::parse(Format::Toml, "stageplot.toml", &text).map_err(|findings| findings.to_string())?;
    match Plot::read(&document) {
        Err(findings) if unknown(&findings) => Err(format!("{path} is no field: {findings}")),
        _ => Ok(()),
    }
}

/// The names of all files that the examples render to.
fn artifacts() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for example in fs::read_dir(repository().join("examples/plots")).expect("the examples") {
        let file = example.expect("readable").path().join("stageplot.toml");
        let text = fs::read_to_string(&file).expect("a plot");
        // The same with ufw: its script is rendered for those who use it.
        for text in [text.clone(), format!("{text}\n[firewall]\ninput = \"ufw\"\n")] {
            let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
            let topology = Plot::read(&document).expect("a plot").topology;
            let rendering = render(&topology, Secrets::SEALED, &Custom::default()).expect("renders");
            let bundled = rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
            let all = bundled.chain(&rendering.overview);
            names.extend(all.map(|file| file.path.rsplit('/').next().unwrap_or_default().to_owned()));
        }
    }
    names
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of all tables of the page.
fn rows() -> Vec<Row> {
    let page = fs::read_to_string(repository().join("docs/seeds.md")).expect("the page");
    let rows =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| 原文")).map(|line| {
            let line = line.replace("\\|", "\u{1}");
            let mut columns =
                line.trim_matches(['|', ' ']).split(" | ").map(|c| c.trim().replace('\u{1}', "|"));
            let mut column = || columns.next().unwrap_or_default();
            let row = Row { original: column(), english: column(), answer: column() };
            assert!(columns.next().is_none(), "four columns: {line}");
            row
        });
    rows.collect()
}

/// What stands in code style.
fn spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where links lead.
fn links(text: &str) -> Vec<String> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

/// What a field of the plot begins with.
const FIELDS: &[&str] = &[
    "name",
    "root",
    "secrets-file",
    "templates",
    "access",
    "firewall",
    "bridge",
    "networks",
    "nodes",
    "edge",
    "livekit",
    "redis",
    "app",
];

// The documents are no part of this repository; what they name is.

const VARIABLES: &[&str] = &[
    "NODES",
    "DOMAIN",
    "CADDY_UPSTREAM",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_PASSWORD",
    "REDIS_DB",
    "REDIS_MAXMEMORY",
    "REDIS_MAXMEMORY_POLICY",
    "REDIS_SLAVE_OF",
    "WEBHOOK_ENABLED",
    "WEBHOOK_URLS",
    "WEBHOOK_API_KEY",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
];

const COMMANDS: &[&str] = &[
    "chmod +x *.sh",
    "cp .env.example .env",
    "nano .env",
    "./deploy.sh deploy`",
    "./deploy.sh verify",
    "./deploy.sh deploy-caddy-only",
    "./deploy.sh deploy-livekit-only",
    "./deploy.sh backup",
    "./deploy.sh logs caddy",
    "nslookup livekit.example.com",
    "caddy list-certs",
    "caddy trust",
    "netstat -tlnp",
    "sudo ufw allow 80/tcp",
    "sudo ufw allow 443/tcp",
    "nano livekit-deployment/config/Caddyfile",
    "docker-compose restart caddy",
    "./部署.sh deploy-caddy-service-only",
    "./部署.sh deploy-livekit-only",
    "go run 你的服务.go",
    "./部署.sh start",
    "./部署.sh stop",
    "./部署.sh restart",
    "./部署.sh logs livekit",
    "./部署.sh backup",
    "./部署.sh restore /path/to/backup",
    "./部署.sh verify",
    "./监控.sh logs livekit",
    "./监控.sh status",
    "./故障排查.sh",
    "redis-server /usr/local/etc/redis/redis.conf",
    "--requirepass your_password",
    "\"redis-cli\", \"-a\", \"your_password\", \"ping\"",
    "tls /path/to/cert.pem /path/to/key.pem",
    "policy random_choose",
    "header_up X-Forwarded-For",
    "header_up X-Forwarded-Proto",
    "reverse_proxy localhost:7880",
    "reverse_proxy 192.168.1.10:7880 192.168.1.11:7880 192.168.1.12:7880",
    "appendonly yes",
    "appendfsync everysec",
    "maxmemory 2gb",
    "maxmemory-policy allkeys-lru",
    "bind 0.0.0.0",
    "port 6379",
];

/// Files that the documents name, and whose content one of their scripts writes or reads.
const FILES: &[&str] = &[
    ".env.example",
    ".env ",
    "./deploy.sh",
    "config/Caddyfile",
    "`docker-compose.yml`",
    "./config/redis.conf",
    "/usr/local/etc/redis/redis.conf",
    "./volumes/redis",
    "/path/to/cert.pem",
    "/path/to/key.pem",
];

/// What the documents' service answers to those who want a room, and where.
const ANSWERS: &[&str] = &["`/api/create-room`", "`room_name`", "`token`", "`url`", "`server_url`"];

const CHECKLIST: &[&str] = &[
    "DNS 已配置，指向 Caddy 机器",
    "端口 80 和 443 已开放",
    "Caddy 容器已启动",
    "HTTPS 证书已申请",
    "LiveKit 节点已启动",
    "Redis 已启动",
    "前端可以访问 https://livekit.example.com",
    "创建房间接口返回 Caddy 地址",
];

const QUESTIONS: &[&str] = &[
    "Caddy 需要单独部署吗？",
    "Q1: Caddy 无法申请证书",
    "Q2: 如何修改 Caddy 配置？",
    "Q3: 如何查看 Caddy 日志？",
    "Q1: 为什么要分离 Caddy 和 LiveKit？",
    "Q2: 业务服务可以和 LiveKit 在同一机器吗？",
    "Q3: 如何从单机升级到分布式？",
    "Q4: Redis 需要高可用吗？",
    "Q5: 如何监控部署？",
    "问题 1: 单机版本是否需要配置 Redis？",
    "问题 2: 脚本是否支持从单机升级到分布式？",
    "问题 3: 分布式部署是否需要在三台机器上都执行脚本？",
    "问题 4: 分布式部署中 Redis 需要配置什么？",
    "问题 5: 分布式部署中，创建房间接口应该返回哪台机器的地址？",
];

/// Roles, shapes, ports, practices and promises.
const PRACTICES: &[&str] = &[
    "HTTPS 证书自动申请和续期",
    "负载均衡（将请求分配到多个 LiveKit 节点）",
    "故障转移（节点故障时自动转移）",
    "请求转发",
    "选项 1",
    "选项 2",
    "选项 3",
    "单机部署（2 台机器）",
    "分布式部署（4+ 台机器）",
    "职责分离",
    "易于升级",
    "易于维护",
    "Webhook 处理",
    "80/TCP",
    "443/TCP",
    "8080/TCP",
    "7880/TCP",
    "3478/TCP/UDP",
    "5349/TCP",
    "50000-60000/UDP",
    "6379/TCP",
    "配置管理",
    "监控告警",
    "备份恢复",
    "安全加固",
    "性能优化",
    "Redis 数据被保留",
    "新的分布式配置被生成",
    "3 个 LiveKit 节点被启动",
    "所有数据自动迁移",
    "旧的单机容器被停止",
    "配置文件保留",
    "现有房间信息保留",
    "用户会话保留",
    "CreateRoom",
    "generateToken",
    "createRoom",
    "透明性",
    "可扩展性",
];
